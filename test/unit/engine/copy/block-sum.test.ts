import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { crc32Sums, quickestSums, shownSum, type BlockSums } from '#src/main/engine/copy/block-sum.ts'

const MiB = 2 ** 20
const poly1305Sums = quickestSums(MiB)
const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) ^ (index >> 8))

const sumOf = (sums: BlockSums, ...pieces: readonly (Uint8Array | number)[]) => {
  const sum = sums.create()
  for (const piece of pieces)
    if (typeof piece === 'number') sum.addZeros(piece)
    else sum.add(piece)
  return sum.take()
}

describe.each([crc32Sums, poly1305Sums])('the sum of a block, $kind', (sums) => {
  it('is the same however the block comes', () => {
    const whole = sumOf(sums, bytes)
    expect(sumOf(sums, bytes.subarray(0, 1), bytes.subarray(1, 40_003), bytes.subarray(40_003))).toBe(whole)
    expect(Number.isSafeInteger(whole)).toBe(true)
  })

  it('is another when a bit, the length or the order is', () => {
    const whole = sumOf(sums, bytes)
    const changed = bytes.slice()
    changed[69_999]! ^= 1
    expect(sumOf(sums, changed)).not.toBe(whole)
    expect(sumOf(sums, bytes, 1)).not.toBe(whole)
    expect(sumOf(sums, bytes.subarray(100), bytes.subarray(0, 100))).not.toBe(whole)
  })

  it('counts zeros as if they had been told', () => {
    const zeros = new Uint8Array(2 * MiB + 5)
    expect(sumOf(sums, zeros.length, bytes, 7)).toBe(sumOf(sums, zeros, bytes, zeros.subarray(0, 7)))
    expect(sumOf(sums, 0)).toBe(sumOf(sums))
  })

  it('begins anew for the next block', () => {
    const sum = sums.create()
    sum.add(bytes)
    const first = sum.take()
    sum.addZeros(3)
    sum.take()
    sum.add(bytes)
    expect(sum.take()).toBe(first)
  })
})

describe('the sums of a restore', () => {
  it('are a CRC-32 where nothing quicker is there, or blocks are small', () => {
    expect(poly1305Sums.kind).toBe('poly1305')
    expect(quickestSums(64 * 1024)).toBe(crc32Sums)
    const without = quickestSums(MiB, () => {
      throw new Error('Unknown cipher')
    })
    expect(without).toBe(crc32Sums)
  })

  it('take a CRC-32 that is known', () => {
    const sum = crc32Sums.create()
    sum.add(bytes.subarray(0, 10))
    sum.add(bytes.subarray(10), crc32(bytes.subarray(10)))
    expect(sum.take()).toBe(crc32(bytes))
  })

  it('cannot be foretold', () => {
    expect(sumOf(quickestSums(MiB), bytes)).not.toBe(sumOf(poly1305Sums, bytes))
  })

  it('are shown with their name', () => {
    expect(shownSum(crc32Sums, 0xabc)).toBe('crc32 00000abc')
    expect(shownSum(poly1305Sums, 0xabc)).toBe('poly1305 000000000abc')
  })
})
