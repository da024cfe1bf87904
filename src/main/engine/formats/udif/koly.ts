/** The trailer in the last 512 bytes of a UDIF file: where its parts lie. Byte table: docs/formats/udif.md §1. */
import { corrupt, defineStruct, type StructValue } from '#engine/formats/struct'

const fields = [
  ['signature', 4, 'ascii'], // 'koly'
  ['version', 4, 'uint'], // 4
  ['headerSize', 4, 'uint'], // 512
  ['flags', 4, 'uint'],
  ['runningDataForkOffset', 8, 'uint'], // where this file's data fork begins in the stored stream of all segments
  ['dataForkOffset', 8, 'uint'],
  ['dataForkLength', 8, 'uint'],
  ['rsrcForkOffset', 8, 'uint'],
  ['rsrcForkLength', 8, 'uint'],
  ['segmentNumber', 4, 'uint'], // from 1; 0: not segmented
  ['segmentCount', 4, 'uint'],
  ['segmentID', 16, 'uuid'],
  ['dataChecksumType', 4, 'uint'],
  ['dataChecksumBits', 4, 'uint'],
  ['dataChecksum', 128, 'bytes'],
  ['xmlOffset', 8, 'uint'],
  ['xmlLength', 8, 'uint'],
  ['reserved1', 64, 'reserved'],
  ['codeSignatureOffset', 8, 'uint'],
  ['codeSignatureLength', 8, 'uint'],
  ['reserved2', 40, 'reserved'],
  ['masterChecksumType', 4, 'uint'],
  ['masterChecksumBits', 4, 'uint'],
  ['masterChecksum', 128, 'bytes'],
  ['imageVariant', 4, 'uint'], // 1 a disk with a partition map, 2 a single partition
  ['sectorCount', 8, 'uint'], // 0 from some writers: the tables tell the size
  ['reserved3', 12, 'reserved'],
] as const

export const kolyStruct = defineStruct({ format: 'udif', name: 'koly', endian: 'big', fields })
export type Koly = StructValue<typeof fields>

export const kolyBytes = kolyStruct.sizeBytes

/** Whether these last 512 bytes of a file claim to be a UDIF trailer. */
export function isKoly(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'koly'
}

/**
 * Read the trailer of a file of `fileBytes`; `bytes` are its last 512. Every part it names lies inside the file then.
 * Throws `FormatError` E_SRC_CORRUPT.
 */
export function parseKoly(bytes: Uint8Array, fileBytes: number): Koly {
  const at = fileBytes - kolyBytes
  const koly = kolyStruct.parse(bytes, at)
  const complain = (field: keyof Koly, expected: string | number) => {
    const found = koly[field]
    return corrupt({
      format: 'udif',
      field: `koly.${field}`,
      offset: at + kolyStruct.offsetOf(field),
      found: typeof found === 'object' ? null : found,
      expected,
    })
  }
  if (koly.signature !== 'koly') throw complain('signature', 'koly')
  if (koly.version !== 4) throw complain('version', 4)
  if (koly.headerSize !== kolyBytes) throw complain('headerSize', kolyBytes)
  const parts = [
    ['dataForkOffset', 'dataForkLength'],
    ['rsrcForkOffset', 'rsrcForkLength'],
    ['xmlOffset', 'xmlLength'],
  ] as const
  for (const [offset, length] of parts) {
    if (koly[length] === 0) continue
    if (koly[offset] > at) throw complain(offset, `at most ${at}`)
    if (koly[length] > at - koly[offset]) throw complain(length, `at most ${at - koly[offset]}`)
  }
  if (koly.segmentCount > 1 && (koly.segmentNumber < 1 || koly.segmentNumber > koly.segmentCount))
    throw complain('segmentNumber', `1 to ${koly.segmentCount}`)
  if (koly.segmentCount <= 1 && koly.segmentNumber > 1) throw complain('segmentNumber', 'at most 1')
  return koly
}
