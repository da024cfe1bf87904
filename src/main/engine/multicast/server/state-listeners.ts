/** Who is told of all sessions: at each change, but only a few times a second, and once more after the last one. */
import type { SessionState } from '#shared/model'

type Listener = (states: readonly SessionState[]) => void

const tellMs = 250

export class StateListeners {
  readonly #states: () => readonly SessionState[]
  readonly #listeners = new Set<Listener>()
  #timer: NodeJS.Timeout | null = null
  #isClosing = false

  constructor(states: () => readonly SessionState[]) {
    this.#states = states
  }

  /** It is told at once, and from then on. */
  add(listener: Listener): Disposable {
    this.#listeners.add(listener)
    listener(this.#states())
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  changed(): void {
    if (this.#timer !== null || this.#isClosing) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#tell()
    }, tellMs)
  }

  /** The server is being closed: nothing is told until `last`. */
  hold(): void {
    this.#isClosing = true
  }

  /** How it ended. */
  last(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#tell()
  }

  #tell(): void {
    const states = this.#states()
    for (const listener of this.#listeners) listener(states)
  }
}
