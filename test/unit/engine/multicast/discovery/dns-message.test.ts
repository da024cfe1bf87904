import { describe, expect, test } from 'vitest'
import {
  decodeDns,
  encodeDns,
  nameKey,
  type DnsMessage,
} from '#src/main/engine/multicast/discovery/dns-message.ts'
import { FormatError } from '#shared/errors'
import { seededRandom } from '#test/seeded'

const service = ['_asr', '_tcp', 'local']
const message: DnsMessage = {
  id: 0,
  isResponse: true,
  questions: [{ name: service, type: 12 }],
  answers: [
    {
      name: service,
      isUnique: false,
      ttlSeconds: 120,
      data: { kind: 'ptr', target: ['Größe 10.6 lab', ...service] },
    },
  ],
  authorities: [],
  additionals: [
    {
      name: ['Größe 10.6 lab', ...service],
      isUnique: true,
      ttlSeconds: 120,
      data: { kind: 'srv', port: 7800, target: ['vm', 'local'] },
    },
    {
      name: ['Größe 10.6 lab', ...service],
      isUnique: true,
      ttlSeconds: 0,
      data: { kind: 'txt', strings: [Uint8Array.from(Buffer.from('size=12')), new Uint8Array()] },
    },
    {
      name: ['vm', 'local'],
      isUnique: true,
      ttlSeconds: 2 ** 32 - 1,
      data: { kind: 'a', address: '10.77.0.255' },
    },
  ],
}

/** A response with one PTR record whose data are these bytes, at offset 24. */
const withName = (...name: number[]) =>
  Uint8Array.of(0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 12, 0, 1, 0, 0, 0, 9, 0, name.length, ...name)

function attempt(bytes: Uint8Array): string {
  try {
    decodeDns(bytes)
    return 'read'
  } catch (error) {
    return error instanceof FormatError ? 'refused' : String(error)
  }
}

describe('a DNS message', () => {
  test('comes out as it went in, dots in labels and all', () => {
    expect(decodeDns(encodeDns(message))).toEqual(message)
  })

  test('that is cut anywhere is refused', () => {
    const bytes = encodeDns(message)
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeDns(bytes.subarray(0, length))).toThrow(FormatError)
  })

  test('is read where names are shortened', () => {
    const [, , ...rest] = encodeDns({ ...message, answers: [], additionals: [] })
    const bytes = Uint8Array.of(
      0,
      0,
      ...rest,
      1,
      65,
      0xc0,
      12,
      0,
      33,
      0,
      1,
      0,
      0,
      0,
      1,
      0,
      8,
      0,
      0,
      0,
      0,
      30,
      120,
      0xc0,
      17,
    )
    bytes[7] = 1
    expect(decodeDns(bytes).answers).toEqual([
      {
        name: ['A', ...service],
        isUnique: false,
        ttlSeconds: 1,
        data: { kind: 'srv', port: 7800, target: ['_tcp', 'local'] },
      },
    ])
  })

  test.each([
    ['to itself', [0xc0, 23]],
    ['ahead', [0xc0, 99]],
    ['into the header', [0xc0, 3]],
    ['in a circle', [1, 65, 0xc0, 23]],
    ['nowhere', [0xc0]],
  ])('with a pointer %s is refused', (_, name) => {
    expect(() => decodeDns(withName(...name))).toThrow(FormatError)
  })

  test('with more records than any of ours could need is refused before they are read', () => {
    const bytes = encodeDns({ ...message, answers: [], additionals: [], questions: [] })
    bytes.set([0xff, 0xff], 6)
    expect(() => decodeDns(bytes)).toThrow(/too many/)
  })

  test('of any bytes is read or refused, and nothing else', () => {
    const random = seededRandom(5)
    const good = encodeDns(message)
    for (let run = 0; run < 20_000; run++) {
      const bytes = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length)
      for (let change = 0; change <= random.below(4); change++)
        if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256)
      expect(['read', 'refused']).toContain(attempt(bytes))
    }
  })

  test('has names that are the same in any case of ASCII', () => {
    expect(nameKey(['Lab', 'LOCAL'])).toBe(nameKey(['lab', 'local']))
    expect(nameKey(['a.b'])).not.toBe(nameKey(['a', 'b']))
    expect(nameKey(['Ö'])).not.toBe(nameKey(['ö']))
  })
})
