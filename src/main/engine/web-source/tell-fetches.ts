/** All files on servers that something waits for, as a list that is told at each change and a few times a second while they come. */
import { serializeError } from '#shared/errors'
import type { WebFetch } from '#shared/model'
import { watchFetches } from './fetch-watch.ts'
import type { WebClient } from './web-client.ts'

const periodMs = 250

/** Calls `tick` every `periodMs` until disposed. */
type Every = (periodMs: number, tick: () => void) => Disposable

const everyMs: Every = (periodMs, tick) => {
  const timer = setInterval(tick, periodMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Until it is disposed, `listener` hears of what is waited for in `client`, and nobody else does. */
export function tellFetches(
  client: Pick<WebClient, 'fetchWatch'>,
  listener: (fetches: readonly WebFetch[]) => void,
  every: Every = everyMs,
): Disposable {
  const fetches = new Map<symbol, WebFetch>()
  const coming = new Set<symbol>()
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
  const watching = watchFetches(client, {
    waits(locator) {
      const key = Symbol(locator)
      return {
        again(trouble) {
          fetches.set(key, { kind: 'awaited', locator, trouble: serializeError(trouble) })
          tell()
        },
        end() {
          if (fetches.delete(key)) tell()
        },
      }
    },
    begin(locator, sizeBytes) {
      const key = Symbol(locator)
      coming.add(key)
      fetches.set(key, { kind: 'coming', locator, doneBytes: 0, sizeBytes })
      ticking ??= every(periodMs, () => stale && tell())
      tell()
      return {
        advance(doneBytes) {
          fetches.set(key, { kind: 'coming', locator, doneBytes, sizeBytes })
          stale = true
        },
        end() {
          fetches.delete(key)
          coming.delete(key)
          if (coming.size === 0) rest()
          tell()
        },
      }
    },
  })
  return {
    [Symbol.dispose]: () => {
      watching[Symbol.dispose]()
      rest()
    },
  }
}
