import { expect, test } from 'vitest'
import { createWriteMeter } from '#src/main/engine/multicast/receiver/write-meter.ts'

test('a disk that keeps up is measured by the time it was busy', () => {
  const meter = createWriteMeter()
  // A megabyte every second, written within 20 ms: 50 MB/s.
  for (let second = 0; second < 20; second++) {
    meter.handed(1_000_000, second * 1000)
    meter.written(1_000_000, second * 1000 + 20)
  }
  expect(meter.bytesPerSecond).toBe(50_000_000)
  expect(meter.backlogBytes).toBe(0)
})

test('a disk that falls behind is measured without a pause, and nothing is told too early', () => {
  const meter = createWriteMeter()
  for (let piece = 0; piece < 10; piece++) meter.handed(1_000_000, 0)
  meter.written(1_000_000, 100)
  expect(meter.bytesPerSecond).toBe(0)
  for (let piece = 2; piece <= 10; piece++) meter.written(1_000_000, piece * 100)
  expect(meter.bytesPerSecond).toBeCloseTo(10_000_000)
  expect(meter.backlogBytes).toBe(0)
})

test('what is given up is neither owed nor written', () => {
  const meter = createWriteMeter()
  meter.handed(5, 0)
  meter.dropped(5)
  expect([meter.backlogBytes, meter.bytesPerSecond]).toEqual([0, 0])
})
