import { expect, test } from 'vitest'
import { allocateRing, RingFiller, RingReader, RingStopped } from '#src/main/engine/pipeline/ring.ts'

const noZeros = () => 0
const pair = (slots: number) => {
  const ring = allocateRing(slots, 4096)
  return { filler: new RingFiller(ring), other: new RingFiller(ring), reader: new RingReader(ring) }
}

test('claims are given once each, in order, whoever asks', () => {
  const { filler, other } = pair(2)
  expect([filler.claim(), other.claim(), other.claim(), filler.claim()]).toEqual([0, 1, 2, 3])
})

test('a block is whole when all of its bytes were counted, in any order, by anyone', async () => {
  const { filler, other, reader } = pair(2)
  const next = reader.next(0)
  filler.fill(0, 1000, 4096, noZeros)
  other.fill(0, 3000, 4096, noZeros)
  expect(await Promise.race([next, Promise.resolve('not yet')])).toBe('not yet')
  filler.fill(0, 96, 4096, () => 0b101)
  expect(await next).toEqual({ filledBytes: 4096, zeroPieces: 0b101, isFailed: false, isLast: false })
})

test('a slot opens for its next block when the one before was released, and not earlier', async () => {
  const { filler, reader } = pair(2)
  expect([0, 1, 2, 3].map((block) => filler.hasRoom(block))).toEqual([true, true, false, false])
  filler.fill(0, 4096, 4096, noZeros)
  filler.fill(1, 4096, 4096, noZeros)
  expect(filler.hasRoom(2)).toBe(false)
  // Released out of order.
  reader.release(1)
  expect([2, 3].map((block) => filler.hasRoom(block))).toEqual([false, true])
  const room = filler.waitForRoomLater(2)
  reader.release(0)
  await room
  expect(filler.hasRoom(2)).toBe(true)
  expect(filler.hasRoom(0)).toBe(false)
  // And begins at nothing.
  filler.fill(2, 10, 20, noZeros)
  filler.fill(2, 10, 20, noZeros)
  expect(await reader.next(2)).toMatchObject({ filledBytes: 20, zeroPieces: 0, isFailed: false })
})

test('a mark goes with its block', async () => {
  const { filler, reader } = pair(1)
  filler.markFailed(0)
  filler.fill(0, 512, 512, noZeros)
  expect(await reader.next(0)).toMatchObject({ isFailed: true, isLast: false })
  reader.release(0)
  filler.complete(1, { filledBytes: 100, zeroPieces: 1, isLast: true })
  expect(await reader.next(1)).toEqual({ filledBytes: 100, zeroPieces: 1, isFailed: false, isLast: true })
})

test('a stop wakes everyone and is final', async () => {
  const { filler, reader } = pair(1)
  const next = reader.next(0)
  const room = filler.waitForRoomLater(1)
  reader.stop()
  expect(await next).toBe(null)
  await expect(room).rejects.toThrow(RingStopped)
  expect(filler.isStopped).toBe(true)
  expect(() => filler.waitForRoom(0)).toThrow(RingStopped)
  // Work that was under way neither fails nor starts it again.
  filler.fill(0, 4096, 4096, noZeros)
  reader.release(0)
  expect(await reader.next(0)).toBe(null)
  expect(filler.hasRoom(1)).toBe(false)
})

test('mistakes are noticed: bytes counted twice, blocks released twice or never filled', () => {
  const { filler, reader } = pair(2)
  filler.fill(0, 4096, 4096, noZeros)
  expect(() => filler.fill(0, 1, 4096, noZeros)).toThrow('twice')
  reader.release(0)
  expect(() => reader.release(0)).toThrow('released twice')
})

test('a slot lies at its own pages, and a view of two windows runs on into the next slot', () => {
  const { filler } = pair(3)
  const first = filler.view(4, 100, 8000)
  const second = filler.view(5, 0, 10)
  first[4096 - 100] = 77
  expect(second[0]).toBe(77)
  expect(filler.view(7, 0, 4096).byteOffset).toBe(first.byteOffset - 100)
})
