import { describe, expect, it } from 'vitest'
import { suggestGroup } from '#shared/model'

describe('the suggested address', () => {
  it('is the same for the same name, however its letters are composed', () => {
    expect(suggestGroup('ModularSystem')).toBe('239.255.0.165')
    expect(suggestGroup('Schule Köln')).toBe(suggestGroup('Schule Ko\u0308ln'))
    expect(suggestGroup('')).toBe('')
  })

  it('is one that streams may have, spread over the whole range', () => {
    const groups = Array.from({ length: 2000 }, (_, index) => suggestGroup(`Lab ${index}`))
    for (const group of groups)
      expect(group).toMatch(
        /^239\.255\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\.([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-4])$/,
      )
    expect(new Set(groups).size).toBeGreaterThan(1900)
  })
})
