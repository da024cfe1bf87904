/** Words of the form for a new stream: what its closed options hold, and why a device can't be streamed. */
import type { AdmissionDraft, EngineMirror } from '#renderer/store'
import type { SerializedError } from '#shared/errors'
import type { FoundStream } from '#shared/model'
import { formatCount } from '#shared/units'
import { describeWhole } from '#shared/words'

/** Beside More Options while it is closed: what is set in there; empty for nothing. */
export function optionsSummary(
  { rules, problems }: Pick<AdmissionDraft, 'rules' | 'problems'>,
  oneWay: boolean,
): string {
  const count = rules.length
  const who =
    problems.length > 0
      ? "Who may join isn't right"
      : count === 0
        ? null
        : count === 1
          ? '1 rule of who may join'
          : `${formatCount(count)} rules of who may join`
  return [who, oneWay ? 'one-way' : null].filter((part) => part !== null).join(', ')
}

/** Under the session's name, where somebody else's stream has it. */
export const announcedWords = ({ host }: Pick<FoundStream, 'host'>): string =>
  `'${host}' announces a stream of this name.`

/** Why nothing of the form can be asked for, however complete it is; null: it can. */
export function offlineWords({
  connection,
  engine,
}: Pick<EngineMirror, 'connection' | 'engine'>): string | null {
  if (connection.state !== 'open') return 'Not connected.'
  return engine.state === 'ready' ? null : "The engine isn't running."
}

/**
 * Why a device can't be streamed, said before the start. `image`: that an image is made of it would do, because that may ask for
 * the rights that are lacking.
 */
export function refusalWords(
  error: SerializedError,
  { name, path }: { readonly name: string; readonly path: string },
): { readonly words: string; readonly image: boolean } {
  if (error.code === 'E_DENIED')
    return {
      words: `Reprise may not read '${name}' (${path}): that needs administrator rights. Make an image of it, which asks for them, and stream that; or run Reprise in a browser, started with sudo.`,
      image: true,
    }
  // A disk in a file, as the Practice disk is, is read as the image that it would be.
  if (error.code === 'E_SRC_FORMAT')
    return {
      words: `There is nothing on '${name}' to stream: it has no partition map and no file system.`,
      image: false,
    }
  return { words: describeWhole(error, { source: name }), image: false }
}
