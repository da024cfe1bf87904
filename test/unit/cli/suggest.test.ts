import { describe, expect, it } from 'vitest'
import { suggest } from '#src/main/cli/suggest.ts'

const names = ['source', 'target', 'erase', 'noprompt', 'noverify', 'buffers', 'buffersize', 'SHA256']

describe('suggest', () => {
  it.each([
    ['sorce', 'source'],
    ['taregt', 'target'],
    ['no-verify', 'noverify'],
    ['buffer', 'buffers'],
    ['sha256', 'SHA256'],
    ['ERASE', 'erase'],
  ])('takes %s for %s', (typed, meant) => {
    expect(suggest(typed, names)).toBe(meant)
  })

  it.each(['x', '', 'destination', 'a'.repeat(5000)])('knows nothing like %s', (typed) => {
    expect(suggest(typed, names)).toBeNull()
  })
})
