/**
 * The prefix codes of a bzip2 block: two to six tables of up to 258 symbols, code lengths 1 to 20, canonical. Codes of
 * ten bits or fewer are looked up at once, longer ones by their length's range.
 */
import type { Bzip2Bits } from './bzip2-bits.ts'

export const maxTables = 6
export const maxSymbols = 258
const maxBits = 20
export const fastBits = 10

/** Scratch of one decoder. */
export class Bzip2Huffman {
  /** `symbol << 4 | length` for each `table << fastBits | next ten bits`; 0 where the code is longer or none. */
  readonly fast = new Uint16Array(maxTables << fastBits)
  /** Per table and length: where the codes of that length end, as 20 bits; and symbol index minus first code. */
  readonly #end = new Int32Array(maxTables * 32)
  readonly #shift = new Int32Array(maxTables * 32)
  /** Symbols by length, then by value. */
  readonly #sorted = new Uint16Array(maxTables * maxSymbols)
  readonly #lengths = new Uint8Array(maxSymbols)

  /** Read one table's lengths (5 bits, then per symbol steps `10` up, `11` down, `0` done). Null, or what is wrong. */
  read(bits: Bzip2Bits, table: number, symbols: number): string | null {
    let length = bits.take(5)
    for (let symbol = 0; symbol < symbols; symbol++) {
      for (;;) {
        if (length < 1 || length > maxBits) return 'a code length outside 1 to 20'
        if (bits.overrun) return 'the block is cut off'
        if (bits.take(1) === 0) break
        length += bits.take(1) === 0 ? 1 : -1
      }
      this.#lengths[symbol] = length
    }
    return this.#build(table, symbols)
  }

  #build(table: number, symbols: number): string | null {
    const lengths = this.#lengths
    const sortedAt = table * maxSymbols
    const fastAt = table << fastBits
    this.fast.fill(0, fastAt, fastAt + (1 << fastBits))
    let index = 0
    let code = 0
    for (let length = 1; length <= maxBits; length++) {
      this.#shift[table * 32 + length] = index - code
      for (let symbol = 0; symbol < symbols; symbol++) {
        if (lengths[symbol] !== length) continue
        if (code >= 2 ** length) return 'more codes than bits allow'
        this.#sorted[sortedAt + index++] = symbol
        if (length <= fastBits) {
          const from = fastAt + (code << (fastBits - length))
          this.fast.fill((symbol << 4) | length, from, from + (1 << (fastBits - length)))
        }
        code++
      }
      this.#end[table * 32 + length] = code << (maxBits - length)
      code <<= 1
    }
    return null
  }

  /** A code longer than ten bits, out of the next 20: `symbol << 5 | length`; -1 when there is none. */
  long(table: number, next20: number): number {
    for (let length = fastBits + 1; length <= maxBits; length++) {
      if (next20 >= (this.#end[table * 32 + length] as number)) continue
      const index = (next20 >> (maxBits - length)) + (this.#shift[table * 32 + length] as number)
      return ((this.#sorted[table * maxSymbols + index] as number) << 5) | length
    }
    return -1
  }
}
