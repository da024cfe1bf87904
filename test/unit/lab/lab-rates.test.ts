import { describe, expect, it } from 'vitest'
import { measureRates, mostWithin } from '#test/lab-rates'

const packets = (...list: readonly (readonly [ms: number, bytes: number])[]) =>
  list.map(([ms, bytes]) => ({ ms, bytes }))

describe('measureRates', () => {
  it('averages what followed the first packet over the time it took', () => {
    const rates = measureRates(packets([0, 5000], [10, 1000], [20, 1000]))
    expect(rates).toMatchObject({ packets: 3, bytes: 7000, ms: 20, average: 100_000 })
  })

  it('finds the fullest 10 ms wherever they begin', () => {
    // 3,000 bytes from 8 to 17 ms, though no window on a grid of 10 ms holds more than 2,000.
    const { highestIn10Ms } = measureRates(packets([0, 100], [8, 1000], [9, 1000], [17, 1000], [40, 100]))
    expect(highestIn10Ms).toBe(300_000)
  })

  it('doesn’t count a packet exactly 10 ms after another with it', () => {
    expect(mostWithin(packets([0, 1000], [10, 1000], [20, 1000]), 10)).toBe(1000)
    expect(mostWithin(packets([0, 1000], [9.999, 1000]), 10)).toBe(2000)
  })

  it('has nothing to say of nothing', () => {
    expect(measureRates([])).toEqual({ packets: 0, bytes: 0, ms: 0, average: 0, highestIn10Ms: 0 })
    expect(measureRates(packets([5, 1000]))).toMatchObject({ average: 0, highestIn10Ms: 100_000 })
  })
})
