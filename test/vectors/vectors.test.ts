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
        },
      ],
    })
  })
})

describe('bad images', () => {
  for (const { file, code, field } of list<BadVector>('bad'))
    it(`${file} is refused with ${code} at ${field}`, async () => {
      expect(await rejectionOf(openImage(join(folder, 'bad', file)))).toMatchObject({ code, field })
    })
})

describe('disks of other tools', () => {
  for (const file of readdirSync(join(folder, 'disks'))) {
    const vector = JSON.parse(readFileSync(join(folder, 'disks', file), 'utf8')) as DiskVector
    it(`${file} is recognised (${vector.madeBy})`, async () => {
      const disk = vectorDisk(vector)
      const { sizeBytes } = vector
      const expected = vector.expected as { readonly kind?: string; readonly sizeBytes?: number | string | null }
      if (expected.kind !== undefined) {
        expect(await readPartitionMap(disk, sizeBytes)).toEqual(expected)
        return
      }
      expect(await readPartitionMap(disk, sizeBytes)).toEqual({ kind: 'none', partitions: [] })
      const found = await sniffFilesystem(disk, { offset: 0, sizeBytes })
      if (expected.sizeBytes === 'less') expect(found?.sizeBytes).toBeLessThanOrEqual(sizeBytes)
      const own = typeof expected.sizeBytes === 'string' ? (found?.sizeBytes ?? -1) : expected.sizeBytes
      expect(found).toEqual({ ...expected, sizeBytes: expected.sizeBytes === 'all' ? sizeBytes : own })
    })
  }
})
