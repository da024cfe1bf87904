import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BlockChecksums, checksumBlockBytes, isZeros } from '#src/main/engine/copy/block-checksums.ts'

const block = 16
const bytes = (lengthBytes: number, value: number) => new Uint8Array(lengthBytes).fill(value)
const rows = (checksums: BlockChecksums) =>
  [...checksums.stretches()].map((stretch) =>
    stretch.kind === 'data'
      ? [stretch.kind, stretch.offset, stretch.lengthBytes, stretch.sum]
      : [stretch.kind, stretch.offset, stretch.lengthBytes],
  )

describe('the checksums of what was written', () => {
  it('are one for each block, however the bytes came', () => {
    const checksums = new BlockChecksums(block)
    checksums.data(bytes(5, 1))
    checksums.data(bytes(30, 2))
    const all = Buffer.concat([bytes(5, 1), bytes(30, 2)])
    expect(rows(checksums)).toEqual([
      ['data', 0, 16, crc32(all.subarray(0, 16))],
      ['data', 16, 16, crc32(all.subarray(16, 32))],
      ['data', 32, 3, crc32(all.subarray(32))],
    ])
  })

  it('are made of a CRC-32 that is known already, where the bytes lie in one block', () => {
    const checksums = new BlockChecksums(block)
    const first = bytes(16, 1)
    checksums.data(first.subarray(0, 5))
    expect(checksums.roomBytes).toBe(11)
    checksums.data(first.subarray(5), crc32(first.subarray(5)))
    checksums.data(bytes(16, 2), 0x1234)
    // In two blocks: it says nothing of either.
    checksums.data(bytes(20, 3), 0x5678)
    expect(rows(checksums)).toEqual([
      ['data', 0, 16, crc32(first)],
      ['data', 16, 16, 0x1234],
      ['data', 32, 16, crc32(bytes(16, 3))],
      ['data', 48, 4, crc32(bytes(4, 3))],
    ])
  })

  it('count the zeros of a block in, before and after its data', () => {
    const checksums = new BlockChecksums(block)
    checksums.zero(5)
    checksums.data(bytes(3, 7))
    checksums.zero(8)
    const all = Buffer.concat([bytes(5, 0), bytes(3, 7), bytes(8, 0)])
    expect(rows(checksums)).toEqual([['data', 0, 16, crc32(all)]])
  })

  it('keep blocks of zeros as one row', () => {
    const checksums = new BlockChecksums(block)
    checksums.data(bytes(16, 1))
    checksums.zero(10)
    checksums.zero(6 + 16 * 1000)
    checksums.zero(3)
    expect(rows(checksums)).toEqual([
      ['data', 0, 16, crc32(bytes(16, 1))],
      ['zero', 16, 16 + 16_000 + 3],
    ])
    expect(checksums.sizeBytes).toBe(16 + 16 + 16_000 + 3)
  })

  it('leave unused space out, wherever it begins', () => {
    const checksums = new BlockChecksums(block)
    checksums.data(bytes(4, 1))
    checksums.unused(20)
    checksums.zero(4)
    checksums.data(bytes(6, 2))
    expect(rows(checksums)).toEqual([
      ['data', 0, 4, crc32(bytes(4, 1))],
      ['unused', 4, 20],
      ['data', 24, 8, crc32(Buffer.concat([bytes(4, 0), bytes(4, 2)]))],
      ['data', 32, 2, crc32(bytes(2, 2))],
    ])
  })

  it('take terabytes of zeros as some thousand rows', () => {
    const checksums = new BlockChecksums(1024 * 1024)
    checksums.zero(3 * 2 ** 40)
    checksums.unused(3 * 2 ** 40)
    const all = [...checksums.stretches()]
    expect(all.length).toBe(3072)
    expect(all.at(-1)!.offset + all.at(-1)!.lengthBytes).toBe(6 * 2 ** 40)
  })

  it('count in larger blocks on very large disks, so that they stay small', () => {
    const MiB = 1024 * 1024
    expect(checksumBlockBytes(MiB, null)).toBe(MiB)
    expect(checksumBlockBytes(MiB, 0)).toBe(MiB)
    expect(checksumBlockBytes(MiB, 2 ** 40)).toBe(MiB)
    expect(checksumBlockBytes(MiB, 2 ** 40 + 1)).toBe(2 * MiB)
    expect(checksumBlockBytes(MiB, 16 * 2 ** 40)).toBe(16 * MiB)
  })
})

describe('zeros', () => {
  it('are told from anything else, at any length and any place', () => {
    for (const length of [0, 1, 511, 4096, 1024 * 1024, 1024 * 1024 + 5]) {
      const zeros = new Uint8Array(length)
      expect(isZeros(zeros)).toBe(true)
      for (const at of [0, length >> 1, length - 1].filter((index) => index >= 0 && index < length)) {
        zeros[at] = 1
        expect(isZeros(zeros)).toBe(false)
        zeros[at] = 0
      }
    }
  })
})
