import { describe, expect, it } from 'vitest'
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { runKinds, type RunKind } from '#shared/model'
import { partitionLayout } from '#src/main/engine/copy/partition-layout.ts'

/** Rows of [kind, bytes on the disk, bytes stored]; what is stored follows one another. Each has a check of its own. */
function layoutOf(rows: readonly (readonly [RunKind, number, number])[]): ExtentLayout {
  const extents = allocateExtentTable(rows.length)
  let disk = 0
  let stored = 0
  const checks = rows.map(([kind, diskBytes, storedBytes], row) => {
    extents.diskOffset[row] = disk
    extents.diskBytes[row] = diskBytes
    extents.storedOffset[row] = storedBytes === 0 ? 0 : stored
    extents.storedBytes[row] = storedBytes
    extents.kind[row] = kindIndex[kind]
    stored += storedBytes
    disk += diskBytes
    return { name: `row ${row}`, diskOffset: disk - diskBytes, diskBytes, crc32: row }
  })
  const parts = [{ path: '/a.dmg', streamOffset: 0, fileOffset: 0, lengthBytes: stored }]
  const storedChecks = [{ path: '/a.dmg', fileOffset: 0, lengthBytes: stored, crc32: 1 }]
  const fileCheck = { sha256: '0'.repeat(64), lengthBytes: stored }
  return { kind: 'extents', sizeBytes: disk, parts, extents, checks, storedChecks, fileCheck }
}

function rowsOf({ extents }: ExtentLayout): readonly string[] {
  return Array.from({ length: extents.count }, (_, row) => {
    const stored = extents.storedBytes[row] ?? 0
    const place = stored === 0 ? '' : ` from ${extents.storedOffset[row]}+${stored}`
    return `${runKinds[extents.kind[row] ?? 0]} ${extents.diskOffset[row]}+${extents.diskBytes[row]}${place}`
  })
}

const take = (rows: Parameters<typeof layoutOf>[0], offset: number, sizeBytes: number) =>
  partitionLayout(layoutOf(rows), { index: 2, offset, sizeBytes }, 'a.dmg')

describe('the layout of one partition', () => {
  it('begins at its first byte and ends at its last', () => {
    const layout = take([['raw', 5120, 5120]], 1024, 2048)
    expect(rowsOf(layout)).toEqual(['raw 0+2048 from 1024+2048'])
    expect(layout.sizeBytes).toBe(2048)
  })

  it('keeps the runs inside, compressed ones too, and cuts those at its borders', () => {
    const rows = [
      ['zero', 2048, 0],
      ['zlib', 1024, 100],
      ['raw', 1024, 1024],
      ['ignore', 2048, 0],
    ] as const
    expect(rowsOf(take(rows, 1024, 4096))).toEqual([
      'zero 0+1024',
      'zlib 1024+1024 from 0+100',
      'raw 2048+1024 from 100+1024',
      'ignore 3072+1024',
    ])
  })

  it('keeps the last sector of a raw image that stores only a part of it', () => {
    expect(rowsOf(take([['raw', 2048, 1600]], 1024, 1024))).toEqual(['raw 0+1024 from 1024+576'])
    expect(rowsOf(take([['raw', 2048, 1600]], 512, 512))).toEqual(['raw 0+512 from 512+512'])
  })

  it('keeps the checksums of what lies wholly inside, and none of the file', () => {
    const layout = take(
      [
        ['raw', 1024, 1024],
        ['raw', 1024, 1024],
        ['raw', 1024, 1024],
      ],
      512,
      1536,
    )
    expect(layout.checks).toEqual([{ name: 'row 1', diskOffset: 512, diskBytes: 1024, crc32: 1 }])
    expect(layout.storedChecks).toEqual([])
    expect(layout).not.toHaveProperty('fileCheck')
  })

  it.each([
    ['begins', 512, 1536],
    ['ends', 0, 512],
  ])('is none where it %s within a compressed run', (_, offset, sizeBytes) => {
    expect(() =>
      take(
        [
          ['zlib', 1024, 100],
          ['raw', 1024, 1024],
        ],
        offset,
        sizeBytes,
      ),
    ).toThrow(expect.objectContaining({ code: 'E_UNSUPPORTED' }))
  })

  it.each([
    ['ends behind the disk', 1024, 2048],
    ['begins behind it', 4096, 512],
  ])('is none where not all of it is in the image: it %s', (_, offset, sizeBytes) => {
    expect(() => take([['raw', 2048, 2048]], offset, sizeBytes)).toThrow(
      expect.objectContaining({ code: 'E_UNSUPPORTED' }),
    )
  })
})
