/**
 * The block LZFSE is named after: literals as one bit stream, and triples L, M, D as another: take L literals, then copy
 * M bytes from D back (docs/formats/lzfse.md). Both streams are read from their last bit to their first. Literals are
 * coded by four states that take turns; L, M and D by one each.
 *
 * Restoring a ULFO image spends its time in the two loops here. One load of 32 bits serves up to 25 bits, nothing is
 * allocated, and copies go four bytes at a time where that can't show.
 */
import { corrupt } from './corrupt.ts'
import { eachFseState } from './fse-table.ts'
import type { LzfseHeader } from './lzfse-header.ts'
import { dStates, literalStates, lStates, maxLiterals, mStates } from './lzfse-header.ts'

/** Extra bits of each symbol. A symbol's values begin where those of the one before end. */
const lExtraBits = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 5, 8]
const mExtraBits = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 5, 8, 11]
const dExtraBits = Array.from({ length: 64 }, (_, symbol) => symbol >> 2)

/** Scratch of this thread, written anew by each block. A literal's row: bits to read, symbol << 4, next state << 12. */
const literalTable = new Int32Array(literalStates)
/** Rows: all bits to read, extra ones among them << 5, next state << 9. The value's base is a column of its own. */
const lTable = new Int32Array(lStates)
const mTable = new Int32Array(mStates)
const dTable = new Int32Array(dStates)
const lBase = new Int32Array(lStates)
const mBase = new Int32Array(mStates)
const dBase = new Int32Array(dStates)
/** With room for copies that run over by less than four bytes. */
const literals = new Uint8Array(maxLiterals + 8)
const literalsView = new DataView(literals.buffer)

/** Where a block's output goes: from `to` to `end` of `into`. `view` is the same bytes. */
export interface LzfseOutput {
  readonly into: Uint8Array
  readonly view: DataView
}

/**
 * Expand the block whose header begins at `block` into `output` from `to` to `end`, exactly; copies may reach back to the
 * output's start. Returns the offset after the block. Throws FormatError E_SRC_CORRUPT.
 */
export function decodeLzfseBlock(
  stored: DataView,
  block: number,
  header: LzfseHeader,
  frequencies: Uint16Array,
  output: LzfseOutput,
  to: number,
  end: number,
): number {
  const literalsAt = block + header.headerBytes
  const lmdAt = literalsAt + header.literalBytes
  const after = lmdAt + header.lmdBytes
  // A magic always follows, and 32-bit loads at the end of a stream reach into it.
  if (after + 4 > stored.byteLength)
    throw corrupt('lzfse', 'the stream is cut off', { field: 'n_payload_bytes', offset: stored.byteLength })
  eachFseState(literalStates, frequencies.subarray(104, 360), (state, symbol, bits, next) => {
    literalTable[state] = bits | (symbol << 4) | (next << 12)
  })
  fillValueTable(lTable, lBase, frequencies.subarray(0, 20), lExtraBits)
  fillValueTable(mTable, mBase, frequencies.subarray(20, 40), mExtraBits)
  fillValueTable(dTable, dBase, frequencies.subarray(40, 104), dExtraBits)
  decodeLiterals(stored, literalsAt, header)
  decodeMatches(stored, lmdAt, header, output, to, end)
  return after
}

function fillValueTable(
  table: Int32Array,
  bases: Int32Array,
  frequencies: Uint16Array,
  extraBits: readonly number[],
): void {
  let base = 0
  let lastSymbol = 0
  eachFseState(table.length, frequencies, (state, symbol, bits, next) => {
    for (; lastSymbol < symbol; lastSymbol++) base += 1 << (extraBits[lastSymbol] ?? 0)
    const extra = extraBits[symbol] ?? 0
    table[state] = (bits + extra) | (extra << 5) | (next << 9)
    bases[state] = base
  })
}

/** Bits in a stream of `lengthBytes`; the unused top bits of its last byte must be zero. */
function countBits(
  stored: DataView,
  start: number,
  lengthBytes: number,
  bits: number,
  field: string,
): number {
  const count = lengthBytes * 8 + bits
  if (count < 0) throw corrupt('lzfse', 'an empty stream has unused bits', { field, offset: start })
  if (bits < 0 && stored.getUint8(start + lengthBytes - 1) >> (8 + bits) !== 0)
    throw corrupt('lzfse', 'unused bits of a stream are set', { field, offset: start + lengthBytes - 1 })
  return count
}

/** Fill `literals` from the stream at `start`. */
function decodeLiterals(stored: DataView, start: number, header: LzfseHeader): void {
  let [s0, s1, s2, s3] = header.literalStates
  let at = countBits(stored, start, header.literalBytes, header.literalBits, 'literal_bits')
  const count = header.literalCount
  for (let index = 0; index < count; index += 4) {
    const e0 = literalTable[s0] as number
    const e1 = literalTable[s1] as number
    const e2 = literalTable[s2] as number
    const e3 = literalTable[s3] as number
    const at0 = at - (e0 & 15)
    const at1 = at0 - (e1 & 15)
    const at2 = at1 - (e2 & 15)
    at = at2 - (e3 & 15)
    if (at < 0)
      throw corrupt('lzfse', 'literals run out of bits', { field: 'n_literal_payload_bytes', offset: start })
    // Two literals take 20 bits at most.
    const high = stored.getInt32(start + (at1 >> 3), true) >>> (at1 & 7)
    const low = stored.getInt32(start + (at >> 3), true) >>> (at & 7)
    s1 = (e1 >> 12) + (high & ((1 << (e1 & 15)) - 1))
    s0 = (e0 >> 12) + ((high >>> (e1 & 15)) & ((1 << (e0 & 15)) - 1))
    s3 = (e3 >> 12) + (low & ((1 << (e3 & 15)) - 1))
    s2 = (e2 >> 12) + ((low >>> (e3 & 15)) & ((1 << (e2 & 15)) - 1))
    literals[index] = e0 >> 4
    literals[index + 1] = e1 >> 4
    literals[index + 2] = e2 >> 4
    literals[index + 3] = e3 >> 4
  }
  if (at !== 0)
    throw corrupt('lzfse', 'bits are left after the literals', {
      field: 'n_literals',
      offset: start,
      found: at,
    })
}

/** Write the block from `literals` and the triples of the stream at `start`. */
function decodeMatches(
  stored: DataView,
  start: number,
  header: LzfseHeader,
  output: LzfseOutput,
  startTo: number,
  end: number,
): void {
  const { into, view } = output
  const last4 = into.length - 4
  const literalCount = header.literalCount
  let to = startTo
  let literal = 0
  let distance = 0
  let { lState, mState, dState } = header
  let at = countBits(stored, start, header.lmdBytes, header.lmdBits, 'lmd_bits')
  for (let match = header.matchCount; match > 0; match--) {
    const l = lTable[lState] as number
    const m = mTable[mState] as number
    const d = dTable[dState] as number
    const lAt = at - (l & 31)
    const mAt = lAt - (m & 31)
    at = mAt - (d & 31)
    if (at < 0)
      throw corrupt('lzfse', 'matches run out of bits', { field: 'n_lmd_payload_bytes', offset: start })
    // At most 14, 17 and 23 bits: extra bits below, the next state's above.
    const lBits = (stored.getInt32(start + (lAt >> 3), true) >>> (lAt & 7)) & ((1 << (l & 31)) - 1)
    const mBits = (stored.getInt32(start + (mAt >> 3), true) >>> (mAt & 7)) & ((1 << (m & 31)) - 1)
    const dBits = (stored.getInt32(start + (at >> 3), true) >>> (at & 7)) & ((1 << (d & 31)) - 1)
    const lExtra = (l >> 5) & 15
    const mExtra = (m >> 5) & 15
    const dExtra = (d >> 5) & 15
    const fresh = (lBase[lState] as number) + (lBits & ((1 << lExtra) - 1))
    const copied = (mBase[mState] as number) + (mBits & ((1 << mExtra) - 1))
    const back = (dBase[dState] as number) + (dBits & ((1 << dExtra) - 1))
    lState = (l >> 9) + (lBits >>> lExtra)
    mState = (m >> 9) + (mBits >>> mExtra)
    dState = (d >> 9) + (dBits >>> dExtra)
    if (back !== 0) distance = back

    if (fresh + copied > end - to)
      throw corrupt('lzfse', 'a block expands to more than it says', { field: 'n_raw_bytes', offset: start })
    if (fresh > literalCount - literal)
      throw corrupt('lzfse', 'more literals are taken than there are', { field: 'n_literals', offset: start })
    const literalStop = to + fresh
    if (literalStop <= last4) {
      for (; to < literalStop; to += 4, literal += 4)
        view.setInt32(to, literalsView.getInt32(literal, true), true)
      literal -= to - literalStop
      to = literalStop
    } else {
      while (to < literalStop) into[to++] = literals[literal++] as number
    }

    if (copied === 0) continue
    if (distance === 0 || distance > to)
      throw corrupt('lzfse', 'a copy from before the start', {
        field: 'D',
        offset: start,
        found: distance,
        expected: `1 to ${to}`,
      })
    const stop = to + copied
    let source = to - distance
    if (distance >= 4 && stop <= last4) {
      for (; to < stop; to += 4, source += 4) view.setInt32(to, view.getInt32(source, true), true)
      to = stop
    } else if (distance === 1 && copied > 16) {
      into.fill(into[source] as number, to, stop)
      to = stop
    } else {
      // Byte by byte: source and copy overlap, which repeats a pattern.
      while (to < stop) into[to++] = into[source++] as number
    }
  }
  if (to !== end)
    throw corrupt('lzfse', 'a block expands to less than it says', { field: 'n_raw_bytes', offset: start })
  // Encoders begin the stream with eight zero bytes that nothing reads.
  if (at > 64 || !allZero(stored, start, at))
    throw corrupt('lzfse', 'bits are left after the matches', {
      field: 'n_matches',
      offset: start,
      found: at,
    })
}

function allZero(stored: DataView, start: number, bits: number): boolean {
  for (let at = 0; at < bits; at += 8) {
    const mask = bits - at >= 8 ? 0xff : (1 << (bits - at)) - 1
    if ((stored.getUint8(start + (at >> 3)) & mask) !== 0) return false
  }
  return true
}
