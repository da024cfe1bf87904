/**
 * Writes bzip2, the codec of UDBZ images: one whole stream a run. What a block goes through, in this order: runs of four
 * and more are shortened; all rotations are sorted and their last column is taken (Burrows and Wheeler, 1994); each byte
 * becomes its place in a list that moves what was used to its front; runs of place 0 become digits; Huffman codes, of
 * which up to six take turns every fifty symbols. `bzip2-block.ts` reads what this writes.
 */
import { codeLengths } from './bzip2-code-lengths.ts'
import { sortSuffixes } from './suffix-sort.ts'

const groupSymbols = 50
const runA = 0
const runB = 1
/** Rounds of assigning groups to codes and fitting codes to groups. Later ones gain next to nothing. */
const rounds = 4
const longestCode = 17

const block = new Uint8Array(900_000)
const rotated = new Int32Array(900_000)
const lastColumn = new Uint8Array(900_000)
const symbols = new Uint16Array(900_001)
const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  return crc
})

/** Bits from the highest of the first byte on. */
class BitWriter {
  readonly #into: Uint8Array
  #pending = 0
  #count = 0
  to = 0
  isFull = false

  constructor(into: Uint8Array) {
    this.#into = into
  }

  /** At most 24 bits. */
  push(value: number, count: number): void {
    this.#pending = (this.#pending << count) | value
    this.#count += count
    while (this.#count >= 8) {
      this.#count -= 8
      if (this.to >= this.#into.length) this.isFull = true
      else this.#into[this.to++] = (this.#pending >>> this.#count) & 0xff
    }
  }

  push32(value: number): void {
    this.push(value >>> 16, 16)
    this.push(value & 0xffff, 16)
  }

  finish(): void {
    if (this.#count > 0) this.push(0, 8 - this.#count)
  }
}

/**
 * `run` as a bzip2 stream, written into `into`; the number of bytes, or null when they don't fit. `level` 1 to 9: blocks
 * of that many times 100 000 bytes. Scratch memory is the thread's: calls don't overlap.
 */
export function encodeBzip2(run: Uint8Array, into: Uint8Array, level: number): number | null {
  const writer = new BitWriter(into)
  writer.push(0x425a68, 24) // BZh
  writer.push(0x30 + level, 8)
  let streamCrc = 0
  for (let from = 0; from < run.length && !writer.isFull;) {
    const { length, end } = fillBlock(run, from, level * 100_000 - 20)
    const crc = bzip2Crc(run, from, end)
    streamCrc = ((streamCrc << 1) | (streamCrc >>> 31)) ^ crc
    writer.push(0x314159, 24)
    writer.push(0x265359, 24)
    writer.push32(crc)
    writeBlock(writer, length)
    from = end
  }
  writer.push(0x177245, 24)
  writer.push(0x385090, 24)
  writer.push32(streamCrc)
  writer.finish()
  return writer.isFull ? null : writer.to
}

function bzip2Crc(bytes: Uint8Array, from: number, end: number): number {
  let crc = -1
  for (let at = from; at < end; at++)
    crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ (bytes[at] as number)] as number)
  return ~crc
}

/** Four to 259 equal bytes become four of them and how many more. Fills `block` with at most `most` bytes. */
function fillBlock(run: Uint8Array, from: number, most: number): { length: number; end: number } {
  let to = 0
  let at = from
  while (at < run.length && to + 5 <= most) {
    const byte = run[at] as number
    let count = 1
    while (count < 259 && at + count < run.length && run[at + count] === byte) count++
    at += count
    for (let copy = Math.min(count, 4); copy > 0; copy--) block[to++] = byte
    if (count >= 4) block[to++] = count - 4
  }
  return { length: to, end: at }
}

function writeBlock(writer: BitWriter, length: number): void {
  const { last, origin } = transform(block.subarray(0, length))
  writer.push(0, 1)
  writer.push(origin, 24)
  const used = writeUsed(writer, last)
  const count = moveToFront(last, used)
  const alphabet = used.length + 2
  const { lengths, selectors } = chooseCodes(count, alphabet)
  writer.push(lengths.length, 3)
  writer.push(selectors.length, 15)
  writeSelectors(writer, selectors, lengths.length)
  for (const code of lengths) writeLengths(writer, code)
  const codes = lengths.map(canonicalCodes)
  for (let at = 0; at < count; at++) {
    const table = selectors[Math.floor(at / groupSymbols)] as number
    const symbol = symbols[at] as number
    writer.push(
      (codes[table] as Int32Array)[symbol] as number,
      (lengths[table] as Uint8Array)[symbol] as number,
    )
  }
}

/**
 * The last column of the sorted rotations, and the row of the text itself. Rotations are sorted as suffixes: of the least
 * rotation of a text, both have the same order.
 */
function transform(text: Uint8Array): { readonly last: Uint8Array; readonly origin: number } {
  const length = text.length
  const start = leastRotation(text)
  const turned = rotated.subarray(0, length)
  turned.set(text.subarray(start))
  turned.set(text.subarray(0, start), length - start)
  const sorted = sortSuffixes(turned, 255)
  const last = lastColumn.subarray(0, length)
  const itself = (length - start) % length
  let origin = 0
  for (let row = 0; row < length; row++) {
    const at = sorted[row] as number
    if (at === itself) origin = row
    last[row] = turned[at === 0 ? length - 1 : at - 1] as number
  }
  return { last, origin }
}

/** Where the least of all rotations begins: two candidates, of which each difference rules out a stretch. */
function leastRotation(text: Uint8Array): number {
  const length = text.length
  let a = 0
  let b = 1
  let same = 0
  while (a < length && b < length && same < length) {
    const x = text[(a + same) % length] as number
    const y = text[(b + same) % length] as number
    if (x === y) {
      same++
      continue
    }
    if (x > y) a += same + 1
    else b += same + 1
    if (a === b) b++
    same = 0
  }
  return Math.min(a, b)
}

/** Which bytes occur: sixteen groups, then sixteen bits for each group that does. */
function writeUsed(writer: BitWriter, bytes: Uint8Array): readonly number[] {
  const seen = new Uint8Array(256)
  for (const byte of bytes) seen[byte] = 1
  const groups = Array.from({ length: 16 }, (_, group) => seen.subarray(group * 16, group * 16 + 16))
  for (const group of groups) writer.push(group.includes(1) ? 1 : 0, 1)
  for (const group of groups) if (group.includes(1)) for (const bit of group) writer.push(bit, 1)
  return Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => seen[byte] === 1)
}

/** Fills `symbols`; returns how many. Zeros in a row become a number in digits 1 and 2 of base two, lowest first. */
function moveToFront(bytes: Uint8Array, used: readonly number[]): number {
  const list = Uint8Array.from(used)
  let count = 0
  let zeros = 0
  const flush = () => {
    for (; zeros > 0; zeros = (zeros - 1) >> 1) symbols[count++] = (zeros & 1) === 1 ? runA : runB
  }
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    let before = list[0] as number
    if (before === byte) {
      zeros++
      continue
    }
    flush()
    let place = 0
    while (before !== byte) {
      place++
      const here = list[place] as number
      list[place] = before
      before = here
    }
    list[0] = byte
    symbols[count++] = place + 1
  }
  flush()
  symbols[count++] = used.length + 1 // the end of the block
  return count
}

interface Codes {
  /** Code lengths by symbol, of each code. */
  readonly lengths: readonly Uint8Array[]
  /** The code of each group of fifty. */
  readonly selectors: Uint8Array
}

function chooseCodes(count: number, alphabet: number): Codes {
  const groups = Math.ceil(count / groupSymbols)
  const tables = count < 200 ? 2 : count < 600 ? 3 : count < 1200 ? 4 : count < 2400 ? 5 : 6
  const totals = new Uint32Array(alphabet)
  for (let at = 0; at < count; at++)
    totals[symbols[at] as number] = (totals[symbols[at] as number] as number) + 1
  let lengths = firstGuess(totals, count, tables)
  const selectors = new Uint8Array(groups)
  for (let round = 0; round < rounds; round++) {
    const weights = lengths.map(() => new Uint32Array(alphabet))
    for (let group = 0; group < groups; group++) {
      const from = group * groupSymbols
      const end = Math.min(count, from + groupSymbols)
      let best = 0
      let bestBits = Infinity
      for (let table = 0; table < lengths.length; table++) {
        const code = lengths[table] as Uint8Array
        let bits = 0
        for (let at = from; at < end; at++) bits += code[symbols[at] as number] as number
        if (bits < bestBits) {
          best = table
          bestBits = bits
        }
      }
      selectors[group] = best
      const own = weights[best] as Uint32Array
      for (let at = from; at < end; at++)
        own[symbols[at] as number] = (own[symbols[at] as number] as number) + 1
    }
    lengths = weights.map((weight) => codeLengths(weight, longestCode))
  }
  return { lengths, selectors }
}

/** Each code begins with a share of the alphabet that occurs about as often as any other's: short inside, long outside. */
function firstGuess(totals: Uint32Array, count: number, tables: number): readonly Uint8Array[] {
  let from = 0
  let left = count
  return Array.from({ length: tables }, (_, table) => {
    const share = Math.floor(left / (tables - table))
    let end = from
    let held = 0
    while (end < totals.length && (held < share || end === from)) held += totals[end++] as number
    const code = Uint8Array.from(totals, (_, symbol) => (symbol >= from && symbol < end ? 0 : 15))
    left -= held
    from = end
    return code
  })
}

/** Each selector as its place in a list that moves what was used to its front, in unary. */
function writeSelectors(writer: BitWriter, selectors: Uint8Array, tables: number): void {
  const list = Array.from({ length: tables }, (_, table) => table)
  for (const table of selectors) {
    const place = list.indexOf(table)
    list.splice(place, 1)
    list.unshift(table)
    for (let one = 0; one < place; one++) writer.push(1, 1)
    writer.push(0, 1)
  }
}

/** The first length in five bits; then for each symbol 10 for one more, 11 for one less, as often as needed, and 0. */
function writeLengths(writer: BitWriter, code: Uint8Array): void {
  let length = code[0] as number
  writer.push(length, 5)
  for (const wanted of code) {
    for (; length < wanted; length++) writer.push(0b10, 2)
    for (; length > wanted; length--) writer.push(0b11, 2)
    writer.push(0, 1)
  }
}

/** Shorter codes first, among equals by symbol, counting up. */
function canonicalCodes(lengths: Uint8Array): Int32Array {
  const codes = new Int32Array(lengths.length)
  let next = 0
  for (let length = 1; length <= longestCode; length++, next <<= 1)
    for (let symbol = 0; symbol < lengths.length; symbol++)
      if (lengths[symbol] === length) codes[symbol] = next++
  return codes
}
