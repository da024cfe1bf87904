/**
 * Writes LZFSE, the codec of ULFO images, as docs/formats/lzfse.md describes it: blocks of the kind `bvx2` and the end mark.
 * Our own, from the description of the format; it searches less hard than Apple's, so its ratio may trail theirs.
 */
import { BitWriter, FseEncoder } from './fse-encoder.ts'
import { dStates, literalStates, lStates, maxLiterals, mStates, symbolCounts } from './lzfse-header.ts'
import { MatchFinder } from './match-finder.ts'

const maxDistance = 262_139
const longestLiterals = 315
const longestCopy = 2359
/** Triples of one block. */
const maxTriples = 10_000
/** Copies from far away cost more bits than four bytes do. */
const farDistance = 32_768

/** Symbols of L, M and D by value, and the bits that a symbol leaves open. */
const lCode = valueCode([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 5, 8])
const mCode = valueCode([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 5, 8, 11])
const dCode = valueCode(Array.from({ length: symbolCounts.d }, (_, symbol) => symbol >> 2))

const finder = new MatchFinder()
const literals = new Uint8Array(maxLiterals + 4)
const triples = {
  l: new Int32Array(maxTriples),
  m: new Int32Array(maxTriples),
  d: new Int32Array(maxTriples),
}
const lmdWriter = new BitWriter()
const headWriter = new BitWriter()
const lFse = new FseEncoder(lStates, symbolCounts.l)
const mFse = new FseEncoder(mStates, symbolCounts.m)
const dFse = new FseEncoder(dStates, symbolCounts.d)
const literalFse = new FseEncoder(literalStates, symbolCounts.literal)

/** A block as it is collected. */
interface Block {
  rawBytes: number
  literals: number
  triples: number
  /** The distance that a following D = 0 would stand for. */
  distance: number
}

/**
 * `run` as LZFSE, written into `into`; the number of bytes, or null when they don't fit. Scratch memory is the thread's:
 * calls don't overlap.
 */
export function encodeLzfse(run: Uint8Array, into: Uint8Array): number | null {
  finder.begin(run, { maxDistance, depth: 8, niceBytes: 128 })
  const bytes = finder.bytes
  const block: Block = { rawBytes: 0, literals: 0, triples: 0, distance: 0 }
  let to: number | null = 0

  const flush = () => {
    if (to !== null && block.triples > 0) to = writeBlock(block, into, to)
    Object.assign(block, { rawBytes: 0, literals: 0, triples: 0, distance: 0 })
  }
  /** `count` literals from `from`, then `copied` bytes from `distance` back; as many triples as it takes. */
  const take = (from: number, count: number, copied: number, distance: number) => {
    let start = from
    let left = count
    for (let rest = copied; ;) {
      if (block.triples === maxTriples || block.literals + longestLiterals > maxLiterals) flush()
      const l = Math.min(left, longestLiterals)
      const m = left > longestLiterals ? 0 : Math.min(rest, longestCopy)
      for (let index = 0; index < l; index++) literals[block.literals++] = bytes[start++] as number
      // Without a copy the distance is anything that is valid.
      const d = m > 0 ? distance : block.distance || 1
      triples.l[block.triples] = l
      triples.m[block.triples] = m
      triples.d[block.triples] = d === block.distance ? 0 : d
      block.triples += 1
      block.distance = d
      block.rawBytes += l + m
      left -= l
      rest -= m
      if (left === 0 && rest === 0) return
    }
  }

  let literal = 0
  let at = 0
  let length = run.length > 0 ? finder.find(0, run.length) : 0
  while (at < run.length) {
    const { distance } = finder
    const next = length < 64 && at + 1 < run.length ? finder.find(at + 1, run.length - at - 1) : -1
    const isPoor = length === 0 || (length === 4 && distance > farDistance)
    if (isPoor || next > length + 1) {
      if (next < 0 && at + 1 < run.length) finder.insert(at + 1)
      at += 1
      length = Math.max(0, next)
      continue
    }
    take(literal, at - literal, length, distance)
    const end = at + length
    for (at += next < 0 ? 1 : 2; at < end; at++) finder.insert(at)
    at = end
    literal = end
    length = at < run.length ? finder.find(at, run.length - at) : 0
  }
  if (literal < run.length) take(literal, run.length - literal, 0, 0)
  flush()
  if (to === null || to + 4 > into.length) return null
  into.set([0x62, 0x76, 0x78, 0x24], to) // bvx$
  return to + 4
}

/** One `bvx2` block at `to`. Returns where it ends, null without room. */
function writeBlock(block: Block, into: Uint8Array, to: number): number | null {
  while (block.literals % 4 !== 0) literals[block.literals++] = 0
  countAndFit(block)

  // The packed frequencies come before the payloads, the numbers in the header depend on both.
  headWriter.begin(into, to + 32)
  for (const { frequencies } of [lFse, mFse, dFse, literalFse])
    for (const value of frequencies) pushFrequency(value)
  headWriter.finish()
  const headEnd = headWriter.to
  const states = [0, 0, 0, 0]
  lmdWriter.begin(into, headEnd)
  for (let index = block.literals - 1; index >= 0; index--)
    states[index & 3] = literalFse.push(states[index & 3] as number, literals[index] as number, lmdWriter)
  const literalBits = lmdWriter.finish()
  const literalEnd = lmdWriter.to
  if (headWriter.isFull || lmdWriter.isFull) return null

  lmdWriter.begin(into, literalEnd)
  for (let byte = 0; byte < 8; byte++) lmdWriter.push(0, 8)
  let lState = 0
  let mState = 0
  let dState = 0
  for (let index = block.triples - 1; index >= 0; index--) {
    const d = triples.d[index] as number
    const m = triples.m[index] as number
    const l = triples.l[index] as number
    dState = pushValue(dCode, d, dFse, dState)
    mState = pushValue(mCode, m, mFse, mState)
    lState = pushValue(lCode, l, lFse, lState)
  }
  const lmdBits = lmdWriter.finish()
  if (lmdWriter.isFull) return null

  headWriter.begin(into, to)
  for (const byte of [0x62, 0x76, 0x78, 0x32]) headWriter.push(byte, 8) // bvx2
  headWriter.push(block.rawBytes & 0xffff, 16)
  headWriter.push(block.rawBytes >>> 16, 16)
  const fields: readonly (readonly [value: number, bits: number])[] = [
    [block.literals, 20],
    [literalEnd - headEnd, 20],
    [block.triples, 20],
    [literalBits + 7, 4],
    ...states.map((state) => [state, 10] as const),
    [lmdWriter.to - literalEnd, 20],
    [lmdBits + 7, 4],
    [(headEnd - to) & 0xffff, 16],
    [0, 16],
    [lState, 10],
    [mState, 10],
    [dState, 10],
    [0, 2],
  ]
  for (const [value, bits] of fields) headWriter.push(value, bits)
  return lmdWriter.to
}

const lCounts = new Uint32Array(symbolCounts.l)
const mCounts = new Uint32Array(symbolCounts.m)
const dCounts = new Uint32Array(symbolCounts.d)
const literalCounts = new Uint32Array(symbolCounts.literal)

function countAndFit(block: Block): void {
  for (const counts of [lCounts, mCounts, dCounts, literalCounts]) counts.fill(0)
  for (let index = 0; index < block.triples; index++) {
    count(lCounts, lCode.symbolOf(triples.l[index] as number))
    count(mCounts, mCode.symbolOf(triples.m[index] as number))
    count(dCounts, dCode.symbolOf(triples.d[index] as number))
  }
  for (let index = 0; index < block.literals; index++) count(literalCounts, literals[index] as number)
  lFse.fit(lCounts)
  mFse.fit(mCounts)
  dFse.fit(dCounts)
  literalFse.fit(literalCounts)
}

function count(counts: Uint32Array, symbol: number): void {
  counts[symbol] = (counts[symbol] as number) + 1
}

type ValueCode = ReturnType<typeof valueCode>

/** Symbols stand for ranges, one after another, each 2 to its extra bits long. */
function valueCode(extraBits: readonly number[]) {
  let base = 0
  const bases = Int32Array.from(extraBits, (bits) => (base += 2 ** bits) - 2 ** bits)
  const bits = Uint8Array.from(extraBits)
  // Small values by table; the symbols of D double every four.
  const small = new Uint8Array(Math.min(base, 4096))
  for (let symbol = 0; symbol < bases.length; symbol++)
    for (let value = bases[symbol] as number; value < small.length; value++) small[value] = symbol
  const symbolOf = (value: number): number => {
    if (value < small.length) return small[value] as number
    let symbol = small.at(-1) as number
    while (symbol + 1 < bases.length && (bases[symbol + 1] as number) <= value) symbol++
    return symbol
  }
  return { bases, bits, symbolOf }
}

function pushValue(code: ValueCode, value: number, fse: FseEncoder, state: number): number {
  const symbol = code.symbolOf(value)
  lmdWriter.push(value - (code.bases[symbol] as number), code.bits[symbol] as number)
  return fse.push(state, symbol, lmdWriter)
}

/** The prefix code that `parseHeaderV2` describes. */
function pushFrequency(value: number): void {
  if (value < 2) headWriter.push(value << 1, 2)
  else if (value < 4) headWriter.push(1 | ((value - 2) << 2), 3)
  else if (value < 8) headWriter.push(3 | ((value - 4) << 3), 5)
  else if (value < 24) headWriter.push(7 | ((value - 8) << 4), 8)
  else headWriter.push(15 | ((value - 24) << 4), 14)
}
