import { describe, expect, it } from 'vitest'
import { createPercentSteps } from '#src/main/cli/percent-steps.ts'

describe('percent steps', () => {
  it('come when they are reached, each once', () => {
    const steps = createPercentSteps()
    expect([0, 1, 2, 3, 7, 7, 5, 8, 99].map(steps).map((reached) => [...reached])).toEqual([
      [],
      [],
      [2],
      [],
      [4, 6],
      [],
      [],
      [8],
      Array.from({ length: 45 }, (_, index) => 10 + index * 2),
    ])
    expect(steps(1000)).toEqual([100])
    expect(steps(1000)).toEqual([])
  })
})
