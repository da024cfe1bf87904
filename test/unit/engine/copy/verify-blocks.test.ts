import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createDiskChecker } from '#engine/pipeline'
import { BlockChecksums } from '#src/main/engine/copy/block-checksums.ts'
import { crc32Sums, quickestSums, shownSum } from '#src/main/engine/copy/block-sum.ts'
import { verifyBlocks, type VerifyOptions } from '#src/main/engine/copy/verify-blocks.ts'
import { FakeDisk, makeDisk } from '#test/fake-disk'
import { FakeMachine } from '#test/fake-platform'

const KiB = 1024
const block = 64 * KiB
const data = new Uint8Array(3 * block).fill(9)

/** A disk that holds what the checksums say: data, zeros, unused, data. */
function bench(sums = crc32Sums) {
  const disk = new FakeDisk(makeDisk({ path: '/dev/sdb', sizeBytes: 16 * block }))
  const checksums = new BlockChecksums(block, sums)
  checksums.data(data)
  checksums.zero(2 * block)
  checksums.unused(block + 8 * KiB)
  checksums.data(data.subarray(0, 8 * KiB))
  disk.bytes.set(data)
  disk.bytes.fill(0, 3 * block, 5 * block)
  disk.bytes.set(data.subarray(0, 8 * KiB), 6 * block + 8 * KiB)
  const advanced: number[] = []
  const verify = (change: Partial<VerifyOptions> = {}) =>
    verifyBlocks({
      sink: disk.openSink('/dev/sdb'),
      checksums,
      checker: null,
      written: null,
      comparison: null,
      buffers: 2,
      bufferBytes: 16 * KiB,
      signal: new AbortController().signal,
      context: { advance: (bytes) => advanced.push(bytes), limitedBy: () => undefined },
      ...change,
    })
  return { disk, checksums, verify, advanced }
}

describe('verifying', () => {
  it('says that all is the same, with the CRC-32 of it all, unused space as zeros', async () => {
    const { verify, advanced, checksums } = bench()
    const gap = new Uint8Array(2 * block + block + 8 * KiB)
    const all = Buffer.concat([data, gap, data.subarray(0, 8 * KiB)])
    expect(await verify()).toEqual({ kind: 'same', crc32: crc32(all) })
    expect(advanced.at(-1)).toBe(checksums.sizeBytes)
    expect(advanced.toSorted((a, b) => a - b)).toEqual(advanced)
  })

  it('counts a block once, however many of its pieces differ', async () => {
    const { disk, verify } = bench()
    for (const at of [3 * block + 1, 3 * block + 20 * KiB, 3 * block + 60 * KiB]) disk.bytes[at] = 1
    expect(await verify()).toMatchObject({
      kind: 'different',
      differingBlocks: 1,
      first: { offset: 3 * block, lengthBytes: 16 * KiB, sourceChanged: false },
    })
  })

  it('counts each block among zeros, also where buffers end within blocks', async () => {
    const { disk, verify } = bench()
    disk.bytes[3 * block + 60 * KiB] = 1
    disk.bytes[4 * block + 1] = 1
    // A buffer ends at 240 KiB, the next at 288: across the end of block 3 at 256.
    expect(await verify({ bufferBytes: 48 * KiB })).toMatchObject({
      differingBlocks: 2,
      first: { offset: 240 * KiB, lengthBytes: 16 * KiB },
    })
  })

  it('tells the first difference with both checksums', async () => {
    const { disk, verify } = bench()
    disk.bytes[block + 5]! ^= 1
    disk.bytes[2 * block + 5]! ^= 1
    expect(await verify()).toEqual({
      kind: 'different',
      differingBlocks: 2,
      first: {
        offset: block,
        lengthBytes: block,
        expected: shownSum(crc32Sums, crc32(data.subarray(0, block))),
        found: shownSum(crc32Sums, crc32(disk.bytes.subarray(block, 2 * block))),
        sourceChanged: false,
      },
      // Three blocks of data, two of zeros, one and an eighth unused, an eighth of data.
      parts: `${'.'.repeat(8)}${'x'.repeat(16)}${'.'.repeat(16)}${' '.repeat(9)}.`,
    })
  })

  it('compares by other sums just as well, and tells the CRC-32 all the same', async () => {
    const sums = quickestSums(2 ** 20)
    const gap = new Uint8Array(3 * block + 8 * KiB)
    const all = Buffer.concat([data, gap, data.subarray(0, 8 * KiB)])
    expect(await bench(sums).verify()).toEqual({ kind: 'same', crc32: crc32(all) })
    for (const at of [block + 5, 6 * block + 8 * KiB]) {
      const { disk, verify } = bench(sums)
      disk.bytes[at]! ^= 1
      expect(await verify()).toMatchObject({
        kind: 'different',
        differingBlocks: 1,
        first: { expected: expect.stringMatching(/^poly1305 [0-9a-f]{12}$/) },
      })
    }
  })

  it('does not read unused space', async () => {
    const { disk, verify } = bench()
    const read: number[] = []
    disk.faults = { onRead: ({ offset }) => void read.push(offset) }
    await verify()
    const from = 5 * block
    expect(read.filter((offset) => offset >= from && offset < from + block + 8 * KiB)).toEqual([])
  })

  it("trusts the image's own checksums over its own", async () => {
    const { verify } = bench()
    const { layout } = new FakeMachine().addImage('/a.dmg', [
      { kind: 'raw', bytes: data },
      { kind: 'zero', lengthBytes: 2 * block },
      { kind: 'ignore', lengthBytes: block + 8 * KiB },
      { kind: 'raw', bytes: data.subarray(0, 8 * KiB) },
    ])
    expect(await verify({ checker: createDiskChecker(layout) })).toMatchObject({ kind: 'same' })
    const [check] = layout.checks
    const wrong = { ...layout, checks: [{ ...check!, crc32: check!.crc32 ^ 1 }] }
    expect(await bench().verify({ checker: createDiskChecker(wrong) })).toMatchObject({
      kind: 'contradicts',
      bad: { expected: check!.crc32 ^ 1, found: check!.crc32 },
    })
  })

  it('reads ahead while it compares, with as many buffers as it was given', async () => {
    for (const buffers of [1, 3]) {
      const { disk, verify } = bench()
      let now = 0
      let most = 0
      disk.faults = {
        onRead: async () => {
          most = Math.max(most, ++now)
          await new Promise((done) => setTimeout(done, 1))
          now -= 1
        },
      }
      await verify({ buffers })
      expect(most).toBe(buffers)
    }
  })
})
