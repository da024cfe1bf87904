import { isIP } from 'node:net'
import { describe, expect, it } from 'vitest'
import { addressNumber, ipv4Number } from '#shared/model'
import { seededRandom } from '#test/seeded'

describe('an address as a number', () => {
  it.each([
    ['0.0.0.0', 0xffff_0000_0000n],
    ['10.0.3.7', 0xffff_0a00_0307n],
    ['255.255.255.255', 0xffff_ffff_ffffn],
    ['::ffff:10.0.3.7', 0xffff_0a00_0307n],
    ['::', 0n],
    ['::1', 1n],
    ['1::', 1n << 112n],
    ['fd00::7%eth0', (0xfd00n << 112n) + 7n],
    ['1:2:3:4:5:6:7:8', 0x0001_0002_0003_0004_0005_0006_0007_0008n],
    ['1:2:3:4:5:6:7::', 0x0001_0002_0003_0004_0005_0006_0007_0000n],
    ['FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:255.255.255.255', (1n << 128n) - 1n],
  ])('is read from %s', (text, number) => expect(addressNumber(text)).toBe(number))

  it.each(['', '1.2.3', '01.2.3.4', '1.2.3.256', '1.2.3.4%eth0', ':', ':::', '1::2::3', '1:2:3:4:5:6:7:8::'])(
    'is none of %j',
    (text) => expect(addressNumber(text)).toBeNull(),
  )

  it('of IPv4 has 32 bits', () => {
    expect(ipv4Number('10.0.3.7')).toBe(0x0a00_0307)
    expect(ipv4Number('::1')).toBeNull()
  })

  it('is one exactly where the system knows one', () => {
    const random = seededRandom(7)
    const pick = <T>(from: readonly T[]) => from[random.below(from.length)] as T
    const pieces = [
      '::',
      ':',
      ':',
      '.',
      '.',
      '0',
      '1',
      '9',
      'f',
      'ab',
      '255',
      '256',
      '00',
      '1234',
      '12345',
      'g',
      '-',
    ]
    const alike = ['1:2:3:4:5:6:7:8', '10.0.3.7', '::ffff:10.0.3.7', 'fd00::7', '1::2:3:4:5:6:7']
    for (let round = 0; round < 20_000; round += 1) {
      let text = pick(['', '', ...alike])
      for (let count = random.below(9); count > 0; count -= 1) {
        const at = random.below(text.length + 1)
        text = text.slice(0, at) + pick(pieces) + text.slice(at + random.below(2))
      }
      expect(`${text} ${addressNumber(text) !== null}`).toBe(`${text} ${isIP(text) !== 0}`)
    }
  })
})
