import type { KeepAwake } from '#engine/platform'

/** Holds the computer awake while `set` was last called with true, until it is disposed. */
export function holdWhile(keepAwake: KeepAwake): Disposable & { set(wanted: boolean): void } {
  let held: Disposable | null = null
  const set = (wanted: boolean) => {
    if (wanted) held ??= keepAwake.hold()
    else {
      held?.[Symbol.dispose]()
      held = null
    }
  }
  return { set, [Symbol.dispose]: () => set(false) }
}
