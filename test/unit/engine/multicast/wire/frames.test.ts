import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createFrameReader,
  encodeMessage,
  messages,
  protocolMagic,
  type Message,
  type MessageKind,
} from '#engine/multicast/wire'
import { NetworkError } from '#shared/errors'
import { seededRandom } from '#test/seeded'

const of = (lengthBytes: number) => Uint8Array.from({ length: lengthBytes }, (_, index) => index + 1)

/** One of each. */
const examples: { readonly [K in MessageKind]: Message<K> } = {
  greeting: {
    kind: 'greeting',
    magic: protocolMagic,
    lowestVersion: 1,
    highestVersion: 1,
    nonce: of(32),
    salt: of(16),
  },
  hello: {
    kind: 'hello',
    magic: protocolMagic,
    version: 1,
    purpose: 'join',
    clientId: of(16),
    proof: of(32),
    hostName: 'lab-07',
    sessionName: 'Größe 1',
    hardwareAddresses: [of(6), of(6)],
  },
  refused: { kind: 'refused', reason: 'not-admitted', text: 'Only lab 2 may join.' },
  sessions: {
    kind: 'sessions',
    sessions: [
      {
        name: 'lab',
        imageName: 'a.dmg',
        sizeBytes: 2 ** 40,
        state: 'waiting',
        joined: 3,
        wanted: 5,
        startsInMs: 9000,
      },
    ],
  },
  session: {
    kind: 'session',
    sessionId: of(16),
    key: of(16),
    tag: 7,
    name: 'lab',
    imageName: 'a.dmg',
    imageFormat: 'UDZO',
    sizeBytes: 4 * 2 ** 30,
    blockBytes: 2 ** 20,
    symbolBytes: 1408,
    root: of(32),
    group: '239.255.1.2',
    port: 7800,
    dataRate: 12_000_000,
    reportEveryMs: 250,
  },
  hashes: { kind: 'hashes', firstBlock: 8, hashes: of(64) },
  waiting: { kind: 'waiting', joined: 1, wanted: 0, startsInMs: 1000 },
  position: {
    kind: 'position',
    serial: 12_345_678_901,
    state: 'quiet',
    standing: 'slow',
    reportEveryMs: 500,
  },
  report: {
    kind: 'report',
    asOf: 99,
    expected: 100,
    received: 98,
    repeated: 1,
    rejected: 2,
    dropped: 3,
    blocksDone: 4,
    backlogBytes: 5,
    writeBytesPerSecond: 6,
    needs: [
      { first: 0, count: 1, lack: 3 },
      { first: 7, count: 300, lack: 255 },
    ],
  },
  fetch: { kind: 'fetch', block: 12 },
  block: { kind: 'block', block: 12, bytes: of(1000) },
  finished: { kind: 'finished', outcome: 'done', text: '' },
  end: { kind: 'end', reason: 'stopped', text: 'Stopped by hand.' },
  command: { kind: 'command', id: 1, json: Uint8Array.from(Buffer.from('{"kind":"list"}')) },
  answer: { kind: 'answer', id: 1, json: Uint8Array.from(Buffer.from('{"kind":"done"}')) },
}
const all = Object.values(examples) as Message[]
const readerFor = (kind: MessageKind) => createFrameReader({ peer: '10.0.0.1', from: messages[kind].from })

/** What the peer's bytes came to: messages, or the refusal's code. */
function attempt(kind: MessageKind, bytes: Uint8Array): Message[] | string {
  try {
    return readerFor(kind).read(bytes)
  } catch (error) {
    NetworkError.accept(error)
    return error.code
  }
}

describe('a control message', () => {
  test.each(all)('$kind comes out as it went in', (message) => {
    expect(attempt(message.kind, encodeMessage(message))).toEqual([message])
  })

  test.each(all)('$kind is read byte by byte', (message) => {
    const reader = readerFor(message.kind)
    const bytes = Buffer.concat([encodeMessage(message), encodeMessage(message)])
    const found = Array.from(bytes, (byte) => reader.read(Uint8Array.of(byte))).flat()
    expect(found).toEqual([message, message])
  })

  test.each(all)('$kind is refused when it is cut and its length says so', (message) => {
    const bytes = encodeMessage(message)
    for (let length = bytes.length - 1; length >= 6; length--) {
      const cut = bytes.slice(0, length)
      new DataView(cut.buffer).setUint32(0, length - 4)
      expect(attempt(message.kind, cut)).toBe('E_MC_PROTOCOL')
    }
    const longer = Buffer.concat([bytes, Buffer.alloc(1)])
    longer.writeUInt32BE(longer.length - 4)
    expect(attempt(message.kind, longer)).toBe('E_MC_PROTOCOL')
  })

  test.each(all)('$kind is refused from the wrong side', (message) => {
    const reader = createFrameReader({
      peer: 'x',
      from: messages[message.kind].from === 'client' ? 'server' : 'client',
    })
    expect(() => reader.read(encodeMessage(message))).toThrow(/doesn't say/)
  })

  test('stays what it was when more comes', () => {
    const reader = createFrameReader({ peer: 'lab', from: 'server' })
    const [first, ...none] = reader.read(encodeMessage(examples.block))
    reader.read(encodeMessage({ ...examples.block, bytes: new Uint8Array(1000).fill(255) }))
    expect(none).toEqual([])
    expect(first).toEqual(examples.block)
  })

  test('of a whole block comes byte by byte, too', () => {
    const reader = createFrameReader({ peer: 'lab', from: 'server' })
    const message = { ...examples.block, bytes: of(200_000) }
    const found = [...encodeMessage(message)].flatMap((byte) => reader.read(Uint8Array.of(byte)))
    expect(found).toEqual([message])
  })

  test('that would be too long is refused before it is waited for', () => {
    const head = Buffer.alloc(6)
    head.writeUInt32BE(0xffff_ffff)
    head.writeUInt16BE(messages.report.code, 4)
    expect(attempt('report', head)).toBe('E_MC_PROTOCOL')
  })

  test('with bytes changed anywhere is read or refused, and nothing else', () => {
    const random = seededRandom(2)
    for (let run = 0; run < 8000; run++) {
      const message = all[random.below(all.length)]!
      const bytes = encodeMessage(message)
      for (let change = 0; change <= random.below(3); change++)
        bytes[random.below(bytes.length)] = random.below(256)
      const found = attempt(message.kind, bytes)
      expect(found === 'E_MC_PROTOCOL' || Array.isArray(found)).toBe(true)
    }
  })

  test.each(['a\u001b[2Jb', 'right\u202eleft', 'line\nline', '\ufeffname'])(
    'carries no text that would play with a terminal: %j',
    (hostName) => {
      const said = attempt('hello', encodeMessage({ ...examples.hello, hostName }))
      expect(said).toEqual([
        expect.objectContaining({ hostName: expect.not.stringMatching(/\p{Cc}|\p{Cf}/u) }),
      ])
      const bytes = Buffer.from(encodeMessage({ ...examples.hello, hostName: 'abcdef' }))
      bytes.set(Buffer.from('a\u202ecd'), bytes.indexOf('abcdef'))
      expect(attempt('hello', bytes)).toBe('E_MC_PROTOCOL')
    },
  )

  test('cuts a name that is too long between two characters', () => {
    const [said] = attempt('hello', encodeMessage({ ...examples.hello, hostName: 'ü'.repeat(200) })) as [
      Message<'hello'>,
    ]
    expect(said.hostName).toBe('ü'.repeat(127))
  })

  test('lists needs of any shape', () => {
    const gaps = fc.array(
      fc.record({
        gap: fc.nat(5000),
        count: fc.integer({ min: 1, max: 9000 }),
        lack: fc.integer({ min: 1, max: 255 }),
      }),
      { maxLength: 100 },
    )
    fc.assert(
      fc.property(gaps, (gaps) => {
        let end = 0
        const needs = gaps.map(({ gap, count, lack }) => {
          const first = end + gap
          end = first + count
          return { first, count, lack }
        })
        const message = { ...examples.report, needs }
        expect(attempt('report', encodeMessage(message))).toEqual([message])
      }),
      { seed: 3, numRuns: 100 },
    )
  })

  test('never needs more sections than a stream can have', () => {
    const needs = [{ first: 2 ** 24 - 1, count: 2, lack: 1 }]
    expect(attempt('report', encodeMessage({ ...examples.report, needs }))).toBe('E_MC_PROTOCOL')
  })

  test('is described in docs/protocol.md: every one, with its code and every field in order', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../../docs/protocol.md'), 'utf8')
    for (const [kind, { code, fields }] of Object.entries(messages)) {
      const [, rest] = page.split(`### ${code} ${kind}\n`)
      const section = rest?.split('\n#')[0] ?? ''
      const named = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)
      expect([kind, named]).toEqual([kind, Object.keys(fields)])
    }
  })
})
