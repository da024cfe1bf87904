/**
 * When the next piece of the blocks that were fetched from a session may go over its control connections. They share one bucket, so
 * that they keep to their part of the Data Rate from one moment to the next, however long they are. Connections take turns, a piece each; who can't take one when its turn comes isn't waited for.
 */
export interface AnswerPacerOptions {
  /** Bytes a second for all of them, at present. */
  readonly rate: () => number
  /** Somebody begins to wait for his turn: call `serve` soon, but not from within this. */
  readonly wake: () => void
}

/** What goes out piece by piece. */
export interface Pace {
  /** So long is a piece, at present. */
  readonly pieceBytes: number
  /** Whether so many bytes may go out now. If not, `Answer.go` is called when it is its turn. */
  take(bytes: number, nowMs: number): boolean
}

export interface Answer {
  /** Half of the Data Rate is left to it, not only an eighth. Asked whenever it begins to wait. */
  readonly isLittle: () => boolean
  /** It is its turn: ask again. */
  readonly go: () => void
}

/** A piece is as much as goes out in so long: the bucket holds as much, too. */
const pieceMs = 10
/** No less, or TLS and TCP would be most of it; and no more than what goes out without a pace. */
const piece = { least: 1024, most: 64 * 1024 }
/** Everyone who waits gets one in so long, so that nobody takes the server for gone. */
const roundMs = 2000
/** TLS, TCP and the network around it add about so much. */
const overhead = 1.05
/** To be asked so often: shorter waits of the thread would keep it from its connections. */
const turnMs = 9

export class AnswerPacer {
  readonly #options: AnswerPacerOptions
  /** The one whose turn is next first; with whether it is little. */
  readonly #waiting = new Map<Answer, boolean>()
  #littles = 0
  #tokens = 0
  #filledMs = -Infinity
  /** Whose turn it is. */
  #turn: Answer | null = null
  #isServing = false

  constructor(options: AnswerPacerOptions) {
    this.#options = options
  }

  /** Who waits for his turn: nobody, somebody, or also somebody that is little. */
  get waiting(): 'none' | 'much' | 'little' {
    if (this.#littles > 0) return 'little'
    return this.#waiting.size > 0 ? 'much' : 'none'
  }

  /** So many blocks wait for their turn. */
  get blocks(): number {
    return this.#waiting.size
  }

  /** Of an answer that is about to go out. */
  pace(answer: Answer): Pace {
    const { rate } = this.#options
    const waiting = this.#waiting
    return {
      get pieceBytes() {
        const bytes = (rate() * Math.min(pieceMs, roundMs / (waiting.size + 1))) / 1000
        return Math.floor(Math.min(piece.most, Math.max(piece.least, bytes)))
      },
      take: (bytes, nowMs) => this.#take(answer, bytes, nowMs),
    }
  }

  /** Call those whose turn it is. Returns when to be asked again at the latest; Infinity when nobody waits. */
  serve(nowMs: number): number {
    this.#fill(nowMs)
    this.#isServing = true
    while (this.#tokens >= 0) {
      const [next] = this.#waiting.keys()
      if (next === undefined) break
      this.#remove(next)
      this.#turn = next
      next.go()
    }
    this.#turn = null
    this.#isServing = false
    return this.#waiting.size > 0 ? nowMs + turnMs : Infinity
  }

  #take(answer: Answer, bytes: number, nowMs: number): boolean {
    this.#fill(nowMs)
    const isNext = this.#turn === answer || this.#waiting.size === 0
    if (this.#tokens < 0 || !isNext) {
      this.#add(answer)
      return false
    }
    this.#turn = null
    this.#tokens -= bytes * overhead
    return true
  }

  #fill(nowMs: number): void {
    const rate = this.#options.rate() / 1000
    const passedMs = Math.max(0, nowMs - this.#filledMs)
    this.#filledMs = Math.max(this.#filledMs, nowMs)
    // A piece of a time when the rate was higher isn't made up for.
    const owed = -Math.max(piece.least, rate * pieceMs) * overhead
    this.#tokens = Math.min(rate * pieceMs, Math.max(owed, this.#tokens) + passedMs * rate)
  }

  #add(answer: Answer): void {
    if (this.#waiting.has(answer)) return
    const isLittle = answer.isLittle()
    this.#waiting.set(answer, isLittle)
    if (isLittle) this.#littles += 1
    if (!this.#isServing && this.#waiting.size === 1) this.#options.wake()
  }

  #remove(answer: Answer): void {
    if (this.#waiting.get(answer) === true) this.#littles -= 1
    this.#waiting.delete(answer)
  }
}
