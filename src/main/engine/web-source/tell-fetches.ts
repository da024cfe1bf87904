/** All files that are being fetched as a whole, as a list that is told at each change and a few times a second while they come. */
import type { WebFetch } from '#shared/model'
import type { WebSession } from './web-session.ts'

const periodMs = 250

/** Calls `tick` every `periodMs` until disposed. */
type Every = (periodMs: number, tick: () => void) => Disposable

const everyMs: Every = (periodMs, tick) => {
  const timer = setInterval(tick, periodMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Until it is disposed, `listener` hears of the fetches of `session`, and nobody else does. */
export function tellFetches(
  session: Pick<WebSession, 'fetchWatch'>,
  listener: (fetches: readonly WebFetch[]) => void,
  every: Every = everyMs,
): Disposable {
  const fetches = new Map<symbol, WebFetch>()
  let ticking: Disposable | null = null
  let stale = false
  const tell = () => {
    stale = false
    listener([...fetches.values()])
  }
  const rest = () => {
    ticking?.[Symbol.dispose]()
    ticking = null
  }
  session.fetchWatch = {
    // The log says so; soon there is an answer, or an error.
    waits: () => undefined,
    begin(locator, sizeBytes) {
      const key = Symbol(locator)
      fetches.set(key, { locator, doneBytes: 0, sizeBytes })
      ticking ??= every(periodMs, () => stale && tell())
      tell()
      return {
        advance(doneBytes) {
          fetches.set(key, { locator, doneBytes, sizeBytes })
          stale = true
        },
        end() {
          fetches.delete(key)
          if (fetches.size === 0) rest()
          tell()
        },
      }
    },
  }
  return {
    [Symbol.dispose]: () => {
      session.fetchWatch = null
      rest()
    },
  }
}
