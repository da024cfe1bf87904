import { afterEach, expect, test, vi } from 'vitest'
import { watchSilence } from '#src/main/engine/web-source/body.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('silence that nobody listens to any more keeps no process alive, whatever still comes', () => {
  vi.useFakeTimers()
  const silence = watchSilence(1000, () => undefined)
  silence.touch()
  expect(vi.getTimerCount()).toBe(1)
  silence.stop()
  silence.touch()
  expect(vi.getTimerCount()).toBe(0)
})
