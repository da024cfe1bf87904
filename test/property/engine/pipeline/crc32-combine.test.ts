import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { appendZeros, combineCrc32 } from '#engine/pipeline'

const bytes = fc.uint8Array({ maxLength: 3000 })

test('zeros counted are zeros read', () => {
  fc.assert(
    fc.property(bytes, fc.nat(5000), (head, zeros) => {
      expect(appendZeros(crc32(head), zeros)).toBe(crc32(Buffer.concat([head, Buffer.alloc(zeros)])))
    }),
    { seed: 1 },
  )
})

test('two halves combined are the whole', () => {
  fc.assert(
    fc.property(bytes, bytes, (first, second) => {
      const whole = crc32(Buffer.concat([first, second]))
      expect(combineCrc32(crc32(first), crc32(second), second.length)).toBe(whole)
    }),
    { seed: 2 },
  )
})

test('a terabyte of zeros takes no longer than a kilobyte', () => {
  // Counted in 2^20 steps of a mebibyte: the same as one step of 2^40.
  let crc = crc32(Buffer.from('reprise'))
  const at = appendZeros(crc, 2 ** 40)
  for (let step = 0; step < 2 ** 20; step++) crc = appendZeros(crc, 2 ** 20)
  expect(at).toBe(crc)
})

test('nothing has the CRC 0, and nothing more changes it', () => {
  expect(appendZeros(0, 0)).toBe(0)
  expect(appendZeros(0x12345678, 0)).toBe(0x12345678)
  expect(combineCrc32(0x12345678, 0, 0)).toBe(0x12345678)
  expect(combineCrc32(0, 0x12345678, 99)).toBe(0x12345678)
})
