/** What is agreed to by the second yes, and what has to be typed before it. Pure. */
import { agreedLosses, onlyVolumeOf, type RestorePlan } from '#shared/model'
import { describeConfirmationReason } from '#shared/words'

export interface ToType {
  readonly phrase: string
  /** Sentences. */
  readonly why: string
}

/**
 * Of which restore the person is asked, as a key: another one is asked about anew, with nothing typed and the button not armed. The
 * same one isn't, however full its disk becomes meanwhile.
 */
export function agreementOf(plan: RestorePlan): string {
  const { target, losses, confirmation, request, sourceIdentity } = plan
  return JSON.stringify([
    target && [target.kind, target.path, target.name, target.identity, target.sizeBytes],
    agreedLosses(losses),
    confirmation,
    request.verify,
    sourceIdentity ?? null,
    onlyVolumeOf(plan),
  ])
}

/**
 * Null: nothing has to be typed. The engine's wish, and one more of the window's: while internal disks are among those one may hit by
 * mistake, a press is too little for any of them.
 */
export function confirmationOf(
  { confirmation, target }: Pick<RestorePlan, 'confirmation' | 'target'>,
  { internalShown }: { readonly internalShown: boolean },
): ToType | null {
  if (confirmation.kind === 'type')
    return {
      phrase: confirmation.phrase,
      why: confirmation.reasons.map(describeConfirmationReason).join(' '),
    }
  if (!internalShown || !target?.disk || target.disk.practice) return null
  return {
    phrase: target.name,
    why: 'While internal disks are shown, the name of every disk has to be typed.',
  }
}
