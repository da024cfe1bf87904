import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sniffFilesystem } from '#engine/formats/filesystem'
import { openImage } from '#engine/formats/image'
import { readPartitionMap } from '#engine/formats/partition-map'
import { vectorDisk, type DiskVector } from '#test/disk-vector'
import { expandImage } from '#test/expand-image'
import { rejectionOf } from '#test/format-errors'
import { recomputeChecks, recomputeStoredChecks } from '#test/recompute-checks'
import type { BadVector, GoodVector } from '#test/vector-lists'

const folder = import.meta.dirname
const list = <T>(name: string) => JSON.parse(readFileSync(join(folder, name, 'vectors.json'), 'utf8')) as T[]

describe('good images', () => {
  for (const vector of list<GoodVector>('good'))
    it(`${vector.file} opens and expands to its disk`, async () => {
      const image = await openImage(join(folder, 'good', vector.file))
      const { info } = image
      expect(info.format).toBe(vector.format)
      expect([null, vector.sizeBytes]).toContain(info.sizeBytes)
      expect(info.inOrder).toBe(vector.inOrder)
      expect(info.partitionMap).toBe('mbr')
      expect(info.partitions).toEqual([
        {
          index: 1,
          name: null,
          type: 'FAT16',
          offset: 64 * 512,
          sizeBytes: 4352 * 512,
          filesystem: 'vfat',
          label: 'VECTOR',
        },
      ])
      expect(image.masterCheck?.stored).toBe(image.masterCheck?.computed)
      const hash = createHash('sha256')
      for await (const piece of expandImage(image)) hash.update(piece)
      expect(hash.digest('hex')).toBe(vector.sha256)
    })

  for (const vector of list<GoodVector>('good').filter(({ format }) => !format.startsWith('raw.')))
    it(`${vector.file} stores the checksums of what it holds`, async () => {
      const { layout } = await openImage(join(folder, 'good', vector.file))
      if (layout.kind !== 'extents') throw new Error('no extents')
      expect(await recomputeChecks(layout)).toEqual(layout.checks.map(({ crc32 }) => crc32))
      expect(await recomputeStoredChecks(layout)).toEqual(layout.storedChecks.map(({ crc32 }) => crc32))
    })

  it('tell what a scan stored', async () => {
    const { info } = await openImage(join(folder, 'good/scanned.dmg'))
    expect(info.scan).toEqual({
      partitions: [
        {
          partNum: 2,
          sha1: '5a'.repeat(20),
          sha256: null,
          blockChecksum2: 'fffffffb',
          dateMs: Date.UTC(2008, 4, 30, 4, 41, 36),
          usedBytes: 4096,
          volumes: [],
        },
      ],
      blocks: null,
      dateMs: null,
      scannedBy: null,
    })
  })
})

describe('bad images', () => {
  for (const { file, code, field } of list<BadVector>('bad'))
    it(`${file} is refused with ${code} at ${field}`, async () => {
      expect(await rejectionOf(openImage(join(folder, 'bad', file)))).toMatchObject({ code, field })
    })
})

const disks = readdirSync(join(folder, 'disks')).map((file) => ({
  file,
  vector: JSON.parse(readFileSync(join(folder, 'disks', file), 'utf8')) as DiskVector,
}))
const isMap = (expected: unknown) => typeof expected === 'object' && expected !== null && 'kind' in expected

describe('disks of other tools', () => {
  for (const { file, vector } of disks.filter(({ vector }) => isMap(vector.expected)))
    it(`${file} lists its partitions (${vector.madeBy})`, async () => {
      expect(await readPartitionMap(vectorDisk(vector), vector.sizeBytes)).toMatchObject(vector.expected as object)
    })

  for (const { file, vector } of disks.filter(({ vector }) => !isMap(vector.expected)))
    it(`${file} is a file system without a map (${vector.madeBy})`, async () => {
      const { sizeBytes } = vector
      expect(await sniffFilesystem(vectorDisk(vector), { offset: 0, sizeBytes })).toEqual(vector.expected)
      expect(await readPartitionMap(vectorDisk(vector), sizeBytes)).toMatchObject({ kind: 'none', partitions: [] })
    })
})
