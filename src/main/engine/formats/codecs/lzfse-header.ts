/**
 * The two headers of an LZFSE block (docs/formats/lzfse.md). `bvx1` is a plain struct with its frequency tables as they
 * are; `bvx2` packs fields into bits and frequencies into a fixed prefix code.
 */
import { corrupt } from './corrupt.ts'

export const lStates = 64
export const mStates = 64
export const dStates = 256
export const literalStates = 1024
export const maxLiterals = 40_000
const maxMatches = 10_000
const maxPayloadBytes = 2 ** 20

/** How many symbols each table has, in the order of the file: L, M, D, literals. */
export const symbolCounts = { l: 20, m: 20, d: 64, literal: 256 } as const
export const allSymbols = 360

/** A header of either version. Sizes in bytes; `…Bits` is 0 to -7: minus the unused top bits of a stream's last byte. */
export interface LzfseHeader {
  readonly headerBytes: number
  readonly literalCount: number
  readonly matchCount: number
  readonly literalBytes: number
  readonly lmdBytes: number
  readonly literalBits: number
  readonly lmdBits: number
  readonly literalStates: readonly [number, number, number, number]
  readonly lState: number
  readonly mState: number
  readonly dState: number
}

/** The struct's 770 bytes, and two that its alignment adds. */
export const headerBytesV1 = 772

/**
 * Parse a `bvx1` header at `block`; `headerBytesV1` bytes must be there. Fills `frequencies` (`allSymbols` values).
 *
 *   0 magic   4 n_raw_bytes   8 n_payload_bytes   12 n_literals   16 n_matches   20 n_literal_payload_bytes
 *   24 n_lmd_payload_bytes   28 literal_bits   32 literal_state[4] u16   40 lmd_bits   44 l_state u16
 *   46 m_state u16   48 d_state u16   50 l_freq[20] m_freq[20] d_freq[64] literal_freq[256] u16
 */
export function parseHeaderV1(view: DataView, block: number, frequencies: Uint16Array): LzfseHeader {
  const u16 = (offset: number) => view.getUint16(block + offset, true)
  const u32 = (offset: number) => view.getUint32(block + offset, true)
  for (let symbol = 0; symbol < allSymbols; symbol++) frequencies[symbol] = u16(50 + 2 * symbol)
  const header: LzfseHeader = {
    headerBytes: headerBytesV1,
    literalCount: u32(12),
    matchCount: u32(16),
    literalBytes: u32(20),
    lmdBytes: u32(24),
    literalBits: view.getInt32(block + 28, true),
    lmdBits: view.getInt32(block + 40, true),
    literalStates: [u16(32), u16(34), u16(36), u16(38)],
    lState: u16(44),
    mState: u16(46),
    dState: u16(48),
  }
  if (u32(8) !== header.literalBytes + header.lmdBytes) throw bad('n_payload_bytes', block + 8, u32(8))
  return check(header, block, frequencies)
}

/**
 * Parse a `bvx2` header at `block`; 32 bytes must be there, and the rest is checked. Fills `frequencies`. After magic and
 * n_raw_bytes come three little-endian 64-bit words, here as 32-bit halves, bits from the lowest:
 *
 *   8  n_literals 20, n_literal_payload_bytes 12…   12  …8, n_matches 20, literal_bits + 7 in 3, 1 unused
 *   16 literal_state 10 10 10 2…                    20  …8, n_lmd_payload_bytes 20, lmd_bits + 7 in 3, 1 unused
 *   24 header_size 32                               28  l_state 10, m_state 10, d_state 10, 2 unused
 */
export function parseHeaderV2(view: DataView, block: number, frequencies: Uint16Array): LzfseHeader {
  const [a, b, c, d, headerBytes, f] = [8, 12, 16, 20, 24, 28].map((offset) =>
    view.getUint32(block + offset, true),
  ) as [number, number, number, number, number, number]
  if (headerBytes < 32 || headerBytes > view.byteLength - block)
    throw bad('header_size', block + 24, headerBytes)
  parseFrequencies(view, block + 32, block + headerBytes, frequencies)
  const header: LzfseHeader = {
    headerBytes,
    literalCount: a & 0xfffff,
    matchCount: (b >>> 8) & 0xfffff,
    literalBytes: (a >>> 20) | ((b & 0xff) << 12),
    lmdBytes: (d >>> 8) & 0xfffff,
    literalBits: ((b >>> 28) & 7) - 7,
    lmdBits: ((d >>> 28) & 7) - 7,
    literalStates: [c & 0x3ff, (c >>> 10) & 0x3ff, (c >>> 20) & 0x3ff, (c >>> 30) | ((d & 0xff) << 2)],
    lState: f & 0x3ff,
    mState: (f >>> 10) & 0x3ff,
    dState: (f >>> 20) & 0x3ff,
  }
  return check(header, block, frequencies)
}

/**
 * Frequencies as bits, lowest first; `x` stands for a bit of the value:
 *
 *   00 → 0   10 → 1   001 → 2   101 → 3   xx011 → 4 + x   xxxx0111 → 8 + x   xxxxxxxxxx1111 → 24 + x
 *
 * The last byte's remaining bits are padding.
 */
function parseFrequencies(view: DataView, start: number, end: number, frequencies: Uint16Array): void {
  let from = start
  let bits = 0
  let count = 0
  for (let symbol = 0; symbol < allSymbols; symbol++) {
    while (count < 14 && from < end) {
      bits |= view.getUint8(from++) << count
      count += 8
    }
    let length: number
    let value: number
    if ((bits & 1) === 0) {
      length = 2
      value = (bits >> 1) & 1
    } else if ((bits & 3) === 1) {
      length = 3
      value = 2 + ((bits >> 2) & 1)
    } else if ((bits & 7) === 3) {
      length = 5
      value = 4 + ((bits >> 3) & 3)
    } else if ((bits & 15) === 7) {
      length = 8
      value = 8 + ((bits >> 4) & 15)
    } else {
      length = 14
      value = 24 + ((bits >> 4) & 1023)
    }
    if (length > count) throw corrupt('lzfse', 'frequencies are cut off', { field: 'freq', offset: end })
    bits >>= length
    count -= length
    frequencies[symbol] = value
  }
  if (count >= 8 || from !== end)
    throw corrupt('lzfse', 'frequencies end before the header does', { field: 'header_size', offset: from })
}

/** What holds for both versions. `header_size` and payloads are checked against the stored bytes by the decoder. */
function check(header: LzfseHeader, block: number, frequencies: Uint16Array): LzfseHeader {
  const { literalCount, matchCount } = header
  if (literalCount > maxLiterals || literalCount % 4 !== 0) throw bad('n_literals', block, literalCount)
  if (matchCount > maxMatches) throw bad('n_matches', block, matchCount)
  if (header.literalBytes >= maxPayloadBytes) throw bad('n_literal_payload_bytes', block, header.literalBytes)
  if (header.lmdBytes >= maxPayloadBytes) throw bad('n_lmd_payload_bytes', block, header.lmdBytes)
  if (header.literalBits < -7 || header.literalBits > 0) throw bad('literal_bits', block, header.literalBits)
  if (header.lmdBits < -7 || header.lmdBits > 0) throw bad('lmd_bits', block, header.lmdBits)
  for (const state of header.literalStates)
    if (state >= literalStates) throw bad('literal_state', block, state)
  if (header.lState >= lStates) throw bad('l_state', block, header.lState)
  if (header.mState >= mStates) throw bad('m_state', block, header.mState)
  if (header.dState >= dStates) throw bad('d_state', block, header.dState)
  checkSum('l_freq', 0, symbolCounts.l, lStates)
  checkSum('m_freq', 20, symbolCounts.m, mStates)
  checkSum('d_freq', 40, symbolCounts.d, dStates)
  checkSum('literal_freq', 104, symbolCounts.literal, literalStates)
  return header

  function checkSum(field: string, start: number, count: number, states: number): void {
    let sum = 0
    for (let symbol = start; symbol < start + count; symbol++) sum += frequencies[symbol] ?? 0
    if (sum !== states) throw bad(field, block, sum)
  }
}

const bad = (field: string, offset: number, found: number) =>
  corrupt('lzfse', 'a block header contradicts itself', { field, offset, found })
