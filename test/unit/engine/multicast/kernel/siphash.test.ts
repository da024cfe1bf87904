import { describe, expect, test } from 'vitest'
import { kernelMemory, loadKernel } from '#engine/multicast/kernel'

const memory = kernelMemory(4096)
const bytes = new Uint8Array(memory.buffer)
const kernel = loadKernel(memory)

function siphash(key: Uint8Array, message: Uint8Array): string {
  bytes.set(key, 0)
  bytes.set(message, 16)
  kernel.siphash(0, 16, message.length, 4000)
  return Buffer.from(bytes.subarray(4000, 4008)).toString('hex')
}

describe('siphash', () => {
  // The key is 00 01 … 0f, the message 00 01 02 …: the reference implementation's vectors for whole words.
  test.each([
    [0, '310e0edd47db6f72'],
    [8, '6224939a79f5f593'],
    [16, 'db9bc2577fcc2a3f'],
  ])('of %i bytes is what the authors publish', (lengthBytes, expected) => {
    const counting = Uint8Array.from({ length: 64 }, (_, index) => index)
    expect(siphash(counting.subarray(0, 16), counting.subarray(0, lengthBytes))).toBe(expected)
  })

  test('is the specification written down in plain integers', () => {
    const key = Uint8Array.from({ length: 16 }, (_, index) => index * 7 + 3)
    for (const lengthBytes of [0, 8, 248, 256, 264, 1432]) {
      const message = Uint8Array.from({ length: lengthBytes }, (_, index) => (index * index) >> 3)
      expect(siphash(key, message)).toBe(slowSiphash(key, message))
    }
  })
})

function slowSiphash(key: Uint8Array, message: Uint8Array): string {
  const word = (from: Uint8Array, at: number) =>
    from.slice(at, at + 8).reduceRight((value, byte) => value * 256n + BigInt(byte), 0n)
  const mask = (value: bigint) => BigInt.asUintN(64, value)
  const rotate = (value: bigint, bits: bigint) => mask(value << bits) | (value >> (64n - bits))
  const state = ['somepseu', 'dorandom', 'lygenera', 'tedbytes'].map(
    (letters, index) => BigInt(`0x${Buffer.from(letters).toString('hex')}`) ^ word(key, (index % 2) * 8),
  ) as [bigint, bigint, bigint, bigint]
  const half = (a: 0 | 1 | 2 | 3, b: 0 | 1 | 2 | 3, bits: bigint) => {
    state[a] = mask(state[a] + state[b])
    state[b] = rotate(state[b], bits) ^ state[a]
  }
  const round = () => {
    half(0, 1, 13n)
    half(2, 3, 16n)
    state[0] = rotate(state[0], 32n)
    half(2, 1, 17n)
    half(0, 3, 21n)
    state[2] = rotate(state[2], 32n)
  }
  const words = Array.from({ length: message.length / 8 }, (_, index) => word(message, index * 8))
  for (const next of [...words, BigInt(message.length % 256) << 56n]) {
    state[3] ^= next
    round()
    round()
    state[0] ^= next
  }
  state[2] ^= 0xffn
  for (let count = 0; count < 4; count++) round()
  const hash = state[0] ^ state[1] ^ state[2] ^ state[3]
  return Buffer.from(Buffer.from(hash.toString(16).padStart(16, '0'), 'hex').toReversed()).toString('hex')
}
