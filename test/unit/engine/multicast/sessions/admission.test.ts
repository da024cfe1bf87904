import { describe, expect, test } from 'vitest'
import { isAdmitted } from '#engine/multicast/sessions'
import { parseAdmissionRule } from '#shared/model'

const applicant = (
  address: string,
  hostName = 'lab-07',
  hardware: readonly number[] = [0x3c, 7, 0x54, 10, 0x1b, 0x2c],
) => ({
  address,
  hostName,
  hardwareAddresses: [Uint8Array.from(hardware)],
})
const admits = (rules: readonly string[], ...who: Parameters<typeof applicant>) =>
  isAdmitted(rules.map(parseAdmissionRule), applicant(...who))

describe('a rule of admission', () => {
  test.each([
    ['10.0.3.7', '10.0.3.7', true],
    ['10.0.3.7', '10.0.3.8', false],
    ['10.0.3.7', '::ffff:10.0.3.7', true],
    ['10.0.3.0/24', '10.0.3.255', true],
    ['10.0.3.77/24', '10.0.3.1', true],
    ['10.0.3.0/24', '10.0.4.0', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', 'fd00::1', false],
    ['10.0.3.10-10.0.3.40', '10.0.3.40', true],
    ['10.0.3.10 - 10.0.3.40', '10.0.3.9', false],
    ['fd00::/64', 'fd00::1234:5%eth0', true],
    ['fd00::/64', 'fd00:0:0:1::1', false],
    ['fd00::7', 'fd00:0:0:0:0:0:0:7', true],
    ['lab-*', '1.2.3.4', true],
    ['*', '1.2.3.4', true],
    ['LAB-07', '1.2.3.4', true],
    ['lab', '1.2.3.4', false],
    ['*-07', '1.2.3.4', true],
    ['l*b*7', '1.2.3.4', true],
    ['lab-07*7', '1.2.3.4', false],
    ['3C-07-54-0A-1B-2C', '1.2.3.4', true],
    ['3c:07:54:0a:1b:2d', '1.2.3.4', false],
  ])('%s lets %s in: %s', (rule, address, expected) => {
    expect(admits([rule], address)).toBe(expected)
  })

  test.each([
    '',
    '!',
    '10.0.3',
    '10.0.3.0/33',
    '10.0.3.0/',
    '10.0.3.9-10.0.3.1',
    '10.0.3.1-',
    'a b',
    'x/24',
    '300.1.1.1',
    '10.0.3.*',
  ])('is refused when it is none: %j', (text) => {
    expect(() => parseAdmissionRule(text)).toThrow(/not a rule/)
  })

  test('decides when it is the first that fits; whom none fits is out, and without rules nobody is', () => {
    expect(admits(['!10.0.3.7', '10.0.3.0/24'], '10.0.3.7')).toBe(false)
    expect(admits(['!10.0.3.7', '10.0.3.0/24'], '10.0.3.8')).toBe(true)
    expect(admits(['10.0.3.0/24', '!10.0.3.7'], '10.0.3.7')).toBe(true)
    expect(admits(['!10.0.3.7'], '10.0.3.8')).toBe(false)
    expect(admits([], '10.0.3.8')).toBe(true)
  })

  test('with a hundred stars takes no longer than one without', () => {
    expect(admits([`${'a*'.repeat(100)}b`], '1.1.1.1', 'a'.repeat(250))).toBe(false)
  })
})
