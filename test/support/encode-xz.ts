/** An xz encoder for tests: the container as it should be, and inside it LZMA2 chunks that aren't compressed. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

export interface XzOptions {
  readonly check?: 'none' | 'crc32' | 'crc64' | 'sha256'
  /** LZMA2's property byte. 22: 8 MiB, as in disk images. */
  readonly dictionary?: number
  /** One block for each so many bytes. */
  readonly blockBytes?: number
}

const checks = {
  none: { id: 0, sum: () => new Uint8Array(0) },
  crc32: { id: 1, sum: (bytes: Uint8Array) => u32(crc32(bytes)) },
  crc64: { id: 4, sum: crc64 },
  sha256: { id: 10, sum: (bytes: Uint8Array) => createHash('sha256').update(bytes).digest() },
} as const

/** `bytes` as one xz stream. */
export function encodeXz(bytes: Uint8Array, options: XzOptions = {}): Uint8Array {
  const { check = 'none', dictionary = 22, blockBytes = Infinity } = options
  const flags = Uint8Array.from([0, checks[check].id])
  const parts: Uint8Array[] = [Uint8Array.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), flags, u32(crc32(flags))]
  const records: number[] = []
  let count = 0
  for (let start = 0; start < bytes.length; start += blockBytes) {
    const data = bytes.subarray(start, Math.min(bytes.length, start + blockBytes))
    // Header: 12 bytes with its CRC, one filter (LZMA2: 0x21), one property byte.
    const header = Uint8Array.from([2, 0, 0x21, 1, dictionary, 0, 0, 0])
    const payload = lzma2(data)
    const sum = checks[check].sum(data)
    parts.push(header, u32(crc32(header)), payload, pad(payload.length), sum)
    records.push(...varint(12 + payload.length + sum.length), ...varint(data.length))
    count++
  }
  const list = Uint8Array.from([0, ...varint(count), ...records])
  const index = Buffer.concat([list, pad(list.length)])
  parts.push(index, u32(crc32(index)))
  const footer = Buffer.concat([u32((index.length + 4) / 4 - 1), flags])
  return Buffer.concat([...parts, u32(crc32(footer)), footer, Buffer.from('YZ')])
}

/** Chunks of up to 64 KiB: 1 resets the dictionary, 2 doesn't; then the length minus one, big-endian; 0 ends. */
function lzma2(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  for (let start = 0; start < bytes.length; start += 65_536) {
    const chunk = bytes.subarray(start, start + 65_536)
    const length = chunk.length - 1
    parts.push(Uint8Array.from([start === 0 ? 1 : 2, length >> 8, length & 0xff]), chunk)
  }
  return Buffer.concat([...parts, Uint8Array.from([0])])
}

const pad = (length: number) => new Uint8Array((4 - (length % 4)) % 4)

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))]
}

/** CRC-64 with the polynomial of ECMA-182, reflected. */
function crc64(bytes: Uint8Array): Uint8Array {
  let crc = 0xffffffffffffffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n
  }
  const out = Buffer.alloc(8)
  out.writeBigUInt64LE(crc ^ 0xffffffffffffffffn)
  return out
}
