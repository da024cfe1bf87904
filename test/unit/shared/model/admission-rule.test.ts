import { describe, expect, it } from 'vitest'
import { serializeError, UsageError } from '#shared/errors'
import { parseAdmissionRule } from '#shared/model'
import { describeError } from '#shared/words'

/** What is said of a text that is no rule. */
function wrong(text: string): string {
  try {
    parseAdmissionRule(text)
    return 'a rule'
  } catch (error) {
    UsageError.accept(error)
    const { what, now } = describeError(serializeError(error))
    return `${what} ${now}`
  }
}

describe('a rule of admission', () => {
  it.each([
    ['lab-*', { verdict: 'may', match: { kind: 'host', pattern: 'lab-*' } }],
    [' ! LAB-07 ', { verdict: 'may not', match: { kind: 'host', pattern: 'lab-07' } }],
    ['3C-07-54-0A-1B-2C', { verdict: 'may', match: { kind: 'hardware', address: '3c:07:54:0a:1b:2c' } }],
    [
      '10.0.3.77/24',
      { verdict: 'may', match: { kind: 'addresses', first: 0xffff_0a00_0300n, last: 0xffff_0a00_03ffn } },
    ],
    [
      '10.0.3.10 - 10.0.3.40',
      { verdict: 'may', match: { kind: 'addresses', first: 0xffff_0a00_030an, last: 0xffff_0a00_0328n } },
    ],
    ['::/0', { verdict: 'may', match: { kind: 'addresses', first: 0n, last: (1n << 128n) - 1n } }],
  ])('is read from %j', (text, rule) => expect(parseAdmissionRule(text)).toEqual(rule))

  it.each([
    ['', 'A rule is empty. Name a computer, an address or a network.'],
    ['!', 'A rule is empty.'],
    ['10.0.3', "'10.0.3' is no address. An address looks like 10.0.3.7"],
    ['10.0.3.300', "'10.0.3.300' is no address."],
    ['10.0.3.*', "'10.0.3.*' is no address. Only names have a *. A network looks like 10.0.3.0/24."],
    [
      '3c:07:54:0a:1b',
      "'3c:07:54:0a:1b' is no address. An address looks like fd00::7, a hardware address like",
    ],
    ['10.0.3.0/33', "'10.0.3.0/33' is no network. Behind the / stands a number from 0 to 32"],
    ['10.0.3.0/', 'Behind the / stands a number from 0 to 32'],
    ['fd00::/129', 'Behind the / stands a number from 0 to 128'],
    ['lab/24', "'lab/24' is no network. A network looks like 10.0.3.0/24."],
    ['10.0.3.0/24/7', 'is no network.'],
    [
      '10.0.3.40-10.0.3.10',
      "'10.0.3.40-10.0.3.10' ends before it begins. In a range the lower address stands first",
    ],
    ['10.0.3.1-', "'10.0.3.1-' is no address."],
    ['lab 07', "'lab 07' is no name. A name has letters, digits, dots, hyphens and *, and no spaces."],
    ['a'.repeat(256), 'A name is too long. A name has at most 255 characters.'],
    ['?'.repeat(60), `'${'?'.repeat(47)}…' is no name.`],
    ['lab\u202e07', "'lab·07' is no name."],
  ])('is none of %j, and it is said why', (text, words) => expect(wrong(text)).toContain(words))
})
