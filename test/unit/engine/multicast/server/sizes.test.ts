import { describe, expect, it } from 'vitest'
import { SendMeter } from '#src/main/engine/multicast/port/send-meter.ts'
import { blockBytesForStream, symbolBytesFor } from '#src/main/engine/multicast/server/symbol-size.ts'

describe('sizes of a stream', () => {
  it.each([
    [1500, 1408],
    [9000, 1408],
    [65_536, 1408],
    [576, 480],
    [68, 16],
  ])('an MTU of %i gives symbols of %i bytes: clients may have usual frames', (mtu, symbolBytes) => {
    expect(symbolBytesFor(mtu)).toBe(symbolBytes)
  })

  it('a stream may be so long that its sections can be counted', () => {
    const symbolBytes = 1408
    expect(blockBytesForStream({ sizeBytes: 2.7 * 2 ** 40, symbolBytes })).toBeNull()
    expect(blockBytesForStream({ sizeBytes: 2.6 * 2 ** 40, symbolBytes })).toBe(2 ** 20)
    expect(blockBytesForStream({ sizeBytes: 1, symbolBytes })).toBe(2 ** 20)
  })
})

describe('the meter of what is sent', () => {
  it('tells what the last second brought', () => {
    const meter = new SendMeter()
    for (let nowMs = 0; nowMs < 3000; nowMs += 10) meter.add(1000, nowMs)
    expect(meter.sentBytes).toBe(300_000)
    expect(meter.perSecond(2999)).toBe(100_000)
    expect(meter.perSecond(3500)).toBeLessThan(60_000)
    expect(meter.perSecond(9000)).toBe(0)
    meter.add(5, 9001)
    expect(meter.perSecond(9002)).toBe(5)
  })
})
