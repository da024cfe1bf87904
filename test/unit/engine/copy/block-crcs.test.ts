import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ExtentLayout } from '#engine/formats/extents'
import { BlockCrcs } from '#src/main/engine/copy/block-crcs.ts'
import { HashedBlocks } from '#src/main/engine/pipeline/hashed-blocks.ts'
import { FakeMachine, hashesOf, type FakeRun } from '#test/fake-platform'

const KiB = 1024
const blockBytes = 64 * KiB

const bytesOf = (length: number, seed: number) => Uint8Array.from({ length }, (_, at) => (at * seed) % 251)

/** Unused space at the end of one block, in the middle of another, and two whole blocks of it. */
const runs: readonly FakeRun[] = [
  { kind: 'raw', bytes: bytesOf(60 * KiB, 3) },
  { kind: 'ignore', lengthBytes: 30 * KiB },
  { kind: 'raw', bytes: bytesOf(20 * KiB, 5) },
  { kind: 'ignore', lengthBytes: 10 * KiB },
  { kind: 'zero', lengthBytes: 72 * KiB },
  { kind: 'ignore', lengthBytes: 128 * KiB },
  { kind: 'raw', bytes: bytesOf(100 * KiB + 512, 7) },
]

/** What is unused left out. */
function crcOf(disk: Uint8Array, from: number, to: number): number {
  let crc = 0
  for (let at = from; at < to; at += 512) {
    const ignored = runs.reduce(
      ({ end, isIn }, run) => {
        const next = end + (run.kind === 'raw' ? run.bytes.length : run.lengthBytes)
        return { end: next, isIn: isIn || (run.kind === 'ignore' && at >= end && at < next) }
      },
      { end: 0, isIn: false },
    ).isIn
    if (!ignored) crc = crc32(disk.subarray(at, Math.min(to, at + 512)), crc)
  }
  return crc
}

function bench() {
  const made = new FakeMachine().addImage('/a.dmg', runs)
  const size = made.expanded.length
  // Ranges that begin and end inside blocks, with gaps; one is empty.
  const ranges = [
    [512, 40 * KiB],
    [50 * KiB, 70 * KiB],
    [70 * KiB, 70 * KiB],
    [100 * KiB, 300 * KiB],
    [400 * KiB, size],
  ] as const
  const checks = ranges.map(([from, to], index) => ({
    name: `range ${index}`,
    diskOffset: from,
    diskBytes: to - from,
    crc32: crcOf(made.expanded, from, to),
  }))
  const layout: ExtentLayout = { ...made.layout, checks }
  const blocks = HashedBlocks.of(hashesOf(made.expanded, blockBytes), size, '/a.dmg')
  if (blocks === null) throw new Error('no blocks')
  return { layout, blocks, disk: made.expanded }
}

const blockOf = (disk: Uint8Array, index: number) =>
  disk.subarray(index * blockBytes, (index + 1) * blockBytes)

describe('checksums of blocks in any order', () => {
  it('add up to those of the image and of the whole disk', () => {
    const { layout, blocks, disk } = bench()
    const crcs = new BlockCrcs(layout, blocks)
    for (const index of [3, 0, 6, 1, 5, 4, 2]) crcs.set(index, blockOf(disk, index))
    expect(crcs.finish()).toEqual({ crc32: crc32(disk), bad: null })
  })

  it('count what a block held the last time', () => {
    const { layout, blocks, disk } = bench()
    const crcs = new BlockCrcs(layout, blocks)
    for (let index = 0; index < blocks.count; index++) crcs.set(index, new Uint8Array(blockBytes).fill(index))
    for (let index = 0; index < blocks.count; index++) crcs.set(index, blockOf(disk, index))
    expect(crcs.finish()).toEqual({ crc32: crc32(disk), bad: null })
  })

  it('do not care for what unused space holds', () => {
    const { layout, blocks, disk } = bench()
    const other = disk.slice()
    other.fill(0x99, 60 * KiB, 90 * KiB)
    const crcs = new BlockCrcs(layout, blocks)
    for (let index = 0; index < blocks.count; index++) crcs.set(index, blockOf(other, index))
    expect(crcs.finish()).toEqual({ crc32: crc32(disk), bad: null })
  })

  it.each([
    [600, 'range 0'],
    [55 * KiB, 'range 1'],
    [120 * KiB, 'range 3'],
    [420 * KiB + 511, 'range 4'],
  ])('name the range in which byte %i is wrong', (at, name) => {
    const { layout, blocks, disk } = bench()
    const other = disk.slice()
    other[at]! ^= 1
    const crcs = new BlockCrcs(layout, blocks)
    for (let index = 0; index < blocks.count; index++) crcs.set(index, blockOf(other, index))
    expect(crcs.finish().bad).toMatchObject({ name })
  })

  it('say nothing of bytes that are in no range', () => {
    const { layout, blocks, disk } = bench()
    const other = disk.slice()
    other[45 * KiB]! ^= 1
    const crcs = new BlockCrcs(layout, blocks)
    for (let index = 0; index < blocks.count; index++) crcs.set(index, blockOf(other, index))
    expect(crcs.finish()).toEqual({ crc32: crc32(other), bad: null })
  })
})
