import { expect, it } from 'vitest'
import { fileMoment } from '#shared/units'

it('names a file after its moment without a colon', () => {
  expect(fileMoment(new Date(2026, 0, 9, 8, 4).getTime())).toBe('2026-01-09 08.04')
})
