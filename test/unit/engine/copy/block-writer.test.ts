import { expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { BlockWriter } from '#src/main/engine/copy/block-writer.ts'
import { HeadBlocks } from '#src/main/engine/copy/head-blocks.ts'
import { StreamRuns } from '#src/main/engine/copy/stream-runs.ts'
import { FakeDisk, makeDisk } from '#test/fake-disk'
import { hashedUdif } from '#test/hashed-udif'
import { seededBytes, seededRandom } from '#test/seeded'

const KiB = 1024
const MiB = 1024 * KiB
const blockBytes = 16 * KiB

/** Runs of 100 KiB that don't compress: each reaches over six or seven blocks. */
const image = hashedUdif({
  tables: [
    {
      runs: Array.from({ length: 30 }, (_, seed) => ({
        kind: 'zlib' as const,
        sectors: 200,
        data: seededBytes(seededRandom(seed), 200 * 512),
      })),
    },
  ],
})

async function writer(
  edgeBytes: number,
  have: Uint8Array | null = null,
  onWritten: (bytes: number) => void = () => undefined,
) {
  const disk = new FakeDisk(makeDisk({ path: '/dev/sdb', sizeBytes: 4 * MiB }))
  const source = {
    path: '/a.dmg',
    sizeBytes: image.bytes.length,
    read: async (into: Uint8Array, offset: number) =>
      into.set(image.bytes.subarray(offset, offset + into.length)),
    [Symbol.asyncDispose]: async () => undefined,
  }
  const { layout } = await openImage('/a.dmg', { given: { source, name: 'a.dmg' } })
  if (layout.kind !== 'extents') throw new Error('not an image of runs')
  const runs = new StreamRuns(layout, { sizeBytes: image.bytes.length, blockBytes }, '/a.dmg')
  const told: string[] = []
  const sink = disk.openSink('/dev/sdb')
  const head = new HeadBlocks()
  const writer = new BlockWriter({
    runs,
    sink,
    head,
    sizeBytes: layout.sizeBytes,
    path: '/a.dmg',
    have,
    edgeBytes,
    signal: new AbortController().signal,
    now: () => 0,
    onKept: (block) => void told.push(`kept ${block}`),
    onReturned: (block) => void told.push(`returned ${block}`),
    onWritten,
  })
  const take = (block: number) =>
    writer.take(block, image.bytes.slice(block * blockBytes, (block + 1) * blockBytes))
  return { disk, runs, told, writer, take, head, sink }
}

const isRight = (disk: FakeDisk) =>
  Buffer.compare(disk.bytes.subarray(MiB, image.disk.length), image.disk.subarray(MiB)) === 0

it('asks for blocks again whose runs it has no room for, and gets done all the same', async () => {
  const { disk, runs, told, writer: held, take } = await writer(250 * KiB)
  await using writing = held
  // The worst there is: every other block first.
  const order = Array.from({ length: runs.blocks }, (_, block) => block)
  let missing = [...order.filter((block) => block % 2 === 1), ...order.filter((block) => block % 2 === 0)]
  let rounds = 0
  for (; missing.length > 0 && rounds < 100; rounds++) {
    told.length = 0
    for (const block of missing) await take(block)
    await writing.idle()
    missing = told.filter((each) => each.startsWith('returned')).map((each) => Number(each.slice(9)))
    expect(told).toHaveLength(new Set(told).size)
  }
  expect(rounds).toBeGreaterThan(1)
  expect(rounds).toBeLessThan(30)
  expect(writing.isDone).toBe(true)
  expect(isRight(disk)).toBe(true)
})

it.each([1, 2, 3])(
  'writes each run once, and gets done, when blocks come again before a slow disk has written them (%i)',
  async (seed) => {
    let writtenBytes = 0
    const {
      disk,
      runs,
      told,
      writer: held,
      take,
    } = await writer(250 * KiB, null, (bytes) => {
      writtenBytes += bytes
    })
    await using writing = held
    const random = seededRandom(seed)
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    disk.faults = {
      onWrite: async () => {
        for (let turns = 40; turns > 0; turns--) await turn()
      },
    }
    const coming = Array.from({ length: runs.blocks }, (_, block) => ({ block, at: random.fraction() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ block }) => block)
    for (let takes = 0; !writing.isDone && takes < 20_000; takes++) {
      const block = coming.shift()
      if (block === undefined) await turn()
      else await take(block)
      const again = told.splice(0).filter((each) => each.startsWith('returned'))
      for (const each of again) coming.splice(random.below(coming.length + 1), 0, Number(each.slice(9)))
    }
    await writing.idle()
    expect(writing.isDone).toBe(true)
    expect(writtenBytes).toBe(image.disk.length)
    expect(isRight(disk)).toBe(true)
  },
)

it('calls a block complete only when every run in it is on the disk, and never what is in memory', async () => {
  const { runs, writer: held, take } = await writer(MiB)
  await using writing = held
  const inHead = runs.blocksOfHead(MiB)
  const last = runs.blocks - 10
  await take(last)
  await writing.idle()
  expect(writing.complete[last]).toBe(0)
  for (let block = 0; block < runs.blocks; block++) if (block !== last) await take(block)
  await writing.idle()
  expect([...writing.complete]).toEqual([...inHead].map((isIn) => 1 - isIn))
})

it('takes over what an earlier run left, and needs the rest', async () => {
  const first = await writer(MiB)
  for (let block = 0; block < first.runs.blocks; block += 1) if (block % 40 > 1) await first.take(block)
  await first.writer.idle()
  await first.writer[Symbol.asyncDispose]()
  await first.sink[Symbol.asyncDispose]()
  const have = first.writer.complete
  const second = await writer(MiB, have)
  await using writing = second.writer
  second.disk.bytes.set(first.disk.bytes)
  expect(have.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(10)
  for (let block = 0; block < second.runs.blocks; block += 1) if (have[block] === 0) await second.take(block)
  await writing.idle()
  expect(writing.isDone).toBe(true)
  expect(isRight(second.disk)).toBe(true)
})
