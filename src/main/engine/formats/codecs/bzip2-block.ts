/**
 * One block of a bzip2 stream: prefix codes, run lengths of the front symbol, move to front, Burrows and Wheeler's
 * transform, and run lengths again. `decode` does all that needs the stored bytes, `read` gives the block's bytes in as
 * many pieces as the caller likes: 900 000 of them may stand for 46 million.
 *
 * The format has no document of its own; this follows the description at
 * https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf and what bzip2 1.0.8 writes.
 */
import type { Bzip2Bits } from './bzip2-bits.ts'
import { Bzip2Huffman, fastBits, maxTables } from './bzip2-huffman.ts'

const groupSymbols = 50
/** 900 000 / 50, and what bzip2 adds. Some encoders write more that nothing uses. */
const maxSelectors = 18_002

/** CRC-32 with the polynomial 04C11DB7, highest bit first. */
const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1
  return value
})

export class Bzip2Block {
  readonly #huffman = new Bzip2Huffman()
  readonly #selectors = new Uint8Array(maxSelectors)
  readonly #front = new Uint8Array(256)
  readonly #starts = new Int32Array(256)
  /** A byte and, from bit 8 on, where the next one is. */
  #chain = new Uint32Array(0)

  #left = 0
  #at = 0
  #previous = -1
  #alike = 0
  #repeats = 0
  #crc = 0

  /**
   * Read a block after its magic and checksum. `maxBytes` is what the stream's header allows. Null, or what is wrong.
   * Bits past the end read as zeros: `bits.overrun` then tells.
   */
  decode(bits: Bzip2Bits, maxBytes: number): { readonly field: string; readonly problem: string } | null {
    if (this.#chain.length < maxBytes) this.#chain = new Uint32Array(maxBytes)
    if (bits.take(1) === 1)
      return { field: 'randomised', problem: 'blocks of bzip2 before 0.9.5 are not supported' }
    const origin = bits.take(24)
    const used = this.#readUsedBytes(bits)
    if (used === 0) return { field: 'symbol map', problem: 'no byte is in use' }

    const tables = bits.take(3)
    if (tables < 2 || tables > maxTables) return { field: 'tables', problem: `${tables} tables` }
    const selectors = this.#readSelectors(bits, tables)
    if (selectors === 0) return { field: 'selectors', problem: 'selectors are missing or name no table' }
    for (let table = 0; table < tables; table++) {
      const problem = this.#huffman.read(bits, table, used + 2)
      if (problem !== null) return { field: 'code lengths', problem }
    }
    const count = this.#readSymbols(bits, maxBytes, used, selectors)
    if (typeof count === 'string') return { field: 'symbols', problem: count }
    if (origin >= count) return { field: 'origin', problem: 'the origin lies outside the block' }
    this.#link(count, origin)
    return null
  }

  /** Which bytes occur: 16 bits for sixteens, and 16 for each that does. Fills `#front`, returns how many. */
  #readUsedBytes(bits: Bzip2Bits): number {
    const sixteens = bits.take(16)
    let count = 0
    for (let high = 0; high < 16; high++) {
      if (((sixteens >> (15 - high)) & 1) === 0) continue
      const map = bits.take(16)
      for (let low = 0; low < 16; low++)
        if (((map >> (15 - low)) & 1) === 1) this.#front[count++] = (high << 4) | low
    }
    return count
  }

  /** Which table each group of 50 symbols uses, moved to front, in unary. Returns how many; 0 when damaged. */
  #readSelectors(bits: Bzip2Bits, tables: number): number {
    const count = bits.take(15)
    const order = [0, 1, 2, 3, 4, 5]
    for (let index = 0; index < count; index++) {
      let place = 0
      while (bits.take(1) === 1) if (++place >= tables) return 0
      if (bits.overrun) return 0
      const [table] = order.splice(place, 1) as [number]
      order.unshift(table)
      if (index < maxSelectors) this.#selectors[index] = table
    }
    return Math.min(count, maxSelectors)
  }

  /** The block's bytes, transformed, into the low bytes of `#chain`. Returns how many, or what is wrong. */
  #readSymbols(bits: Bzip2Bits, maxBytes: number, used: number, selectors: number): number | string {
    const { view, endBits } = bits
    const { fast } = this.#huffman
    const front = this.#front
    const chain = this.#chain
    const starts = this.#starts.fill(0)
    const endSymbol = used + 1
    let position = bits.position
    let count = 0
    let run = 0
    let runBit = 1
    for (let group = 0; group < selectors; group++) {
      const table = this.#selectors[group] as number
      const fastAt = table << fastBits
      if (position > endBits) return stopAt(bits, position, 'the block is cut off')
      for (let left = groupSymbols; left > 0; left--) {
        const next = view.getInt32(position >> 3) << (position & 7)
        const entry = fast[fastAt + (next >>> (32 - fastBits))] as number
        let symbol = entry >> 4
        if (entry !== 0) position += entry & 15
        else {
          const long = this.#huffman.long(table, next >>> 12)
          if (long < 0) return stopAt(bits, position, 'a code that means nothing')
          symbol = long >> 5
          position += long & 31
        }
        if (symbol <= 1) {
          // Run lengths of the front symbol, as digits 1 and 2 of base two, lowest first.
          if (runBit > maxBytes) return stopAt(bits, position, 'a run longer than the block')
          run += runBit << symbol
          runBit <<= 1
          continue
        }
        if (run > 0) {
          if (run > maxBytes - count) return stopAt(bits, position, 'more bytes than the block may have')
          const byte = front[0] as number
          starts[byte] = (starts[byte] as number) + run
          if (run > 32) chain.fill(byte, count, count + run)
          else for (let index = 0; index < run; index++) chain[count + index] = byte
          count += run
          run = 0
          runBit = 1
        }
        if (symbol === endSymbol) {
          bits.position = position
          return count
        }
        if (count >= maxBytes) return stopAt(bits, position, 'more bytes than the block may have')
        let place = symbol - 1
        const byte = front[place] as number
        if (place < 24) for (; place > 0; place--) front[place] = front[place - 1] as number
        else front.copyWithin(1, 0, place)
        front[0] = byte
        starts[byte] = (starts[byte] as number) + 1
        chain[count++] = byte
      }
    }
    return stopAt(bits, position, 'the block has no end')
  }

  /** Undo the transform: each byte points to the one that follows it. */
  #link(count: number, origin: number): void {
    const chain = this.#chain
    const starts = this.#starts
    let start = 0
    for (let byte = 0; byte < 256; byte++) {
      const bytes = starts[byte] as number
      starts[byte] = start
      start += bytes
    }
    for (let index = 0; index < count; index++) {
      const byte = (chain[index] as number) & 0xff
      const place = starts[byte] as number
      starts[byte] = place + 1
      chain[place] = (chain[place] as number) | (index << 8)
    }
    this.#at = (chain[origin] as number) >>> 8
    this.#left = count
    this.#previous = -1
    this.#alike = 0
    this.#repeats = 0
    this.#crc = -1
  }

  /** Everything has been read: `crc` is that of the block. */
  get isDone(): boolean {
    return this.#left === 0 && this.#repeats === 0
  }

  /** CRC-32 of what was read so far, unsigned. */
  get crc(): number {
    return ~this.#crc >>> 0
  }

  /** Write the block's next bytes into `into` from `to` on, until it is full or the block done. Returns where it ends. */
  read(into: Uint8Array, to: number): number {
    const chain = this.#chain
    const end = into.length
    let at = this.#at
    let left = this.#left
    let previous = this.#previous
    let alike = this.#alike
    let repeats = this.#repeats
    let crc = this.#crc
    while (to < end) {
      if (repeats > 0) {
        for (const stop = Math.min(end, to + repeats), start = to; ;) {
          into[to++] = previous
          crc = (crc << 8) ^ (crcTable[((crc >>> 24) ^ previous) & 0xff] as number)
          if (to < stop) continue
          repeats -= to - start
          break
        }
        if (repeats === 0) previous = -1
        continue
      }
      if (left === 0) break
      left--
      const link = chain[at] as number
      at = link >>> 8
      const byte = link & 0xff
      if (alike === 4) {
        // After four alike, a byte says how many more.
        alike = 0
        repeats = byte
        if (byte === 0) previous = -1
        continue
      }
      alike = byte === previous ? alike + 1 : 1
      previous = byte
      into[to++] = byte
      crc = (crc << 8) ^ (crcTable[((crc >>> 24) ^ byte) & 0xff] as number)
    }
    this.#at = at
    this.#left = left
    this.#previous = previous
    this.#alike = alike
    this.#repeats = repeats
    this.#crc = crc
    return to
  }
}

/** Whether the end was passed must be known to whoever is told the problem. */
function stopAt(bits: Bzip2Bits, position: number, problem: string): string {
  bits.position = position
  return problem
}
