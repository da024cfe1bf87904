import { expect, test } from 'vitest'
import { workerLocation } from '#engine/threads'

test('the program of a thread lies beside whoever starts it, in the sources and in a bundle', () => {
  const locate = (moduleUrl: string) => workerLocation('hash-worker', moduleUrl).href
  expect(locate('file:///src/hashing/hash-lane.ts')).toBe('file:///src/hashing/hash-worker.ts')
  expect(locate('file:///out/main/reprise.js')).toBe('file:///out/main/hash-worker.js')
  expect(locate('file:///out/main/connect-x1.js')).toBe('file:///out/main/hash-worker.js')
})
