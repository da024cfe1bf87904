/**
 * Blocks that are read one by one, for those who fetch: each once for all who ask meanwhile, and only some at a time. A source that
 * doesn't answer would otherwise keep every thread that this process reads with, and so stop the sessions of all others.
 */
import { lookMs } from './no-answer.ts'

export interface SingleReadsOptions {
  /** Throws what reading throws. */
  readonly read: (block: number) => Promise<Uint8Array>
  /** While no read at all is answered for so long, those who wait are told `noAnswer`. */
  readonly unansweredMs: number
  readonly noAnswer: (block: number) => unknown
  readonly now: () => number
}

/** Reads at a time. */
const parallel = 4

export class SingleReads {
  readonly #options: SingleReadsOptions
  /** By block: being read, or waiting for its turn. */
  readonly #asked = new Map<number, Promise<Uint8Array>>()
  readonly #waiting: (() => void)[] = []
  readonly #givingUp = new Set<() => void>()
  #running = 0
  #answeredMs = -Infinity
  #readMs = -Infinity

  constructor(options: SingleReadsOptions) {
    this.#options = options
  }

  /** When the last one came that could be read. */
  get readMs(): number {
    return this.#readMs
  }

  /** Not to be changed: others may have the same bytes. Throws what reading throws; a read without an answer goes on, for who asks again. */
  async read(block: number): Promise<Uint8Array> {
    const { unansweredMs, noAnswer, now } = this.#options
    const reading = this.#asked.get(block) ?? this.#ask(block)
    const sinceMs = now()
    const silence = Promise.withResolvers<never>()
    const giveUp = () => silence.reject(noAnswer(block))
    this.#givingUp.add(giveUp)
    const timer = setInterval(() => {
      if (now() - Math.max(sinceMs, this.#answeredMs) >= unansweredMs) giveUp()
    }, lookMs).unref()
    try {
      return await Promise.race([reading, silence.promise])
    } finally {
      this.#givingUp.delete(giveUp)
      clearInterval(timer)
    }
  }

  /** Those who wait are told `noAnswer`, and no further read is begun. */
  close(): void {
    this.#waiting.length = 0
    for (const giveUp of this.#givingUp) giveUp()
  }

  #ask(block: number): Promise<Uint8Array> {
    const reading = this.#inTurn(block).finally(() => this.#asked.delete(block))
    this.#asked.set(block, reading)
    return reading
  }

  async #inTurn(block: number): Promise<Uint8Array> {
    if (this.#running < parallel) this.#running += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      const bytes = await this.#options.read(block)
      this.#readMs = this.#options.now()
      return bytes
    } finally {
      this.#answeredMs = this.#options.now()
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
