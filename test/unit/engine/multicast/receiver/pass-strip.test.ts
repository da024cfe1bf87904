import { expect, test } from 'vitest'
import { planStream } from '#engine/multicast/layout'
import { createPassStrip } from '#engine/multicast/receiver'

/** A hundred blocks of one section of eight symbols. */
const layout = planStream({ sizeBytes: 100 * 128, blockBytes: 128, symbolBytes: 16 })
const walkOver = (strip: ReturnType<typeof createPassStrip>, from: number, to: number) => {
  for (let block = from; block < to; block++)
    for (let number = 0; number < 8; number++) strip.symbol(block, number)
}

test('begins empty', () => {
  expect(createPassStrip(layout).passes()).toEqual([' '.repeat(50)])
})

test('shows what came, what was missed and where the stream is', () => {
  const strip = createPassStrip(layout)
  walkOver(strip, 0, 21)
  for (let block = 0; block < 10; block++) strip.received(block)
  strip.received(12)
  strip.received(20)
  expect(strip.passes()).toEqual([`.....xxxxx-${' '.repeat(39)}`])
})

test('ends a pass where it began, in the middle too', () => {
  const strip = createPassStrip(layout)
  walkOver(strip, 50, 100)
  for (let block = 50; block < 100; block++) strip.received(block)
  expect(strip.passes()).toEqual([`${' '.repeat(25)}${'.'.repeat(25)}`])
  walkOver(strip, 0, 50)
  for (let block = 0; block < 48; block++) strip.received(block)
  expect(strip.passes()).toEqual([`${'.'.repeat(24)}-${'.'.repeat(25)}`])
  walkOver(strip, 50, 51)
  const ended = `${'.'.repeat(24)}x${'.'.repeat(25)}`
  expect(strip.passes()).toEqual([ended, `${'.'.repeat(24)} ${'.'.repeat(25)}`])
  strip.received(48)
  strip.received(49)
  expect(strip.passes()).toEqual([ended, '.'.repeat(50)])
})

test('knows where it began, whatever was here before', () => {
  const strip = createPassStrip(layout)
  for (const block of [3, 4, 5, 20, 21, 70]) strip.received(block)
  expect(strip.start()).toBe(null)
  walkOver(strip, 50, 60)
  expect(strip.start()).toBe(25)
  // A fiftieth that we came in the middle of is the last one.
  const middle = createPassStrip(layout)
  walkOver(middle, 51, 60)
  expect(middle.start()).toBe(26)
  const end = createPassStrip(layout)
  walkOver(end, 99, 100)
  expect(end.start()).toBe(0)
})

test('is not led astray by repairs, which are sent out of turn', () => {
  const strip = createPassStrip(layout)
  walkOver(strip, 0, 60)
  strip.symbol(3, 8)
  strip.symbol(3, 200)
  walkOver(strip, 60, 61)
  expect(strip.passes().length).toBe(1)
})

test('keeps the last twenty passes', () => {
  const strip = createPassStrip(layout)
  for (let pass = 0; pass < 30; pass++) walkOver(strip, 0, 100)
  expect(strip.passes().length).toBe(20)
})

test('forgets a block that could not be kept', () => {
  const strip = createPassStrip(layout)
  walkOver(strip, 0, 100)
  for (let block = 0; block < 100; block++) strip.received(block)
  strip.lost(99)
  expect(strip.passes()[0]).toBe(`${'.'.repeat(49)}-`)
})
