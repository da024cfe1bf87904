import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Stretch } from '#src/main/engine/copy/block-checksums.ts'
import { WrittenBlocks } from '#src/main/engine/copy/written-blocks.ts'

const told = (written: WrittenBlocks, ...stretches: readonly Stretch[]) =>
  [...written.among(stretches)].map(({ kind, offset, lengthBytes }) => `${kind} ${offset}+${lengthBytes}`)

describe('which blocks were written', () => {
  it('is remembered of disks of any size', () => {
    const written = new WrittenBlocks(1000)
    written.add(5_000_000, 10)
    written.add(10, 1)
    written.add(2_999_999_999, 2)
    const data = (offset: number): Stretch => ({ kind: 'data', offset, lengthBytes: 1000, sum: 7 })
    expect(told(written, data(0), data(1000), data(4_999_000), data(5_000_000))).toEqual([
      'data 0+1000',
      'known 1000+1000',
      'known 4999000+1000',
      'data 5000000+1000',
    ])
    expect(told(written, data(2_999_999_000), data(3_000_000_000), data(3_000_001_000))).toEqual([
      'data 2999999000+1000',
      'data 3000000000+1000',
      'known 3000001000+1000',
    ])
  })

  it('cuts zeros at the blocks that were written', () => {
    const written = new WrittenBlocks(1000)
    written.add(3500, 1000)
    const zero: Stretch = { kind: 'zero', offset: 1000, lengthBytes: 5500 }
    expect(told(written, zero)).toEqual(['known 1000+2000', 'zero 3000+2000', 'known 5000+1500'])
    const [first] = written.among([zero])
    expect(first).toMatchObject({ crc32: crc32(new Uint8Array(2000)) })
  })

  it('does not matter for unused space', () => {
    const written = new WrittenBlocks(1000)
    written.add(0, 5000)
    expect(told(written, { kind: 'unused', offset: 0, lengthBytes: 9000 })).toEqual(['unused 0+9000'])
  })

  it('says nothing for no bytes at all', () => {
    const written = new WrittenBlocks(1000)
    written.add(500, 0)
    expect(told(written, { kind: 'zero', offset: 0, lengthBytes: 1000 })).toEqual(['known 0+1000'])
  })
})
