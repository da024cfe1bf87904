/** A blkx table's header and the chunk runs behind it. Byte tables: docs/formats/udif.md §2 and §3. */
import { defineStruct, type StructValue } from '#engine/formats/struct'
import type { RunKind } from '#shared/model'

const mishFields = [
  ['signature', 4, 'ascii'], // 'mish'
  ['version', 4, 'uint'], // 1
  ['firstSector', 8, 'uint'],
  ['sectorCount', 8, 'uint'],
  ['dataOffset', 8, 'uint'], // added to every run's compOffset
  ['buffersNeeded', 4, 'uint'], // sectors of the largest run, and some; not relied on
  ['blockDescriptor', 4, 'uint'],
  ['reserved', 24, 'reserved'],
  ['checksumType', 4, 'uint'],
  ['checksumBits', 4, 'uint'],
  ['checksum', 128, 'bytes'],
  ['chunkCount', 4, 'uint'],
] as const

export const mishStruct = defineStruct({ format: 'udif', name: 'mish', endian: 'big', fields: mishFields })
export type Mish = StructValue<typeof mishFields>

/** One row behind a mish. `startSector` counts from the mish's `firstSector`. */
export const chunkRunStruct = defineStruct({
  format: 'udif',
  name: 'chunkRun',
  endian: 'big',
  fields: [
    ['type', 4, 'uint'],
    ['comment', 4, 'uint'], // '+beg' or '+end' of a comment run; anything elsewhere
    ['startSector', 8, 'uint'],
    ['sectorCount', 8, 'uint'],
    ['compOffset', 8, 'uint'],
    ['compLength', 8, 'uint'],
  ],
})

/** Run types that don't stand for sectors. */
export const commentRun = 0x7ffffffe
export const terminatorRun = 0xffffffff

/** The run types that stand for sectors, as they are stored. */
export const runTypes: { readonly [kind in RunKind]: number } = {
  zero: 0,
  raw: 1,
  ignore: 2,
  adc: 0x80000004,
  zlib: 0x80000005,
  bzip2: 0x80000006,
  lzfse: 0x80000007,
  lzma: 0x80000008,
}
