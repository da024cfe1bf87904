/**
 * What is done with a descriptor that somebody will close. Its number may be another file's, another disk's, the moment after:
 * so nothing begins once closing was asked for, and closing waits for what began.
 */
import { invariant } from '#shared/errors'

export class UnderWay {
  #count = 0
  #isEnding = false
  #whenNone: (() => void)[] = []

  /** What `work` comes to. Throws BugError when `end` was called before. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    invariant(!this.#isEnding, 'a sink was used after it was closed')
    this.#count += 1
    try {
      return await work()
    } finally {
      this.#count -= 1
      if (this.#count === 0) for (const wake of this.#whenNone.splice(0)) wake()
    }
  }

  /** From now on nothing begins. Resolves when all has ended. */
  async end(): Promise<void> {
    this.#isEnding = true
    while (this.#count > 0) await new Promise<void>((resolve) => this.#whenNone.push(resolve))
  }
}
