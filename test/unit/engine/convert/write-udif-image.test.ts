import { expect, test } from 'vitest'
import { workerLocation } from '#src/main/engine/convert/worker-location.ts'
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

test('the program of the threads is looked for beside whoever starts them', () => {
  expect(workerLocation('file:///src/convert/encoder-pool.ts').href).toBe(
    'file:///src/convert/convert-worker.ts',
  )
  expect(workerLocation('file:///out/main/connect-x1.js').href).toBe('file:///out/main/convert-worker.js')
})
