/** The checksum triple (type, bits, 128 bytes) that koly and mish hold. */
import { corrupt } from '#engine/formats/struct'
import type { ImageChecksum } from '#shared/model'

/** Checksum types that writers use. */
export const checksumTypes = { none: 0, crc32: 2, md5: 4 } as const

/** A stored checksum: `crc32` is null when it is of another type, which is only shown. */
export interface StoredChecksum {
  readonly shown: ImageChecksum | null
  readonly crc32: number | null
}

/** `field` and `offset` name the triple in messages. Throws `FormatError` when its size can't be right. */
export function parseChecksum(
  stored: { readonly type: number; readonly bits: number; readonly bytes: Uint8Array },
  place: { readonly field: string; readonly offset: number },
): StoredChecksum {
  const { type, bits, bytes } = stored
  if (type === checksumTypes.none) return { shown: null, crc32: null }
  const expected = type === checksumTypes.crc32 ? 32 : type === checksumTypes.md5 ? 128 : null
  if (expected === null ? bits > bytes.length * 8 : bits !== expected)
    throw corrupt({
      format: 'udif',
      field: place.field,
      offset: place.offset,
      found: bits,
      expected: expected ?? `at most ${bytes.length * 8}`,
    })
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const value = buffer.toString('hex', 0, Math.ceil(bits / 8))
  if (type === checksumTypes.crc32)
    return { shown: { algorithm: 'CRC-32', value }, crc32: buffer.readUInt32BE(0) }
  return { shown: { algorithm: type === checksumTypes.md5 ? 'MD5' : `type ${type}`, value }, crc32: null }
}
