import { describe, expect, it } from 'vitest'
import { composedName, fittingName, fitsSessionName } from '#shared/model'

describe('the name of a session', () => {
  it('is the same however its accents are written', () => {
    expect(composedName('Übungsraum'.normalize('NFD'))).toBe('Übungsraum'.normalize('NFC'))
  })

  it.each([
    ['x'.repeat(63), true],
    ['x'.repeat(64), false],
    ['Ü'.repeat(63), true],
    // So many fit whole into what is announced on the network.
    ['\u{1F600}'.repeat(61), true],
    ['\u{1F600}'.repeat(62), false],
  ])('%s fits: %j', (name, fits) => {
    expect(fitsSessionName(name)).toBe(fits)
    expect(fitsSessionName(fittingName(name))).toBe(true)
    expect(fittingName(name) === name).toBe(fits)
  })

  it('made of a long one is its beginning, in whole characters, with room for what is put behind it', () => {
    expect(fittingName('x'.repeat(80), 5)).toBe('x'.repeat(58))
    expect(fittingName('\u{1F600}'.repeat(80), 5)).toBe('\u{1F600}'.repeat(58))
    expect(fittingName('\u{1F600}'.repeat(80), 10)).toBe('\u{1F600}'.repeat(53))
    expect(fittingName('Ü'.normalize('NFD').repeat(80))).toBe('Ü'.normalize('NFC').repeat(63))
  })
})
