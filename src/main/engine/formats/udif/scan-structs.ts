/** Field tables of what asr's scan stores, for the reader and the writer. Byte tables: docs/formats/asr-scan.md. */

export const cSumFields = [
  ['version', 2, 'uint'], // 1: tells the byte order, which differs between writers
  ['type', 4, 'uint'], // 2: MediaKit's block checksum
  ['checksum', 4, 'uint'],
] as const

export const sizeFields = [
  ['version', 2, 'uint'], // 5
  ['isHfs', 4, 'uint'],
  ['unknown1', 4, 'reserved'],
  ['nameLength', 1, 'uint'],
  ['name', 255, 'bytes'],
  ['unknown2', 8, 'reserved'],
  ['volumeModified', 4, 'uint'], // seconds since 1904
  ['unknown3', 4, 'reserved'],
  ['volumeSignature', 2, 'uint'],
  ['sizePresent', 2, 'uint'], // 1
] as const

/** Seconds from 1904, where HFS+ dates begin, to 1970. */
export const hfsEpochSeconds = 2_082_844_800
