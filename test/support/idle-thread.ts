/** A port's thread that does nothing, in no time. */
import type { ThreadHandle } from '#src/main/engine/multicast/port/thread-handle.ts'

export function idleThread(): ThreadHandle & { readonly isRetired: boolean } {
  let isRetired = false
  return {
    get isRetired() {
      return isRetired
    },
    order: () => Promise.resolve(),
    retire() {
      isRetired = true
      return Promise.resolve()
    },
    ended: new Promise(() => undefined),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
