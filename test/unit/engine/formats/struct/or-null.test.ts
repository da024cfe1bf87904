import { describe, expect, it } from 'vitest'
import { corrupt, parsedOrNull, readOrNull } from '#engine/formats/struct'

const damaged = () => {
  throw corrupt({ format: 'test', field: 'field', offset: 0 })
}
const broken = () => {
  throw new TypeError('a mistake of ours')
}

describe('what is only looked at', () => {
  it('is null when it is damaged', async () => {
    expect(parsedOrNull(damaged)).toBeNull()
    expect(await readOrNull(Promise.resolve().then(damaged))).toBeNull()
  })

  it('is itself when it is not', async () => {
    expect(parsedOrNull(() => 5)).toBe(5)
    expect(await readOrNull(Promise.resolve(5))).toBe(5)
  })

  it('hides no other error', async () => {
    expect(() => parsedOrNull(broken)).toThrow(TypeError)
    await expect(readOrNull(Promise.resolve().then(broken))).rejects.toThrow(TypeError)
  })
})
