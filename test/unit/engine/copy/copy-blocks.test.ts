import { describe, expect, it } from 'vitest'
import type { BlockSink } from '#engine/block-io'
import type { BlockStream } from '#engine/pipeline'
import { BlockChecksums } from '#src/main/engine/copy/block-checksums.ts'
import { copyBlocks, type CopyOptions } from '#src/main/engine/copy/copy-blocks.ts'
import { FakeDisk, ioError, makeDisk } from '#test/fake-disk'
import { FakeMachine, type FakeRun } from '#test/fake-platform'
import { openFakeStream } from '#test/fake-stream'

const KiB = 1024
const MiB = 1024 * KiB

function bench(runs: readonly FakeRun[], change: Partial<CopyOptions> = {}) {
  const { layout } = new FakeMachine().addImage('/images/a.dmg', runs)
  const disk = new FakeDisk(makeDisk({ path: '/dev/sdb', sizeBytes: 4 * MiB }))
  const stop = new AbortController()
  const stored = Buffer.concat(runs.map((run) => (run.kind === 'raw' ? run.bytes : new Uint8Array(0))))
  const stream = openFakeStream(layout, {
    hashes: null,
    buffers: 8,
    bufferBytes: 64 * KiB,
    alignmentBytes: 512,
    signal: stop.signal,
    bytesOf: () => stored,
  })
  const advanced: number[] = []
  const copying = (more: Partial<CopyOptions> = {}) =>
    copyBlocks({
      stream,
      sink: more.sink ?? disk.openSink('/dev/sdb'),
      sourcePath: '/images/a.dmg',
      sizeBytes: layout.sizeBytes,
      capacityBytes: 4 * MiB,
      fixedBytes: null,
      checksums: new BlockChecksums(64 * KiB),
      checker: null,
      clearUnused: false,
      context: { advance: (bytes) => advanced.push(bytes), limitedBy: () => undefined },
      signal: stop.signal,
      now: () => 0,
      ...change,
      ...more,
    })
  return { disk, stream, stop, advanced, copying, layout }
}
const threeMiB: readonly FakeRun[] = [{ kind: 'raw', bytes: new Uint8Array(3 * MiB).fill(5) }]

describe('copying', () => {
  it('counts every byte once, the first blocks at the end', async () => {
    const { advanced, copying, layout } = bench([
      { kind: 'raw', bytes: new Uint8Array(MiB + 700).fill(5) },
      { kind: 'zero', lengthBytes: 512 * KiB },
      { kind: 'ignore', lengthBytes: MiB },
    ])
    await copying()
    expect(advanced.at(-2)).toBe(layout.sizeBytes - MiB)
    expect(advanced.at(-1)).toBe(layout.sizeBytes)
    expect(advanced.toSorted((a, b) => a - b)).toEqual(advanced)
  })

  it('counts zeros and unused space as they are made, and no byte more than there are', async () => {
    const { disk, advanced, copying, layout } = bench([
      { kind: 'raw', bytes: new Uint8Array(MiB).fill(5) },
      { kind: 'zero', lengthBytes: 512 * KiB },
      { kind: 'ignore', lengthBytes: MiB },
      { kind: 'zero', lengthBytes: MiB + 100 },
    ])
    disk.faults = { pieceBytes: 256 * KiB }
    await copying()
    const steps = advanced
      .map((bytes, index) => bytes - (advanced[index - 1] ?? 0))
      .filter((step) => step > 0)
    expect(steps.filter((step) => step === 256 * KiB)).toHaveLength(2 + 4 + 4)
    expect(steps).toContain(100)
    expect(advanced.at(-1)).toBe(layout.sizeBytes)
  })

  it('writes several blocks at once, but not more than four', async () => {
    const { disk, copying } = bench(threeMiB)
    let now = 0
    let most = 0
    disk.faults = {
      onWrite: async () => {
        most = Math.max(most, ++now)
        await new Promise((done) => setTimeout(done, 1))
        now -= 1
      },
    }
    await copying()
    expect(most).toBe(4)
  })

  it('settles only when no write is under way any more, also when one failed', async () => {
    const { disk, stream, copying } = bench(threeMiB)
    let underWay = 0
    disk.faults = {
      onWrite: async ({ offset, count }) => {
        underWay += 1
        await new Promise((done) => setTimeout(done, count === 5 ? 1 : 30))
        underWay -= 1
        if (count === 5) throw ioError('E_IO_WRITE', '/dev/sdb', offset)
      },
    }
    await expect(copying()).rejects.toMatchObject({ code: 'E_IO_WRITE' })
    expect(underWay).toBe(0)
    // The item that was waiting for room, too.
    expect(stream.held()).toBe(0)
  })

  it.each(['the disk', 'the disk at the end', 'the source'])(
    'sends no more zeros once %s failed',
    async (which) => {
      const { disk, stream, copying } = bench([
        { kind: 'raw', bytes: new Uint8Array(MiB).fill(5) },
        { kind: 'zero', lengthBytes: MiB },
        { kind: 'raw', bytes: new Uint8Array(64 * KiB).fill(5) },
      ])
      const failure = ioError('E_IO_WRITE', '/dev/sdb', 2 * MiB)
      let isZeroing = false
      const ended = Promise.withResolvers<void>()
      const sink: BlockSink = {
        ...disk.openSink('/dev/sdb'),
        zero: (_offset, _lengthBytes, signal) =>
          new Promise((_, reject) => {
            isZeroing = true
            signal?.addEventListener('abort', () => reject(new Error('stopped', { cause: signal.reason })))
          }),
        async write() {
          if (which === 'the disk at the end') await ended.promise
          throw failure
        },
      }
      const watched: BlockStream = {
        ...stream,
        async next() {
          if (isZeroing && which === 'the source') throw failure
          const item = await stream.next()
          if (item === null) setImmediate(() => ended.resolve())
          return item
        },
      }
      await expect(copying({ sink, stream: watched })).rejects.toBe(failure)
      expect(isZeroing).toBe(true)
      expect(stream.held()).toBe(0)
    },
  )

  it('gives every buffer back, also when it fails', async () => {
    for (const fails of [false, true]) {
      const { disk, stream, copying } = bench(threeMiB)
      disk.faults = {
        onWrite: ({ offset, count }) => {
          if (fails && count === 5) throw ioError('E_IO_WRITE', '/dev/sdb', offset)
        },
      }
      await copying().catch(() => undefined)
      expect(stream.held()).toBe(0)
    }
  })

  it('gives unused space back to the disk, but not of its end, which was blanked', async () => {
    const { disk, copying } = bench([
      { kind: 'raw', bytes: new Uint8Array(MiB).fill(5) },
      { kind: 'ignore', lengthBytes: 3 * MiB },
    ])
    disk.bytes.fill(0, 3 * MiB)
    expect(await copying()).toMatchObject({ skippedBytes: 3 * MiB })
    expect(disk.events.filter((event) => event.startsWith('discard'))).toEqual([`discard ${MiB}+${2 * MiB}`])
    expect(disk.bytes.subarray(3 * MiB).every((byte) => byte === 0)).toBe(true)
  })

  it('gives nothing back where all that is unused is the end of the disk', async () => {
    const { disk, copying } = bench([
      { kind: 'raw', bytes: new Uint8Array(3 * MiB + 64 * KiB).fill(5) },
      { kind: 'ignore', lengthBytes: MiB - 64 * KiB },
    ])
    expect(await copying()).toMatchObject({ skippedBytes: MiB - 64 * KiB })
    expect(disk.events.filter((event) => event.startsWith('discard'))).toEqual([])
  })

  it('does not take a source for whole that ended early', async () => {
    const { copying } = bench(threeMiB, { sizeBytes: 3 * MiB + 512 })
    await expect(copying()).rejects.toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { found: 3 * MiB, expected: 3 * MiB + 512, path: '/images/a.dmg' },
    })
  })

  it('leaves the first blocks blank when it is aborted at the end', async () => {
    const { disk, stop, copying } = bench(threeMiB)
    disk.bytes.fill(0, 0, MiB)
    disk.faults = {
      onWrite: ({ offset }) => {
        if (offset >= 3 * MiB - 64 * KiB) stop.abort()
      },
    }
    await expect(copying()).rejects.toThrow('aborted')
    expect(disk.bytes.subarray(0, MiB).every((byte) => byte === 0)).toBe(true)
  })
})
