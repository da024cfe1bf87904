/** The header of version 1: the file's last 1276 bytes, behind the data; or alone in the `token` of a sparse bundle. */
import { createHash } from 'node:crypto'
import { corrupt, defineStruct } from '#engine/formats/struct'
import type { Detail } from '#shared/errors'
import { checkIterations, isBlockSize, unknown, wholeBlocks } from './header-v2.ts'
import { cssm, type EncryptedHeader } from './header.ts'

export const trailerStruct = defineStruct({
  format: 'cdsaencr',
  name: 'trailer',
  endian: 'big',
  fields: [
    ['uuid', 16, 'uuid'],
    ['blockSize', 4, 'uint'],
    ['wrapAlgorithm', 4, 'uint'],
    ['wrapPadding', 4, 'uint'],
    ['wrapMode', 4, 'uint'],
    ['wrapKeyBits', 4, 'uint'],
    ['wrapIvLength', 4, 'uint'],
    ['kdfAlgorithm', 4, 'uint'],
    ['prngAlgorithm', 4, 'uint'],
    ['iterations', 4, 'uint'],
    ['saltLength', 4, 'uint'],
    ['salt', 32, 'bytes'],
    ['ivSize', 4, 'uint'],
    ['mode', 4, 'uint'],
    ['algorithm', 4, 'uint'],
    ['keyBits', 4, 'uint'],
    ['keyIv', 32, 'reserved'],
    ['keyLength', 4, 'uint'],
    ['key', 256, 'bytes'],
    ['ivKeyAlgorithm', 4, 'uint'],
    ['ivKeyBits', 4, 'uint'],
    ['ivKeyIv', 32, 'reserved'],
    ['ivKeyLength', 4, 'uint'],
    ['ivKey', 256, 'bytes'],
    // A third key and a sum over the header made with it: we don't need them.
    ['integrity', 560, 'reserved'],
    ['dataSize', 8, 'uint'],
    ['version', 4, 'uint'],
    ['signature', 8, 'ascii'],
  ],
})

export const signatureV1 = 'cdsaencr'
export const headerV1Bytes = trailerStruct.sizeBytes

/** Whether a file that ends so is encrypted in version 1. */
export const isHeaderV1 = (tail: Uint8Array): boolean =>
  Buffer.from(tail.subarray(-8)).toString('latin1') === signatureV1

/**
 * `trailer`: the last `headerV1Bytes`; `fileBytes` as for `parseHeaderV2`. Throws the same.
 */
export function parseHeaderV1(trailer: Uint8Array, fileBytes: number | null): EncryptedHeader {
  const start = fileBytes === null ? 0 : fileBytes - headerV1Bytes
  const parsed = trailerStruct.parse(trailer, start)
  const at = (field: Parameters<typeof trailerStruct.offsetOf>[0], found: Detail) => ({
    format: 'cdsaencr',
    field: `trailer.${field}`,
    offset: start + trailerStruct.offsetOf(field),
    found,
  })
  const known = {
    version: 1,
    wrapAlgorithm: cssm.tripleDes,
    wrapPadding: cssm.pkcs7,
    wrapMode: cssm.cbcPadded,
    wrapKeyBits: 192,
    kdfAlgorithm: cssm.pbkdf2,
    prngAlgorithm: 0,
    ivSize: 16,
    mode: cssm.cbcBlocks,
    algorithm: cssm.aes,
    ivKeyAlgorithm: cssm.sha1Hmac,
    ivKeyBits: 160,
  } as const
  for (const field of Object.keys(known) as (keyof typeof known)[])
    if (parsed[field] !== known[field]) throw unknown({ ...at(field, parsed[field]), expected: known[field] })
  const { keyBits, blockSize, dataSize, saltLength, iterations } = parsed
  if (keyBits !== 128 && keyBits !== 256) throw unknown({ ...at('keyBits', keyBits), expected: '128 or 256' })
  if (!isBlockSize(blockSize))
    throw corrupt({ ...at('blockSize', blockSize), expected: 'a power of two from 512 to 65536' })
  if (saltLength < 1 || saltLength > 32)
    throw corrupt({ ...at('saltLength', saltLength), expected: '1 to 32' })
  for (const field of ['keyLength', 'ivKeyLength'] as const)
    if (parsed[field] < 16 || parsed[field] > 256 || parsed[field] % 8 !== 0)
      throw corrupt({ ...at(field, parsed[field]), expected: 'whole blocks of 3DES, at most 256 bytes' })
  if (fileBytes !== null && wholeBlocks(dataSize, blockSize) > start)
    throw corrupt({ ...at('dataSize', dataSize), expected: `at most ${start}` })
  const way = {
    iterations,
    salt: parsed.salt.subarray(0, saltLength),
    wrapped: {
      kind: 'keys',
      aesKey: parsed.key.subarray(0, parsed.keyLength),
      hmacKey: parsed.ivKey.subarray(0, parsed.ivKeyLength),
    },
  } as const
  checkIterations([way], start + trailerStruct.offsetOf('iterations'))
  return {
    version: 1,
    keyBits,
    blockBytes: blockSize,
    dataOffset: 0,
    dataBytes: dataSize,
    ways: [way],
    fingerprint: createHash('sha256')
      .update(trailer.subarray(0, trailerStruct.offsetOf('dataSize')))
      .digest('hex'),
  }
}
