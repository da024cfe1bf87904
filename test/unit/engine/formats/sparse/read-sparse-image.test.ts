import { describe, expect, it } from 'vitest'
import { readSparseImage } from '#engine/formats/sparse'
import { DiskReader } from '#src/main/engine/formats/image/disk-reader.ts'
import { buildSprs, type SprsPlan } from '#test/build-sparse'
import { rejectionOf } from '#test/format-errors'
import type { FormatError } from '#shared/errors'
import { memorySource } from '#test/memory-source'

/** Two sectors a band: eight of them, the last half on the disk. */
const plan: SprsPlan = {
  sizeBytes: 15 * 512,
  sectorsPerBand: 2,
  slots: [4, 1, 8],
  data: (number) => new Uint8Array(1024).fill(number),
}

async function disk(file: Uint8Array): Promise<Uint8Array> {
  const { layout } = await readSparseImage(memorySource(file))
  await using reader = new DiskReader(layout, {
    open: async () => memorySource(file),
    decodeBudgetBytes: Infinity,
  })
  return await reader.read(0, layout.sizeBytes)
}

const bands = (...numbers: readonly number[]) =>
  Buffer.concat(numbers.map((number) => Buffer.alloc(1024, number)))

describe('a sparse image', () => {
  it('has its bands where their numbers say, and zeros elsewhere', async () => {
    const image = await readSparseImage(memorySource(buildSprs(plan)))
    expect(image).toMatchObject({ bandBytes: 1024, bandCount: 3, dataBytes: 1024 + 1024 + 512 })
    expect(image.layout).toMatchObject({ sizeBytes: 7680, checks: [] })
    expect(Buffer.compare(await disk(buildSprs(plan)), bands(1, 0, 0, 4, 0, 0, 0, 8).subarray(0, 7680))).toBe(
      0,
    )
  })

  it('goes on in index nodes after 1008 bands', async () => {
    const slots = Array.from({ length: 1008 + 1010 + 5 }, (_, slot) => 2023 - slot)
    const data = (number: number) => new Uint8Array(512).fill(number % 251)
    const file = buildSprs({ sizeBytes: 2030 * 512, sectorsPerBand: 1, slots, data })
    const { bandCount, layout } = await readSparseImage(memorySource(file))
    expect(bandCount).toBe(2023)
    expect(layout.extents.diskBytes[layout.extents.count - 1]).toBe(7 * 512)
    const expected = Buffer.concat([
      ...Array.from({ length: 2023 }, (_, index) => data(index + 1)),
      Buffer.alloc(7 * 512),
    ])
    expect(Buffer.compare(await disk(file), expected)).toBe(0)
  })

  it('may have empty slots, and no band at all', async () => {
    expect(Buffer.compare(await disk(buildSprs({ ...plan, slots: [0, 2] })), bands(0, 2, 0, 0, 0, 0, 0, 0).subarray(0, 7680))).toBe(0) // prettier-ignore
    const { layout, bandCount } = await readSparseImage(memorySource(buildSprs({ ...plan, slots: [] })))
    expect(bandCount).toBe(0)
    expect(layout.extents.count).toBe(1)
  })

  it('costs nothing for a size that no disk has', async () => {
    const { layout } = await readSparseImage(
      memorySource(buildSprs({ ...plan, sizeBytes: 2 ** 52, sectorsPerBand: 2048, slots: [] })),
    )
    expect(layout.extents.count).toBe(1)
  })
})

describe('a lying sparse image', () => {
  const numberAt = 64
  it.each<[string, Partial<SprsPlan>, object]>([
    ['a band behind the end of the disk', { slots: [9] }, { field: 'bandNumber', offset: numberAt }],
    ['the same band twice', { slots: [3, 5, 3] }, { field: 'bandNumber' }],
    ['no sectors in a band', { lies: { 8: 0 } }, { field: 'header.sectorsPerBand', offset: 8 }],
    ['no sectors', { lies: { 16: 0, 32: 0 } }, { field: 'header.totalSectors', offset: 28 }],
    [
      'more sectors than bytes can be counted',
      { lies: { 28: 0x00ff0000 } },
      { field: 'header.totalSectors' },
    ],
    ['two sizes', { lies: { 16: 14 } }, { field: 'header.totalSectorsLow', offset: 16 }],
    ['larger bands than the file holds', { lies: { 8: 8 } }, { field: 'bandNumber' }],
    ['a node inside the data', { lies: { 24: 4096 } }, { field: 'nextNodeOffset', offset: 4096 }],
    ['a node behind the end', { lies: { 24: 1 << 30 } }, { field: 'nextNodeOffset' }],
    ['itself as the next node', { slots: [], lies: { 24: 1 } }, { field: 'nextNodeOffset', offset: 1 }],
  ])('that names %s is refused', async (_, change, failure) => {
    const file = buildSprs({ ...plan, ...change })
    expect(await rejectionOf(readSparseImage(memorySource(file)))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      format: 'sprs',
      ...failure,
    })
  })

  it('of another version is said to be one we cannot read', async () => {
    const file = buildSprs({ ...plan, lies: { 4: 4 } })
    expect(await rejectionOf(readSparseImage(memorySource(file)))).toMatchObject({ code: 'E_SRC_FORMAT' })
  })

  it('that was cut short is damaged, wherever it was cut', async () => {
    const file = buildSprs(plan)
    // The last slot's second half isn't of the disk.
    for (const length of [100, 4096, 4097, file.length - 1024, file.length - 513])
      expect(await rejectionOf(readSparseImage(memorySource(file.subarray(0, length))))).toMatchObject({
        code: 'E_SRC_CORRUPT',
      })
    expect(await disk(file.subarray(0, file.length - 512))).toHaveLength(7680)
  })

  it('tells that its end is missing from numbers that are wrong', async () => {
    const details = async (file: Uint8Array) =>
      await readSparseImage(memorySource(file)).catch(({ details }: FormatError) => details)
    const short = { field: 'band', cutShort: true }
    expect(await details(buildSprs(plan).subarray(0, 4097))).toMatchObject(short)
    const noNode = { field: 'nextNodeOffset', cutShort: true }
    expect(await details(buildSprs({ ...plan, lies: { 24: 1 << 30 } }))).toMatchObject(noNode)
    const inside = { field: 'nextNodeOffset', expected: expect.stringMatching(/^at least \d+$/) }
    const wrong = await details(buildSprs({ ...plan, lies: { 24: 4096 } }))
    expect(wrong).toMatchObject(inside)
    expect(wrong).not.toHaveProperty('cutShort')
  })

  it('with a node that is none is damaged', async () => {
    const slots = Array.from({ length: 1009 }, (_, slot) => slot + 1)
    const file = buildSprs({ sizeBytes: 1009 * 512, sectorsPerBand: 1, slots, data: () => new Uint8Array(0) })
    file.write('spry', 4096 + 1008 * 512, 'latin1')
    expect(await rejectionOf(readSparseImage(memorySource(file)))).toMatchObject({
      field: 'indexNode.signature',
      offset: 4096 + 1008 * 512,
    })
  })
})
