/** For the end of work that is done but for a moment: who asks to stop doesn't take that moment away, but doesn't wait for more. */

/** For mounting what was unmounted, when nothing else is left to do. */
export const leaveMs = 750

/** `signal` is aborted `graceMs` after `early`, for the same reason. */
export function lateSignal(
  early: AbortSignal | undefined,
  graceMs: number,
): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const begin = () => {
    timer = setTimeout(() => stop.abort(early?.reason), graceMs)
  }
  if (early?.aborted === true) begin()
  else early?.addEventListener('abort', begin, { once: true })
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      early?.removeEventListener('abort', begin)
      clearTimeout(timer)
    },
  }
}
