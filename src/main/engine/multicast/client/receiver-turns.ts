/** Has a receiver say what it has to say: when something came for it, and when its time has come. */
import type { Receiver, ReceiverOutput } from '#engine/multicast/receiver'

export interface ReceiverTurnsOptions {
  /** The one that receives now; null: none does. */
  readonly receiver: () => Receiver | null
  readonly hear: (output: ReceiverOutput) => void
}

export class ReceiverTurns {
  readonly #options: ReceiverTurnsOptions
  #armedMs = Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(options: ReceiverTurnsOptions) {
    this.#options = options
  }

  /** Now. */
  settle(): void {
    const receiver = this.#options.receiver()
    if (receiver === null) return
    for (const output of receiver.poll(performance.now())) this.#options.hear(output)
    this.#arm(receiver)
  }

  /** A datagram came for it. */
  came(receiver: Receiver, nowMs: number): void {
    if (receiver !== this.#options.receiver()) return
    if (receiver.wakeMs <= nowMs) this.settle()
    else if (receiver.wakeMs < this.#armedMs) this.#arm(receiver)
  }

  /** Another receives from now on, whose times are others. */
  changed(): void {
    this.#armedMs = Infinity
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #arm({ wakeMs }: Receiver): void {
    if (wakeMs === this.#armedMs) return
    clearTimeout(this.#timer)
    this.#armedMs = wakeMs
    if (wakeMs === Infinity) return
    this.#timer = setTimeout(
      () => {
        this.#armedMs = Infinity
        this.settle()
      },
      Math.max(0, wakeMs - performance.now()),
    )
  }
}
