/** The header of version 2: at the start of the file, or alone in the `token` file of a sparse bundle. */
import { createHash } from 'node:crypto'
import { corrupt, defineStruct, formatError, type FormatProblem } from '#engine/formats/struct'
import type { Detail, FormatError } from '#shared/errors'
import { cssm, mostIterations, type EncryptedHeader, type WrappedKeys } from './header.ts'

export const headerStruct = defineStruct({
  format: 'encrcdsa',
  name: 'header',
  endian: 'big',
  fields: [
    ['signature', 8, 'ascii'],
    ['version', 4, 'uint'],
    ['ivSize', 4, 'uint'],
    ['mode', 4, 'uint'],
    ['algorithm', 4, 'uint'],
    ['keyBits', 4, 'uint'],
    ['ivKeyAlgorithm', 4, 'uint'],
    ['ivKeyBits', 4, 'uint'],
    ['uuid', 16, 'uuid'],
    ['blockSize', 4, 'uint'],
    ['dataSize', 8, 'uint'],
    ['dataOffset', 8, 'uint'],
    ['authCount', 4, 'uint'],
  ],
})

/** One way to the keys; `authCount` of them follow the header. */
export const authStruct = defineStruct({
  format: 'encrcdsa',
  name: 'auth',
  endian: 'big',
  fields: [
    ['type', 4, 'uint'],
    ['offset', 8, 'uint'],
    ['length', 8, 'uint'],
  ],
})

export const passphraseStruct = defineStruct({
  format: 'encrcdsa',
  name: 'passphrase',
  endian: 'big',
  fields: [
    ['kdfAlgorithm', 4, 'uint'],
    // A 64-bit number of iterations with the next one, or a number of a random generator: always 0.
    ['prngAlgorithm', 4, 'uint'],
    ['iterations', 4, 'uint'],
    ['saltLength', 4, 'uint'],
    ['salt', 32, 'bytes'],
    ['ivLength', 4, 'uint'],
    ['iv', 32, 'bytes'],
    ['wrapKeyBits', 4, 'uint'],
    ['wrapAlgorithm', 4, 'uint'],
    ['wrapPadding', 4, 'uint'],
    ['wrapMode', 4, 'uint'],
    ['blobLength', 4, 'uint'],
    ['blob', 512, 'bytes'],
  ],
})

export const signatureV2 = 'encrcdsa'
/** `authStruct.type` of a password. 2 is a certificate, 3 a keybag. */
export const passphraseType = 1
const authNames: { readonly [type: number]: string } = { 2: 'a certificate', 3: 'a keybag' }
const mostAuths = 32
/** What is kept in the file before the first block at most: Apple's tools leave 120 KiB. */
const mostHeaderBytes = 1024 * 1024

/** So many bytes from the start of a file are enough for `parseHeaderV2`; fewer when the file is shorter. */
export const headerV2Bytes = 64 * 1024

/** Whether a file that begins so is encrypted in version 2. */
export const isHeaderV2 = (head: Uint8Array): boolean =>
  Buffer.from(head.subarray(0, 8)).toString('latin1') === signatureV2

/**
 * `head`: the file's first `headerV2Bytes`; `fileBytes`: its size, or null for a bundle's token, whose data is elsewhere.
 * Throws FormatError E_SRC_CORRUPT where the header contradicts itself or the file, E_SRC_FORMAT where it asks for what we
 * don't know, or for something else than a password.
 */
export function parseHeaderV2(head: Uint8Array, fileBytes: number | null): EncryptedHeader {
  const header = headerStruct.parse(head, 0)
  const at = (field: Parameters<typeof headerStruct.offsetOf>[0], found: Detail) => ({
    format: 'encrcdsa',
    field: `header.${field}`,
    offset: headerStruct.offsetOf(field),
    found,
  })
  if (header.signature !== signatureV2)
    throw corrupt({ ...at('signature', header.signature), expected: signatureV2 })
  const known = {
    version: 2,
    ivSize: 16,
    mode: cssm.cbcBlocks,
    algorithm: cssm.aes,
    ivKeyAlgorithm: cssm.sha1Hmac,
    ivKeyBits: 160,
  } as const
  for (const field of Object.keys(known) as (keyof typeof known)[])
    if (header[field] !== known[field]) throw unknown({ ...at(field, header[field]), expected: known[field] })
  const { keyBits, blockSize, dataSize, dataOffset, authCount } = header
  if (keyBits !== 128 && keyBits !== 256) throw unknown({ ...at('keyBits', keyBits), expected: '128 or 256' })
  if (!isBlockSize(blockSize))
    throw corrupt({ ...at('blockSize', blockSize), expected: 'a power of two from 512 to 65536' })
  if (dataOffset > mostHeaderBytes || dataOffset < headerStruct.sizeBytes)
    throw corrupt({ ...at('dataOffset', dataOffset), expected: `at most ${mostHeaderBytes}` })
  if (fileBytes !== null && dataOffset + wholeBlocks(dataSize, blockSize) > fileBytes)
    throw corrupt({
      ...at('dataSize', dataSize),
      expected: `at most ${Math.max(0, fileBytes - dataOffset)}`,
      cutShort: true,
    })
  if (authCount < 1 || authCount > mostAuths)
    throw corrupt({ ...at('authCount', authCount), expected: `1 to ${mostAuths}` })

  const auths = Array.from({ length: authCount }, (_, index) => {
    const offset = headerStruct.sizeBytes + index * authStruct.sizeBytes
    return { ...authStruct.parse(head.subarray(offset), offset), at: offset }
  })
  const passphrases = auths.filter(({ type }) => type === passphraseType)
  const [first] = auths
  if (passphrases.length === 0)
    throw unknown({
      format: 'encrcdsa',
      field: 'auth.type',
      offset: first?.at ?? 0,
      found: authNames[first?.type ?? 0] ?? first?.type ?? 0,
      expected: 'a password',
    })
  const ways = passphrases.map(({ offset, length, at: entry }) => {
    if (offset > head.length || length < passphraseStruct.sizeBytes || length > head.length - offset)
      throw corrupt({
        format: 'encrcdsa',
        field: 'auth.length',
        offset: entry,
        found: length,
        expected: `${passphraseStruct.sizeBytes} bytes in the header`,
      })
    return parsePassphrase(head.subarray(offset, offset + length), offset)
  })
  checkIterations(ways, passphrases[0]?.offset ?? 0)
  return {
    version: 2,
    keyBits,
    blockBytes: blockSize,
    dataOffset,
    dataBytes: dataSize,
    ways,
    fingerprint: createHash('sha256').update(fingerprinted(head, passphrases)).digest('hex'),
  }
}

/** Identity and keys. The size of the data changes while a sparse image grows. */
function fingerprinted(
  head: Uint8Array,
  entries: readonly { readonly offset: number; readonly length: number }[],
): Uint8Array {
  const blobs = entries.map(({ offset, length }) => head.subarray(offset, offset + length))
  return Buffer.concat([head.subarray(0, headerStruct.offsetOf('dataSize')), ...blobs])
}

function parsePassphrase(bytes: Uint8Array, offset: number): WrappedKeys {
  const parsed = passphraseStruct.parse(bytes, offset)
  const at = (field: Parameters<typeof passphraseStruct.offsetOf>[0], found: Detail) => ({
    format: 'encrcdsa',
    field: `passphrase.${field}`,
    offset: offset + passphraseStruct.offsetOf(field),
    found,
  })
  const known = {
    kdfAlgorithm: cssm.pbkdf2,
    wrapKeyBits: 192,
    wrapPadding: cssm.pkcs7,
    wrapMode: cssm.cbcPadded,
  } as const
  for (const field of Object.keys(known) as (keyof typeof known)[])
    if (parsed[field] !== known[field]) throw unknown({ ...at(field, parsed[field]), expected: known[field] })
  const { prngAlgorithm, iterations, saltLength, wrapAlgorithm, ivLength, blobLength } = parsed
  if (wrapAlgorithm !== cssm.tripleDes && wrapAlgorithm !== cssm.aes)
    throw unknown({ ...at('wrapAlgorithm', wrapAlgorithm), expected: `${cssm.tripleDes} or ${cssm.aes}` })
  const [cipher, cellBytes] = wrapAlgorithm === cssm.aes ? (['aes-192', 16] as const) : (['3des', 8] as const)
  if (prngAlgorithm !== 0) throw unknown({ ...at('prngAlgorithm', prngAlgorithm), expected: 0 })
  if (saltLength < 1 || saltLength > 32)
    throw corrupt({ ...at('saltLength', saltLength), expected: '1 to 32' })
  if (ivLength !== 8) throw corrupt({ ...at('ivLength', ivLength), expected: 8 })
  if (blobLength < cellBytes || blobLength > parsed.blob.length || blobLength % cellBytes !== 0)
    throw corrupt({
      ...at('blobLength', blobLength),
      expected: `whole blocks of ${cellBytes} bytes, at most 512 bytes`,
    })
  return {
    iterations,
    salt: parsed.salt.subarray(0, saltLength),
    wrapped: {
      kind: 'blob',
      cipher,
      iv: parsed.iv.subarray(0, ivLength),
      blob: parsed.blob.subarray(0, blobLength),
    },
  }
}

/** Throws FormatError E_SRC_CORRUPT when deriving the keys would take forever, or is none. */
export function checkIterations(ways: readonly WrappedKeys[], offset: number): void {
  const iterations = ways.reduce((sum, way) => sum + way.iterations, 0)
  if (iterations <= mostIterations && ways.every((way) => way.iterations >= 1)) return
  throw corrupt({
    format: 'encrcdsa',
    field: 'passphrase.iterations',
    offset,
    found: iterations,
    expected: `1 to ${mostIterations}`,
  })
}

export const wholeBlocks = (bytes: number, blockBytes: number) => Math.ceil(bytes / blockBytes) * blockBytes

export const isBlockSize = (bytes: number) => bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0

/** The image asks for something that isn't known to exist. */
export const unknown = (problem: FormatProblem): FormatError => formatError('E_SRC_FORMAT', problem)
