/**
 * Why an image on a server takes long: the server is away, and waited for; or it gives no parts of files, so that all of it has to be
 * here before anything is known of it. How far that is, and whether it is worth the while.
 */
import { serializeError, UsageError } from '#shared/errors'
import { publicLocator } from '#shared/model'
import { describeAwaited, wholeFetchWords } from '#shared/words'
import type { Engines, FetchWatch } from './engines.ts'
import { jsonLine } from './json-lines.ts'
import { createMarkLines } from './marks.ts'
import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'
import { createWorkOutput, type WorkOutput } from './work-output.ts'

export interface FetchTelling {
  readonly terminal: Pick<Terminal, 'write' | 'writeError' | 'isOne'>
  /** What the work on the image prints by, whose line may be open while a server is away. Absent: nothing else is printed meanwhile. */
  readonly output?: WorkOutput
  /** Counts ms. */
  readonly now: () => number
  /** As lines of JSON among the others, or for people beside what is printed; null: not at all. */
  readonly as: 'text' | 'json' | null
  /** The device it is for; null: none, or one that can't be looked at. */
  readonly target: { readonly path: string; readonly sizeBytes: number } | null
  /** True: others tell of a server that goes away when the image is open. */
  readonly openingOnly?: boolean
}

/** What is here sooner needs no words. */
const untoldMs = 1000
/** As JSON, a line for each 2 %, or where nobody says how much it is, for each of these. */
const lineBytes = 64 * 1024 * 1024

/** What a format may add to data that can't be compressed; a larger image doesn't fit. */
const mostStored = (diskBytes: number) => diskBytes * 1.02 + 4 * 1024 * 1024

export function tellFetching(engines: Pick<Engines, 'watchFetch'>, telling: FetchTelling): Disposable {
  const { terminal, output = createWorkOutput(terminal), now, as, target, openingOnly = false } = telling
  const lines = createMarkLines(() => 'Fetching')
  /** Connections that are waiting: one outage keeps several of them. */
  const waiting = new Set<symbol>()
  let isOpeningTold = false
  const sayAwaited = (path: string, trouble: unknown) => {
    const address = publicLocator(path)
    const error = serializeError(trouble)
    const words = describeAwaited(error)
    if (as === 'json') output.print(jsonLine('waiting', { address, error, words }))
    else output.tell(`${printable(words)}\n`)
  }
  const watch: FetchWatch = {
    waits(path, during) {
      const key = Symbol(path)
      return {
        again(trouble) {
          if (as === null || waiting.has(key) || (openingOnly && during === 'reading')) return
          waiting.add(key)
          // An image is opened more than once before the work begins.
          if (waiting.size > 1 || (during === 'opening' && isOpeningTold)) return
          isOpeningTold ||= during === 'opening'
          sayAwaited(path, trouble)
        },
        end: () => void waiting.delete(key),
      }
    },
    begin(_, sizeBytes) {
      if (target !== null && sizeBytes !== null && sizeBytes > mostStored(target.sizeBytes))
        throw tooSmall(target, sizeBytes)
      const beganMs = now()
      let told = -1
      return {
        advance(doneBytes) {
          if (as === null || now() - beganMs < untoldMs) return
          const step = Math.floor(doneBytes / (sizeBytes === null ? lineBytes : Math.max(1, sizeBytes / 50)))
          if (step === told) return
          if (as === 'json') output.print(jsonLine('fetching', { doneBytes, sizeBytes }), 'passing')
          else {
            if (told === -1) terminal.writeError(`${wholeFetchWords}\n`)
            terminal.writeError(lines.advance(passOf(doneBytes, sizeBytes)))
          }
          told = step
        },
        end() {
          if (as === 'text') terminal.writeError(lines.close())
        },
      }
    },
  }
  return engines.watchFetch(watch)
}

function passOf(doneBytes: number, sizeBytes: number | null) {
  const percent = sizeBytes === null ? null : (doneBytes / Math.max(1, sizeBytes)) * 100
  return [{ phase: 'validating-source', state: 'running', percent, doneBytes } as const]
}

function tooSmall(
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
  neededBytes: number,
): UsageError {
  return new UsageError('E_DST_SMALL', `${path} has ${sizeBytes} bytes, the image ${neededBytes}`, {
    details: { input: 'target', path, neededBytes, availableBytes: sizeBytes },
  })
}
