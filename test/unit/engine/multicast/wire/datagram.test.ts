import { describe, expect, test } from 'vitest'
import {
  createDatagramCoder,
  datagramHeaderBytes,
  splitDatagrams,
  type SymbolDatagram,
} from '#engine/multicast/wire'
import { seededBytes, seededRandom } from '#test/seeded'

const key = Uint8Array.from({ length: 16 }, (_, index) => index)
const session = { key, tag: 0xcafe_0001, symbolBytes: 32 }
const coder = createDatagramCoder(session)
const payload = Uint8Array.from({ length: 32 }, (_, index) => 0xa0 + index)
const symbol: SymbolDatagram = { kind: 'symbol', serial: 2 ** 40 + 5, section: 77, number: 200, payload }

describe('a datagram', () => {
  test('lies as the protocol draws it', () => {
    const bytes = Buffer.from(coder.encode(symbol))
    expect(bytes.length).toBe(64)
    expect(bytes.subarray(0, 24).toString('hex')).toBe('52504d0101c80000cafe00010000004d0000010000000005')
    expect(bytes.subarray(32)).toEqual(Buffer.from(payload))
    const position = coder.encode({ kind: 'position', serial: 9, section: 3, state: 'quiet' })
    expect(Buffer.from(position).subarray(0, 24).toString('hex')).toBe(
      '52504d0102020000cafe0001000000030000000000000009',
    )
  })

  test('comes out as it went in', () => {
    expect(coder.decode(coder.encode(symbol))).toEqual(symbol)
    const position = { kind: 'position', serial: 0, section: 0, state: 'ended' } as const
    expect(coder.decode(coder.encode(position))).toEqual(position)
  })

  test('is nothing to us when any bit of it was changed', () => {
    for (const datagram of [
      symbol,
      { kind: 'position', serial: 4, section: 1, state: 'streaming' } as const,
    ]) {
      const bytes = coder.encode(datagram)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = bytes.slice()
        changed[bit >> 3]! ^= 1 << (bit & 7)
        expect(coder.decode(changed).kind).toBe('rejected')
      }
    }
  })

  test('is nothing to us without its end, with bytes more, or from a session with another key', () => {
    const bytes = coder.encode(symbol)
    for (let length = 0; length < bytes.length; length++)
      expect(coder.decode(bytes.slice(0, length)).kind).toBe('rejected')
    expect(coder.decode(Buffer.concat([bytes, Buffer.alloc(8)]))).toEqual({
      kind: 'rejected',
      why: 'foreign',
    })
    const other = createDatagramCoder({ ...session, key: key.map((byte) => byte + 1) })
    expect(other.decode(bytes)).toEqual({ kind: 'rejected', why: 'forged' })
    const elsewhere = createDatagramCoder({ ...session, tag: 1 })
    expect(elsewhere.decode(bytes)).toEqual({ kind: 'rejected', why: 'foreign' })
  })

  test('of a version we do not know is told apart from garbage', () => {
    const bytes = coder.encode(symbol)
    bytes[3] = 2
    expect(coder.decode(bytes)).toEqual({ kind: 'rejected', why: 'unknown' })
  })

  test('is never taken from random bytes, of any length, however they begin', () => {
    const random = seededRandom(1)
    for (let run = 0; run < 3000; run++) {
      const bytes = seededBytes(random, random.below(160))
      const begin = coder.encode(symbol).subarray(0, random.below(datagramHeaderBytes))
      bytes.set(begin.subarray(0, Math.min(begin.length, bytes.length)))
      expect(coder.decode(bytes).kind).toBe('rejected')
    }
  })
})

describe('datagrams that the system handed over as one', () => {
  const split = (joined: Uint8Array) => {
    const parts: Uint8Array[] = []
    splitDatagrams(joined, session.symbolBytes, (part) => parts.push(part))
    return parts
  }
  const position = coder.encode({ kind: 'position', serial: 4, section: 1, state: 'streaming' })
  const symbols = (count: number) =>
    Array.from({ length: count }, (_, index) => coder.encode({ ...symbol, serial: index + 1 }))

  test.each([
    ['one symbol', symbols(1)],
    ['many symbols', symbols(40)],
    ['symbols, and a word on where the stream is', [...symbols(3), position]],
    ['one such word', [position]],
    ['two such words', [position, position]],
  ])('are as they were sent: %s', (_, datagrams) => {
    expect(split(Buffer.concat(datagrams))).toEqual(datagrams.map((bytes) => Buffer.from(bytes)))
  })

  test('are taken apart whatever they are, with nothing left out or twice', () => {
    const random = seededRandom(2)
    for (let run = 0; run < 2000; run++) {
      const bytes = Buffer.from(seededBytes(random, random.below(500)))
      if (random.chance(0.5) && bytes.length > 4) bytes[4] = random.below(4)
      const parts = split(bytes)
      expect(Buffer.concat(parts)).toEqual(bytes)
      expect(parts.length).toBeLessThanOrEqual(Math.max(1, Math.ceil(bytes.length / datagramHeaderBytes)))
    }
  })

  test('that somebody else has slipped in between cost only themselves', () => {
    const [first, second] = symbols(2)
    const parts = split(Buffer.concat([first!, Buffer.alloc(64, 7), second!]))
    expect(parts.map((part) => coder.decode(part).kind)).toEqual(['symbol', 'rejected', 'symbol'])
  })
})
