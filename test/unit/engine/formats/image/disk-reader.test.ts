import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DiskReader } from '#src/main/engine/formats/image/disk-reader.ts'
import { rawLayout } from '#engine/formats/raw'
import { buildUdif, type RunSpec, type UdifSpec } from '#test/build-udif'
import { rejectionOf } from '#test/format-errors'
import { memorySource, type MemorySource } from '#test/memory-source'
import { openerOf, readBuilt } from '#test/read-built-udif'

const bytes = (sectors: number, seed: number) =>
  Uint8Array.from({ length: sectors * 512 }, (_, index) => (index * seed) >> 4)

const runs: RunSpec[] = [
  { kind: 'raw', sectors: 2, data: bytes(2, 3) },
  { kind: 'zlib', sectors: 5, data: bytes(5, 5) },
  { kind: 'zero', sectors: 3 },
  { kind: 'adc', sectors: 1, data: bytes(1, 7) },
  { kind: 'ignore', sectors: 2 },
  { kind: 'lzfse', sectors: 4, data: bytes(4, 11) },
]

async function reader(spec: UdifSpec, decodeBudgetBytes = Infinity) {
  const built = buildUdif(spec)
  const { layout } = await readBuilt(built)
  return { built, layout, disk: new DiskReader(layout, { open: openerOf(built), decodeBudgetBytes }) }
}

describe('reading the disk inside an image', () => {
  it('gives any stretch, over runs and segments of any kind', async () => {
    for (const segments of [1, 3]) {
      const { built, disk } = await reader({ tables: [{ runs }], segments, deadBytes: 5 })
      const size = built.disk.length
      await fc.assert(
        fc.asyncProperty(fc.nat(size), fc.nat(size), async (a, b) => {
          const [from, to] = a < b ? [a, b] : [b, a]
          expect(Buffer.from(await disk.read(from, to - from))).toEqual(
            Buffer.from(built.disk.subarray(from, to)),
          )
        }),
      )
      await disk[Symbol.asyncDispose]()
    }
  })

  it('decodes a run once for reads that follow one another in it', async () => {
    const { disk, built } = await reader({ tables: [{ runs }] }, 5 * 512)
    for (let offset = 1024; offset < 7 * 512; offset += 100)
      expect(Buffer.from(await disk.read(offset, 50))).toEqual(
        Buffer.from(built.disk.subarray(offset, offset + 50)),
      )
  })

  it('stops at its budget', async () => {
    const { disk } = await reader({ tables: [{ runs }] }, 5 * 512)
    await disk.read(1024, 1)
    expect(await rejectionOf(disk.read(10 * 512, 1))).toMatchObject({ code: 'E_SRC_CORRUPT', field: 'run' })
    expect((await disk.read(0, 512))[1]).toBe(0)
  })

  it('refuses what is outside', async () => {
    const { built, disk } = await reader({ tables: [{ runs }] })
    for (const [offset, length] of [
      [-1, 1],
      [built.disk.length, 1],
      [0, built.disk.length + 1],
      [NaN, 1],
    ] as const)
      expect(await rejectionOf(disk.read(offset, length))).toMatchObject({ format: 'disk', field: 'offset' })
    expect(await disk.read(built.disk.length, 0)).toHaveLength(0)
  })

  it('reads zeros where the last sector of a raw image is not in the file', async () => {
    const file = Buffer.alloc(515, 7)
    await using disk = new DiskReader(rawLayout('/a', 515), {
      open: async () => memorySource(file, '/a'),
      decodeBudgetBytes: 0,
    })
    expect([...(await disk.read(512, 5))]).toEqual([7, 7, 7, 0, 0])
    expect([...(await disk.read(1000, 2))]).toEqual([0, 0])
  })

  it('closes what it opened, once for each file', async () => {
    const built = buildUdif({ tables: [{ runs }], segments: 3 })
    const { layout } = await readBuilt(built)
    const opened: MemorySource[] = []
    const open = openerOf(built)
    {
      await using disk = new DiskReader(layout, {
        open: async (path) => {
          const source = (await open(path)) as MemorySource
          opened.push(source)
          return source
        },
        decodeBudgetBytes: Infinity,
      })
      await disk.read(0, built.disk.length)
      await disk.read(0, built.disk.length)
    }
    expect(opened.map((source) => source.isClosed())).toEqual([true, true, true])
  })

  it('lets two readers of one thread decode in turn', async () => {
    const readers = await Promise.all([1, 2, 3].map(() => reader({ tables: [{ runs }] })))
    const disks = await Promise.all(readers.map(({ disk, built }) => disk.read(0, built.disk.length)))
    for (const disk of disks) expect(Buffer.from(disk)).toEqual(Buffer.from(readers[0]?.built.disk ?? []))
  })

  it('says what is wrong with a run that cannot be decoded, and goes on', async () => {
    const { disk } = await reader({
      tables: [
        {
          runs: [
            { kind: 'zlib', sectors: 1, stored: new Uint8Array(9) },
            { kind: 'adc', sectors: 1 },
          ],
        },
      ],
    })
    expect(await rejectionOf(disk.read(0, 1))).toMatchObject({ code: 'E_SRC_CORRUPT', format: 'zlib' })
    expect([...(await disk.read(512, 1))]).toEqual([0])
  })
})
