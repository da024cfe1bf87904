/**
 * Writes the codec of ULMO images: one whole .xz stream a run (the .xz file format, version 1.2), one block, LZMA2, no
 * check, as hdiutil writes them. Integers are little-endian.
 *
 *     stream header   FD 37 7A 58 5A 00 · 00 00 · CRC-32 of the two before
 *     block header    02 (12 bytes) · 00 (one filter) · 21 01 (LZMA2, one byte) · dictionary · 00 00 00 · CRC-32
 *     block           LZMA2 · zeros up to four bytes
 *     index           00 · 01 (one record) · unpadded size · size · zeros up to four bytes · CRC-32
 *     stream footer   CRC-32 of what follows · index size / 4 - 1 · 00 00 · 59 5A
 */
import { crc32 } from 'node:zlib'
import { encodeLzma2 } from './lzma2-encoder.ts'

/** 8 MiB: what hdiutil writes. It is how far copies may reach back. */
const dictionaryByte = 22
const streamHeadBytes = 12
const blockHeadBytes = 12

/**
 * `run` (at most 8 MiB) as .xz, written into `into`; the number of bytes, or null when they don't fit. `level` 1 to 9: how
 * hard to search. Scratch memory is the thread's: calls don't overlap.
 */
export function encodeXz(run: Uint8Array, into: Uint8Array, level: number): number | null {
  if (into.length < streamHeadBytes + blockHeadBytes) return null
  const flags = Uint8Array.of(0, 0)
  into.set([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, ...flags, ...u32(crc32(flags))])
  const head = Uint8Array.of(blockHeadBytes / 4 - 1, 0, 0x21, 1, dictionaryByte, 0, 0, 0)
  into.set([...head, ...u32(crc32(head))], streamHeadBytes)
  const blockEnd = encodeLzma2(run, into, streamHeadBytes + blockHeadBytes, level)
  if (blockEnd === null) return null

  const unpaddedBytes = blockEnd - streamHeadBytes
  const records = [0, 1, ...varint(unpaddedBytes), ...varint(run.length)]
  const index = Uint8Array.from([...records, ...padding(records.length)])
  const footer = Uint8Array.from([...u32((index.length + 4) / 4 - 1), ...flags])
  const tail = Uint8Array.from([
    ...padding(unpaddedBytes),
    ...index,
    ...u32(crc32(index)),
    ...u32(crc32(footer)),
    ...footer,
    0x59,
    0x5a,
  ])
  if (blockEnd + tail.length > into.length) return null
  into.set(tail, blockEnd)
  return blockEnd + tail.length
}

const padding = (length: number): number[] => Array.from({ length: (4 - (length % 4)) % 4 }, () => 0)

const u32 = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
]

/** Seven bits a byte, lowest first; the top bit says that more follow. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))]
}
