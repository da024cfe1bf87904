import { describe, expect, it } from 'vitest'
import { curvePath } from '#src/renderer/components/curve-path.ts'

describe('the curve', () => {
  it('runs from the left, with zero at the bottom', () => {
    expect(curvePath([0, 100], { width: 100, height: 110, room: 101 })).toBe('M0 110L1 10')
  })

  it('is flat when nothing moves', () => {
    expect(curvePath([0, 0], { width: 10, height: 10, room: 11 })).toBe('M0 10L1 10')
  })

  it('leaves room for a figure that is never reached', () => {
    expect(curvePath([0, 100], { width: 100, height: 110, room: 101, top: 200 })).toBe('M0 110L1 55')
  })
})
