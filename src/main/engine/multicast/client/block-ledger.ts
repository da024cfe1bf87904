/** Which blocks of a stream a reception has: lacking, handed to whoever writes them, or written. Pure. */
export class BlockLedger {
  readonly blocks: number
  /** 1: handed out or written. */
  readonly #here: Uint8Array
  readonly #handed = new Set<number>()
  #missing: number

  /** `have`: 1 by block that is written already; null: none is. */
  constructor(blocks: number, have: Uint8Array | null) {
    this.blocks = blocks
    this.#here = Uint8Array.from({ length: blocks }, (_, block) => (have?.[block] === 1 ? 1 : 0))
    this.#missing = this.#here.reduce((sum, value) => sum + (1 - value), 0)
  }

  /** Blocks that are neither written nor handed out. */
  get missing(): number {
    return this.#missing
  }

  /** Written, or handed out. */
  isHere(block: number): boolean {
    return this.#here[block] === 1
  }

  handOut(block: number): void {
    this.#handed.add(block)
    this.#set(block, 1)
  }

  /** It is where it belongs. False: it wasn't handed out. */
  written(block: number): boolean {
    return this.#handed.delete(block)
  }

  /** It couldn't be kept. False: it wasn't handed out. */
  again(block: number): boolean {
    if (!this.#handed.delete(block)) return false
    this.#set(block, 0)
    return true
  }

  /** For a receiver that goes on where another was: blocks written (1 each), blocks handed out. */
  snapshot(): { readonly have: Uint8Array; readonly handed: readonly number[] } {
    return {
      have: this.#here.map((value, block) => (value === 1 && !this.#handed.has(block) ? 1 : 0)),
      handed: [...this.#handed],
    }
  }

  #set(block: number, value: 0 | 1): void {
    this.#missing += (this.#here[block] ?? value) - value
    this.#here[block] = value
  }
}
