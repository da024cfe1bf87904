/**
 * The loop behind `Platform.watch`: look at something cheap a few times a second, list the disks when it changed, tell
 * when the list is another one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { Disk } from '#shared/model'
import type { DiskWatch } from './platform.ts'

const LOOK_EVERY_MS = 300
/** Events come in bursts: a disk, then its partitions. */
const SETTLE_MS = 120
/** After a list that couldn't be had; doubled each time. */
const RETRY_MS = 1000
const RETRY_AT_MOST_MS = 30_000

export interface Watched {
  /** A text that changes when disks, partitions or mounts change. Cheap; never throws. */
  readonly look: () => Promise<string>
  /** Where the system can tell at once: calls `nudge` then. Null where it can't. */
  readonly listen?: (nudge: () => void) => Disposable | null
  readonly list: (signal: AbortSignal) => Promise<readonly Disk[]>
}

/**
 * Calls `listener` with the new list after each change, until disposed; the first time also if the change can't be seen
 * in the list, since nobody knows what the caller has seen. Disposing waits for a listing of the watch's own; the listener
 * isn't called after that. The watch alone doesn't keep the process running.
 */
export function watchDisks(
  { look, listen, list }: Watched,
  log: Logger,
  listener: (disks: readonly Disk[]) => void,
): DiskWatch {
  const stop = new AbortController()
  let nudged = false
  let wake = () => {}
  const listening = listen?.(() => {
    nudged = true
    wake()
  })
  // Taken here and now, before the caller goes on: what changes from now on is told.
  const before = look()

  let begun = 0
  let newest = 0
  let told: string | null = null
  /** Listings end in any order: one that was begun before the newest that ended shows disks as they were. */
  const refresh = async (signal = stop.signal) => {
    begun += 1
    const number = begun
    const disks = await list(signal)
    if (stop.signal.aborted || number < newest) return
    newest = number
    const text = JSON.stringify(disks)
    if (text === told) return
    told = text
    listener(disks)
  }

  const untilSomethingHappens = async () => {
    const woken = new Promise<void>((go) => {
      wake = go
    })
    await Promise.race([woken, idle(LOOK_EVERY_MS, stop.signal)])
  }

  const run = async () => {
    let seen = await before
    let retryMs = RETRY_MS
    let retryAt = Infinity
    while (!stop.signal.aborted) {
      await untilSomethingHappens()
      if (stop.signal.aborted) return
      if (!nudged && performance.now() < retryAt && (await look()) === seen) continue
      await idle(SETTLE_MS, stop.signal)
      nudged = false
      // Before listing: what happens during the listing is seen in the next round.
      seen = await look()
      try {
        await refresh()
        retryMs = RETRY_MS
        retryAt = Infinity
      } catch (error) {
        if (stop.signal.aborted) return
        const code = error instanceof AppError ? error.code : 'unknown'
        log.warn('disks cannot be listed', { code, reason: String(error) })
        // What changed is seen already, and would be told to nobody.
        retryAt = performance.now() + retryMs
        retryMs = Math.min(2 * retryMs, RETRY_AT_MOST_MS)
      }
    }
  }
  const running = run()
  return {
    refresh,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      listening?.[Symbol.dispose]()
      await running
    },
  }
}

/** Resolves after a while, or at once when aborted. */
function idle(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
}
