import { expect, test } from 'vitest'
import { countEncoders } from '#src/main/engine/convert/write-udif-image.ts'

test.each([
  ['zlib', 1, 1],
  ['zlib', 2, 2],
  ['zlib', 64, 5],
  ['bzip2', 2, 2],
  ['bzip2', 64, 2],
  ['lzma', 64, 3],
] as const)('%s on %i processors has %i threads, so that memory is bounded', (kind, cores, threads) => {
  expect(countEncoders(kind, cores)).toBe(threads)
})
