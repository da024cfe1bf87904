/** Ctrl-C and requests to end, as a signal that is aborted once. */
import { Interruption } from '#engine/job'
import type { Terminal } from './terminal.ts'

export interface Interrupt extends Disposable {
  /** Its reason is an `Interruption` where it wasn't Ctrl-C. */
  readonly signal: AbortSignal
  /** True once somebody asked to stop. */
  readonly asked: boolean
  /** What was thrown is that signal's reason: nothing went wrong. */
  readonly causedBy: (error: unknown) => boolean
}

/** `again` is told at each further request: people press Ctrl-C twice, and deserve to hear why it isn't over. */
export function watchInterrupt(terminal: Terminal, again: string | (() => string) | null = null): Interrupt {
  const controller = new AbortController()
  const watching = terminal.onInterrupt((how) => {
    if (!controller.signal.aborted) controller.abort(how === 'SIGINT' ? undefined : new Interruption())
    else if (again !== null) terminal.writeError(`${typeof again === 'string' ? again : again()}\n`)
  })
  return {
    signal: controller.signal,
    get asked() {
      return controller.signal.aborted
    },
    causedBy: (error) => controller.signal.aborted && error === controller.signal.reason,
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  }
}

/** `promise`, or a rejection with the signal's reason as soon as it is aborted. */
export async function untilInterrupted<T>(promise: Promise<T>, { signal }: Interrupt): Promise<T> {
  promise.catch(() => undefined) // it may reject when nobody waits for it any more
  signal.throwIfAborted()
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
