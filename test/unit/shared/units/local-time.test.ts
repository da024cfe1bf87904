import { describe, expect, it } from 'vitest'
import { localTime } from '#shared/units'
import { visible } from '#shared/words'

const moment = Date.UTC(2026, 10, 22, 12)

describe('a moment', () => {
  it.each(['ar-EG', 'fa', 'he', 'de', 'en-US'])('has no marks of direction in it: %s', (locale) => {
    for (const dateStyle of ['short', 'medium', 'long'] as const) {
      const text = localTime(moment, { dateStyle, timeStyle: 'short' }, locale)
      expect(visible(text)).toBe(text)
      expect(text).toMatch(/[\d\u0660-\u0669\u06f0-\u06f9]{2}/)
    }
  })
})
