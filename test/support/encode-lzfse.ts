/**
 * An LZFSE encoder for tests and measurements: every kind of block, chosen by the caller, with a plain search for
 * matches. It compresses less well than Apple's.
 */

export type LzfseBlockKind = 'bvx-' | 'bvx1' | 'bvx2' | 'bvxn'

/** Take `literals` bytes as they are, then copy `copied` bytes from `distance` back. */
export interface Triple {
  readonly literals: number
  readonly copied: number
  readonly distance: number
}

/** What one triple can say at most, and the shortest copy it can say. */
export interface TripleLimit extends Triple {
  readonly shortest: number
}

const lzfseLimit: TripleLimit = { literals: 315, copied: 2359, distance: 262_139, shortest: 1 }
const lzvnLimit: TripleLimit = { literals: 271, copied: 271, distance: 65_535, shortest: 3 }

const lExtraBits = [...Array.from({ length: 16 }, () => 0), 2, 3, 5, 8]
const mExtraBits = [...Array.from({ length: 16 }, () => 0), 3, 5, 8, 11]
const dExtraBits = Array.from({ length: 64 }, (_, symbol) => symbol >> 2)

/**
 * `bytes` as an LZFSE stream whose blocks are all of `kind`, with about `blockBytes` in each at most; copies reach into
 * the blocks before.
 */
export function encodeLzfse(
  bytes: Uint8Array,
  kind: LzfseBlockKind = 'bvx2',
  { blockBytes = 2 ** 30 }: { readonly blockBytes?: number } = {},
): Uint8Array {
  const parts: Uint8Array[] = []
  if (kind === 'bvx-') {
    for (let start = 0; start < bytes.length; start += blockBytes)
      parts.push(rawBlock(bytes.subarray(start, start + blockBytes)))
  } else {
    const triples = findTriples(bytes, kind === 'bvxn' ? lzvnLimit : lzfseLimit)
    let start = 0
    for (const group of groupTriples(triples, blockBytes)) {
      const end = group.reduce((sum, triple) => sum + triple.literals + triple.copied, start)
      parts.push(
        kind === 'bvxn'
          ? lzvnBlock(bytes, start, end, group)
          : encodeLzfseBlock(bytes, start, end, group, kind),
      )
      start = end
    }
  }
  return Buffer.concat([...parts, ascii('bvx$')])
}

const ascii = (text: string) => Buffer.from(text, 'latin1')

function rawBlock(bytes: Uint8Array): Uint8Array {
  const header = ascii('bvx-\0\0\0\0')
  header.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

/** Matches of four bytes or more: the last place with the same hash, or a longer one that begins a byte later. */
export function findTriples(bytes: Uint8Array, limit: TripleLimit): Triple[] {
  const triples: Triple[] = []
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const heads = new Int32Array(1 << 16).fill(-1)
  const hash = (at: number) => Math.imul(view.readInt32LE(at), 0x9e3779b1) >>> 16
  const last = bytes.length - 5
  const search = (at: number) => {
    const slot = hash(at)
    const candidate = heads[slot]!
    heads[slot] = at
    let length = 0
    if (candidate >= 0 && at - candidate <= limit.distance)
      while (at + length < bytes.length && bytes[candidate + length] === bytes[at + length]) length++
    return { distance: at - candidate, length }
  }
  let literalStart = 0
  let at = 0
  while (at < last) {
    let match = search(at)
    if (match.length < 4) {
      at++
      continue
    }
    const next = match.length < 32 && at + 1 < last ? search(at + 1) : match
    if (next.length > match.length + 1) {
      match = next
      at++
    }
    pushTriples(triples, limit, at - literalStart, match.length, match.distance)
    literalStart = at + match.length
    for (at++; at < literalStart && at < last; at++) heads[hash(at)] = at
    at = literalStart
  }
  if (literalStart < bytes.length) pushTriples(triples, limit, bytes.length - literalStart, 0, 1)
  return triples
}

/** One match after its literals, as many triples as `limit` asks for. */
function pushTriples(
  triples: Triple[],
  limit: TripleLimit,
  literals: number,
  copied: number,
  distance: number,
): void {
  for (; literals > limit.literals; literals -= limit.literals)
    triples.push({ literals: limit.literals, copied: 0, distance: 1 })
  let left = copied
  do {
    // No fewer than `shortest` may be left over.
    const isShort = left > limit.copied && left - limit.copied < limit.shortest
    const now = isShort ? limit.copied - limit.shortest : Math.min(left, limit.copied)
    triples.push({ literals, copied: now, distance })
    literals = 0
    left -= now
  } while (left > 0)
}

/** As many triples as a block holds: 10 000, with 40 000 literals, or `blockBytes`. */
function* groupTriples(triples: readonly Triple[], blockBytes: number): Generator<Triple[]> {
  let group: Triple[] = []
  let literals = 0
  let size = 0
  for (const triple of triples) {
    const grown = size + triple.literals + triple.copied
    if (
      group.length > 0 &&
      (group.length === 10_000 || literals + triple.literals > 40_000 || grown > blockBytes)
    ) {
      yield group
      group = []
      literals = 0
      size = 0
    }
    group.push(triple)
    literals += triple.literals
    size += triple.literals + triple.copied
  }
  if (group.length > 0) yield group
}

function lzvnBlock(bytes: Uint8Array, start: number, end: number, triples: readonly Triple[]): Uint8Array {
  const out: number[] = []
  let at = start
  let lastDistance = 0
  for (const { literals, copied, distance } of triples) {
    // Up to three literals ride on a token with a copy; more go before it.
    const own = copied === 0 ? literals : Math.max(0, literals - 3)
    if (own > 15) out.push(0xe0, own - 16)
    else if (own > 0) out.push(0xe0 | own)
    out.push(...bytes.subarray(at, at + own))
    const riding = literals - own
    if (copied > 0) {
      // M of 0 to 7 fits in each token with a distance; with three literals only 0 and 1, with two 0 to 3.
      const most = riding === 3 ? 1 : riding === 2 ? 3 : riding === 1 ? 5 : 7
      const first = Math.min(copied - 3, most)
      const medium = Math.min(copied - 3, 31)
      let said: number
      if (distance === lastDistance && riding > 0) {
        out.push((riding << 6) | (first << 3) | 6)
        said = first + 3
      } else if (distance < 0x600) {
        out.push((riding << 6) | (first << 3) | (distance >> 8), distance & 0xff)
        said = first + 3
      } else if (distance < 0x4000) {
        out.push(0xa0 | (riding << 3) | (medium >> 2), ((distance & 0x3f) << 2) | (medium & 3), distance >> 6)
        said = medium + 3
      } else {
        out.push((riding << 6) | (first << 3) | 7, distance & 0xff, distance >> 8)
        said = first + 3
      }
      lastDistance = distance
      out.push(...bytes.subarray(at + own, at + literals))
      const left = copied - said
      if (left > 15) out.push(0xf0, left - 16)
      else if (left > 0) out.push(0xf0 | left)
    }
    at += literals + copied
  }
  out.push(6, 0, 0, 0, 0, 0, 0, 0)
  const header = ascii('bvxn\0\0\0\0\0\0\0\0')
  header.writeUInt32LE(end - start, 4)
  header.writeUInt32LE(out.length, 8)
  return Buffer.concat([header, Uint8Array.from(out)])
}

/** Bits from the lowest of the first byte on. */
class BitWriter {
  readonly #bytes: number[] = []
  #pending = 0
  #count = 0

  push(value: number, count: number): void {
    this.#pending += value * 2 ** this.#count
    this.#count += count
    while (this.#count >= 8) {
      this.#bytes.push(this.#pending % 256)
      this.#pending = Math.floor(this.#pending / 256)
      this.#count -= 8
    }
  }

  /** The bytes, and minus the unused bits of the last. */
  finish(): { readonly bytes: Uint8Array; readonly bits: number } {
    const bits = this.#count === 0 ? 0 : this.#count - 8
    if (this.#count > 0) this.#bytes.push(this.#pending)
    return { bytes: Uint8Array.from(this.#bytes), bits }
  }
}

/** One tANS state machine, run backwards: `push` a symbol, last one first; `state` is where a decoder begins. */
class FseEncoder {
  state = 0
  readonly #states: number
  readonly #frequencies: Uint16Array
  readonly #starts: number[]

  constructor(states: number, frequencies: Uint16Array) {
    this.#states = states
    this.#frequencies = frequencies
    let start = 0
    this.#starts = Array.from(frequencies, (frequency) => (start += frequency) - frequency)
  }

  push(symbol: number, writer: BitWriter): void {
    const frequency = this.#frequencies[symbol]!
    const next = this.state + this.#states
    const most = Math.clz32(frequency) - Math.clz32(this.#states)
    const bits = next >= frequency << most ? most : most - 1
    writer.push(next & ((1 << bits) - 1), bits)
    const wide = ((2 * this.#states) >> most) - frequency
    const index = bits === most ? (next >> bits) - frequency : (this.state >> bits) + wide
    this.state = this.#starts[symbol]! + index
  }
}

/** `counts` scaled to add up to `states`, with at least one for what occurs. */
function normalize(counts: readonly number[], states: number): Uint16Array {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const scaled = Uint16Array.from(counts, (count) =>
    count === 0 ? 0 : Math.max(1, Math.floor((count * states) / total)),
  )
  for (let rest = states - scaled.reduce((sum, value) => sum + value, 0); rest !== 0;) {
    const most = scaled.indexOf(Math.max(...scaled))
    const step = rest > 0 ? rest : Math.max(rest, -Math.max(1, scaled[most]! >> 2))
    scaled[most]! += step
    rest -= step
  }
  return scaled
}

/** The symbol of a value, and what of it is left for extra bits. */
function splitValue(value: number, extraBits: readonly number[]) {
  let base = 0
  for (let symbol = 0; ; symbol++) {
    const size = 2 ** extraBits[symbol]!
    if (value < base + size) return { symbol, extra: value - base, bits: extraBits[symbol]! }
    base += size
  }
}

function countSymbols(symbols: Iterable<number>, size: number): number[] {
  const counts = Array.from({ length: size }, () => 0)
  for (const symbol of symbols) counts[symbol]!++
  return counts
}

/** One block, for `bytes` from `start` to `end`, of these triples: they may lie. */
export function encodeLzfseBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  triples: readonly Triple[],
  kind: 'bvx1' | 'bvx2',
): Uint8Array {
  const literals: number[] = []
  let at = start
  for (const triple of triples) {
    literals.push(...bytes.subarray(at, at + triple.literals))
    at += triple.literals + triple.copied
  }
  while (literals.length % 4 !== 0) literals.push(0)

  // A distance like the one before is said as 0.
  let lastDistance = 0
  const split = triples.map(({ literals, copied, distance }) => {
    const d = splitValue(distance === lastDistance ? 0 : distance, dExtraBits)
    lastDistance = distance
    return { l: splitValue(literals, lExtraBits), m: splitValue(copied, mExtraBits), d }
  })
  const frequencies = [
    normalize(countSymbols(split.map(({ l }) => l.symbol), 20), 64), // prettier-ignore
    normalize(countSymbols(split.map(({ m }) => m.symbol), 20), 64), // prettier-ignore
    normalize(countSymbols(split.map(({ d }) => d.symbol), 64), 256), // prettier-ignore
    normalize(countSymbols(literals, 256), 1024),
  ] as const

  const literalWriter = new BitWriter()
  const turns = [0, 1, 2, 3].map(() => new FseEncoder(1024, frequencies[3]))
  for (let index = literals.length - 1; index >= 0; index--)
    turns[index % 4]!.push(literals[index]!, literalWriter)
  const literalStream = literalWriter.finish()

  const lmdWriter = new BitWriter()
  lmdWriter.push(0, 32)
  lmdWriter.push(0, 32)
  const l = new FseEncoder(64, frequencies[0])
  const m = new FseEncoder(64, frequencies[1])
  const d = new FseEncoder(256, frequencies[2])
  for (const triple of split.toReversed()) {
    for (const [machine, value] of [
      [d, triple.d],
      [m, triple.m],
      [l, triple.l],
    ] as const) {
      // prettier-ignore
      lmdWriter.push(value.extra, value.bits)
      machine.push(value.symbol, lmdWriter)
    }
  }
  const lmdStream = lmdWriter.finish()

  const fields = {
    rawBytes: end - start,
    literalCount: literals.length,
    matchCount: triples.length,
    literalStream,
    lmdStream,
    states: [...turns, l, m, d].map(({ state }) => state),
  }
  const header = kind === 'bvx1' ? headerV1(fields, frequencies) : headerV2(fields, frequencies)
  return Buffer.concat([header, literalStream.bytes, lmdStream.bytes])
}

interface BlockFields {
  readonly rawBytes: number
  readonly literalCount: number
  readonly matchCount: number
  readonly literalStream: { readonly bytes: Uint8Array; readonly bits: number }
  readonly lmdStream: { readonly bytes: Uint8Array; readonly bits: number }
  /** Four of literals, then L, M, D. */
  readonly states: readonly number[]
}

function headerV1(fields: BlockFields, frequencies: readonly Uint16Array[]): Uint8Array {
  const { literalStream, lmdStream, states } = fields
  const header = Buffer.alloc(772)
  header.write('bvx1', 'latin1')
  header.writeUInt32LE(fields.rawBytes, 4)
  header.writeUInt32LE(literalStream.bytes.length + lmdStream.bytes.length, 8)
  header.writeUInt32LE(fields.literalCount, 12)
  header.writeUInt32LE(fields.matchCount, 16)
  header.writeUInt32LE(literalStream.bytes.length, 20)
  header.writeUInt32LE(lmdStream.bytes.length, 24)
  header.writeInt32LE(literalStream.bits, 28)
  states.slice(0, 4).forEach((state, index) => header.writeUInt16LE(state, 32 + 2 * index))
  header.writeInt32LE(lmdStream.bits, 40)
  states.slice(4).forEach((state, index) => header.writeUInt16LE(state, 44 + 2 * index))
  frequencies
    .flatMap((table) => [...table])
    .forEach((frequency, index) => header.writeUInt16LE(frequency, 50 + 2 * index))
  return header
}

function headerV2(fields: BlockFields, frequencies: readonly Uint16Array[]): Uint8Array {
  const { literalStream, lmdStream, states } = fields
  const packed = new BitWriter()
  for (const frequency of frequencies.flatMap((table) => [...table])) {
    if (frequency < 2) packed.push(frequency << 1, 2)
    else if (frequency < 4) packed.push(1 | ((frequency - 2) << 2), 3)
    else if (frequency < 8) packed.push(3 | ((frequency - 4) << 3), 5)
    else if (frequency < 24) packed.push(7 | ((frequency - 8) << 4), 8)
    else packed.push(15 | ((frequency - 24) << 4), 14)
  }
  const tables = packed.finish().bytes
  const bits = new BitWriter()
  bits.push(fields.literalCount, 20)
  bits.push(literalStream.bytes.length, 20)
  bits.push(fields.matchCount, 20)
  bits.push(literalStream.bits + 7, 4)
  for (const state of states.slice(0, 4)) bits.push(state, 10)
  bits.push(lmdStream.bytes.length, 20)
  bits.push(lmdStream.bits + 7, 4)
  bits.push(32 + tables.length, 32)
  for (const state of states.slice(4)) bits.push(state, 10)
  bits.push(0, 2)
  const start = ascii('bvx2\0\0\0\0')
  start.writeUInt32LE(fields.rawBytes, 4)
  return Buffer.concat([start, bits.finish().bytes, tables])
}
