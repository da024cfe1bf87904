import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createErasureCode } from '#engine/multicast/fec'
import { planStream } from '#engine/multicast/layout'
import { createReceiver, type ReceiverOptions, type ReceiverOutput } from '#engine/multicast/receiver'
import { createSymbolSource } from '#engine/multicast/sender'
import { createDatagramCoder, lacksAll, type Message, type StreamState } from '#engine/multicast/wire'

/** Four blocks of two sections of ten symbols; the last block is one symbol and a bit. */
const symbolBytes = 32
const layout = planStream({
  sizeBytes: 3 * 200 * symbolBytes + 40,
  blockBytes: 200 * symbolBytes,
  symbolBytes,
})
const image = Uint8Array.from({ length: layout.sizeBytes }, (_, index) => (index * 7 + (index >> 8)) % 256)
const blockOf = (block: number) =>
  image.subarray(block * layout.blockBytes, block * layout.blockBytes + layout.lengthOf(block))
const hashOf = (block: number) => createHash('sha256').update(blockOf(block)).digest()
const coder = createDatagramCoder({ key: new Uint8Array(16).fill(1), tag: 5, symbolBytes })
const code = createErasureCode(symbolBytes)
const symbols = createSymbolSource(layout, createErasureCode(symbolBytes), blockOf)

const position = (serial: number, state: StreamState = 'quiet'): Message<'position'> => ({
  kind: 'position',
  serial,
  state,
  standing: 'well',
  reportEveryMs: 250,
})

/** A receiver, what it put out, and a server that sends it symbols one after another. */
function setUp(options: Partial<ReceiverOptions> = {}) {
  const receiver = createReceiver({
    layout,
    coder,
    code,
    hashOf,
    holdBytes: 1e6,
    position: position(0),
    nowMs: 0,
    chance: () => 0.5,
    ...options,
  })
  let serial = 0
  let nowMs = 0
  const outputs: ReceiverOutput[] = []
  const poll = () => outputs.push(...receiver.poll(nowMs))
  poll()
  return {
    receiver,
    outputs,
    kinds: () => outputs.map(({ kind }) => kind),
    reports: () => outputs.flatMap((output) => (output.kind === 'report' ? [output.report] : [])),
    pass: (ms: number) => {
      nowMs += ms
      poll()
    },
    send: (section: number, numbers: readonly number[], payload?: Uint8Array) => {
      for (const number of numbers) {
        serial += 1
        const bytes = payload ?? symbols.symbol(section, number)
        receiver.datagram(coder.encode({ kind: 'symbol', serial, section, number, payload: bytes }), nowMs)
      }
      poll()
    },
    lose: (count: number) => (serial += count),
    now: () => nowMs,
  }
}
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index)

describe('a receiver', () => {
  test('says at once that it lacks everything', () => {
    const { reports } = setUp({ position: position(77) })
    expect(reports()).toMatchObject([
      { asOf: 77, needs: [{ first: 0, count: layout.sections, lack: lacksAll }] },
    ])
  })

  test('gives out a block when all its sections are whole, whatever their symbols are', () => {
    const { send, outputs, receiver } = setUp()
    send(0, upTo(100))
    send(1, [...upTo(40), ...upTo(59, 100)])
    expect(outputs.filter(({ kind }) => kind === 'block')).toEqual([])
    send(1, [250])
    const block = outputs.find((output) => output.kind === 'block')
    expect(block?.block).toBe(0)
    expect(Buffer.compare(block!.bytes, blockOf(0))).toBe(0)
    send(1, upTo(100))
    expect(outputs.filter(({ kind }) => kind === 'block').length).toBe(1)
    receiver.written(0, 0)
    expect(receiver.progress()).toMatchObject({ blocksDone: 1, heldBytes: 0 })
  })

  test('hears nothing in what was sent before and is sent again', () => {
    const { receiver, pass, now, kinds } = setUp()
    const symbol = { kind: 'symbol', section: 0, number: 0, payload: symbols.symbol(0, 0) } as const
    const [first, told] = [
      coder.encode({ ...symbol, serial: 1 }),
      coder.encode({ kind: 'position', serial: 0, section: 0, state: 'streaming' }),
    ].map((bytes) => bytes.slice())
    if (!first || !told) throw new Error('nothing to send')
    receiver.datagram(first, now())
    pass(1000)
    const { lastSymbolMs } = receiver.progress()
    for (let index = 0; index < 20; index++) {
      receiver.datagram(first, now())
      receiver.datagram(told, now())
      pass(500)
    }
    expect(receiver.progress().lastSymbolMs).toBe(lastSymbolMs)
    expect(kinds()).toContain('silence')
  })

  test('hears a stream that waits for its source, though the control connection tells of the next symbol', () => {
    const { receiver, send, pass, now, kinds } = setUp()
    send(0, upTo(5))
    for (let index = 0; index < 20; index++) {
      receiver.position(position(6, 'streaming'), now())
      receiver.datagram(coder.encode({ kind: 'position', serial: 5, section: 0, state: 'streaming' }), now())
      pass(500)
    }
    expect(kinds()).not.toContain('silence')
  })

  test('reports how many symbols it lacks once they stop coming, and what it was sent', () => {
    const { send, lose, pass, reports } = setUp()
    send(0, upTo(95))
    lose(5)
    pass(30)
    send(1, upTo(50))
    pass(220)
    expect(reports()).toHaveLength(2)
    pass(250)
    expect(reports().at(-1)).toMatchObject({
      asOf: 150,
      expected: 150,
      received: 145,
      needs: [
        { first: 0, count: 1, lack: 5 },
        { first: 1, count: 1, lack: 50 },
      ],
    })
  })

  test('hurries, and tells all, when the stream waits', () => {
    const { receiver, send, pass, reports, now } = setUp()
    send(0, upTo(99))
    pass(100)
    receiver.datagram(coder.encode({ kind: 'position', serial: 103, section: 1, state: 'quiet' }), now())
    pass(30)
    expect(reports()).toHaveLength(1)
    pass(40)
    expect(reports().at(-1)).toMatchObject({
      asOf: 103,
      expected: 103,
      received: 99,
      needs: [
        { first: 0, count: 1, lack: 1 },
        { first: 1, count: layout.sections - 1, lack: lacksAll },
      ],
    })
  })

  test('throws a block away that is not what its hash says, and asks for it after the third time', () => {
    const { receiver, send, kinds, pass, reports } = setUp()
    const wrong = () => {
      send(0, [0], new Uint8Array(symbolBytes))
      send(0, upTo(99, 1))
      send(1, upTo(100))
    }
    wrong()
    expect(kinds()).not.toContain('block')
    expect(receiver.progress()).toMatchObject({ wrongBlocks: 1, heldBytes: 0 })
    pass(400)
    expect(reports().at(-1)?.needs).toEqual([{ first: 0, count: layout.sections, lack: lacksAll }])
    wrong()
    expect(kinds()).not.toContain('fetch')
    wrong()
    expect(kinds()).toContain('fetch')
    const spoilt = blockOf(0).slice()
    spoilt[9]! ^= 1
    expect(receiver.wholeBlock(0, spoilt, 0)).toBe(false)
    expect(receiver.wholeBlock(0, blockOf(0).subarray(1), 0)).toBe(false)
    expect(receiver.wholeBlock(99, blockOf(0), 0)).toBe(false)
    expect(receiver.wholeBlock(0, blockOf(0), 0)).toBe(true)
    pass(0)
    expect(kinds().filter((kind) => kind === 'block')).toHaveLength(1)
  })

  test('holds a block back until its hash is known', () => {
    let isKnown = false
    const { receiver, send, kinds, pass } = setUp({ hashOf: (block) => (isKnown ? hashOf(block) : null) })
    send(0, upTo(100))
    send(1, upTo(100))
    expect(kinds()).not.toContain('block')
    isKnown = true
    receiver.hashesCame(0)
    pass(0)
    expect(kinds()).toContain('block')
  })

  test('keeps within its memory: drops what is new, keeps what is begun', () => {
    const { receiver, send } = setUp({ holdBytes: layout.paddedLengthOf(0) })
    send(0, upTo(10))
    send(2, upTo(10))
    expect(receiver.progress().heldBytes).toBe(layout.paddedLengthOf(0))
    send(0, upTo(90, 10))
    send(1, upTo(100))
    receiver.written(0, 0)
    send(2, upTo(1))
    expect(receiver.progress()).toMatchObject({ blocksDone: 1, heldBytes: layout.paddedLengthOf(1) })
  })

  test('asks for no more than it has room for once it had none, the next of the walk first', () => {
    const { receiver, send, pass, reports } = setUp({ holdBytes: 2 * layout.paddedLengthOf(0) })
    send(2, upTo(100))
    send(3, upTo(100))
    send(4, upTo(10))
    send(6, [0])
    pass(250)
    // Of what is in the making it may have all.
    expect(reports().at(-1)?.needs).toEqual([
      { first: 4, count: 1, lack: 90 },
      { first: 5, count: 1, lack: lacksAll },
    ])
    receiver.written(1, 0)
    pass(250)
    // The walk is in the last one, and comes to the first next.
    expect(reports().at(-1)?.needs).toEqual([
      { first: 0, count: 2, lack: lacksAll },
      { first: 4, count: 1, lack: 90 },
      { first: 5, count: 1, lack: lacksAll },
    ])
    send(4, upTo(90, 10))
    send(5, upTo(100))
    send(6, [0, 1])
    receiver.written(2, 0)
    receiver.written(3, 0)
    pass(250)
    expect(reports().at(-1)?.needs).toEqual([{ first: 0, count: 2, lack: lacksAll }])
  })

  test('asks for a block that is larger than its memory, one at a time', () => {
    const { send, receiver, pass, reports } = setUp({ holdBytes: 1 })
    send(0, upTo(100))
    send(1, upTo(100))
    send(2, [0])
    pass(250)
    expect(reports().at(-1)?.needs).toEqual([])
    receiver.written(0, 0)
    pass(250)
    expect(reports().at(-1)?.needs).toEqual([{ first: 4, count: 2, lack: lacksAll }])
  })

  test('is full while its room waits to be written, and not while something in it is still lacking', () => {
    const { receiver, send } = setUp({ holdBytes: 2 * layout.paddedLengthOf(0) })
    const full: boolean[] = []
    const look = () => full.push(receiver.isFull)
    look()
    send(0, upTo(100))
    send(1, upTo(100))
    look()
    send(2, upTo(10))
    look()
    send(2, upTo(90, 10))
    send(3, upTo(100))
    look()
    receiver.written(0, 0)
    look()
    send(4, upTo(100))
    send(5, upTo(100))
    look()
    receiver.written(1, 0)
    send(6, [0, 1])
    // There is nothing that it lacks.
    look()
    expect(full).toEqual([false, false, false, true, false, true, false])
  })

  test('goes on where its journal is, and is complete when everything is written', () => {
    const { receiver, send, kinds, reports, pass } = setUp({ have: Uint8Array.of(1, 1, 1, 0) })
    expect(reports()[0]?.needs).toEqual([{ first: 6, count: 1, lack: lacksAll }])
    send(6, [0, 7])
    expect(kinds()).toContain('block')
    expect(kinds()).not.toContain('complete')
    receiver.written(3, 0)
    pass(0)
    pass(10_000)
    expect(kinds().filter((kind) => kind === 'complete')).toHaveLength(1)
    expect(receiver.wakeMs).toBe(Infinity)
  })

  test('says once that nothing arrives, though the server sends', () => {
    const { receiver, kinds, pass, send, now } = setUp()
    const silences = () => kinds().filter((kind) => kind === 'silence').length
    for (let second = 1; second <= 6; second++) {
      receiver.position(position(second * 100, 'streaming'), now())
      pass(1000)
    }
    expect(silences()).toBe(1)
    send(0, [0])
    pass(300)
    expect(silences()).toBe(1)
    pass(4000)
    expect(silences()).toBe(2)
  })

  test('asks for nothing while nothing arrives, and for all of it when something does', () => {
    const { receiver, reports, pass, send, kinds } = setUp()
    pass(4000)
    pass(1000)
    expect(reports().at(-1)?.needs).toEqual([])
    send(0, [0])
    pass(1000)
    expect(kinds()).toContain('heard')
    expect(reports().at(-1)?.needs).toEqual([
      { first: 0, count: 1, lack: 99 },
      { first: 1, count: layout.sections - 1, lack: lacksAll },
    ])
    expect(receiver.progress().passes).toHaveLength(1)
  })

  test('takes whole what began to come and comes no more, also where it takes up all the room', () => {
    const { receiver, send, outputs, pass } = setUp({ holdBytes: layout.paddedLengthOf(0) })
    send(0, upTo(60))
    expect([receiver.isWanted(0), receiver.isWanted(1)]).toEqual([true, false])
    expect(receiver.wholeBlock(0, blockOf(0), 0)).toBe(true)
    pass(0)
    expect(outputs).toContainEqual({ kind: 'block', block: 0, bytes: blockOf(0) })
    expect(receiver.isWanted(0)).toBe(false)
  })

  test('has a block come again that could not be kept', () => {
    const { receiver, send, kinds, reports, pass } = setUp({ holdBytes: layout.paddedLengthOf(0) })
    send(0, upTo(100))
    send(1, upTo(100))
    expect(receiver.isWanted(0)).toBe(false)
    expect(receiver.isWanted(1)).toBe(false)
    receiver.again(0, 0)
    receiver.again(2, 0)
    expect(receiver.progress()).toMatchObject({ blocksDone: 0, heldBytes: 0 })
    expect(receiver.isWanted(0)).toBe(true)
    pass(400)
    expect(reports().at(-1)?.needs).toEqual([{ first: 0, count: layout.sections, lack: lacksAll }])
    send(0, upTo(100))
    send(1, upTo(100))
    expect(kinds().filter((kind) => kind === 'block')).toHaveLength(2)
  })

  test('takes over what an earlier one gave out', () => {
    const { receiver, send, kinds, reports, pass } = setUp({
      have: Uint8Array.of(1, 0, 1, 0),
      handed: [1, 2, 99],
    })
    expect(reports()[0]?.needs).toEqual([{ first: 6, count: 1, lack: lacksAll }])
    expect(receiver.progress().heldBytes).toBe(layout.paddedLengthOf(1))
    send(6, [0, 7])
    receiver.written(3, 0)
    pass(0)
    expect(kinds()).not.toContain('complete')
    receiver.written(1, 0)
    pass(0)
    expect(kinds()).toContain('complete')
  })

  test('takes what lay in its system while it stood still, but nothing twice or from before it came', () => {
    const { receiver, now, pass, reports } = setUp({ position: position(4000) })
    receiver.position(position(10_000, 'streaming'), now())
    for (const serial of [4000, 5000, 5001, 5000, 9000, 9000 - 2048]) {
      const payload = symbols.symbol(0, serial % 100)
      const symbol = { kind: 'symbol', serial, section: 0, number: serial % 100, payload } as const
      receiver.datagram(coder.encode(symbol), now())
    }
    pass(250)
    expect(reports().at(-1)).toMatchObject({ expected: 10_000 - 4999, received: 3, repeated: 3 })
  })

  describe.each(['symbol', 'position'] as const)('that hears a %s of somebody who has the key', (kind) => {
    const forged = (serial: number) => {
      // What it says of the section is true: a wrong symbol would spoil that besides.
      const payload = symbols.symbol(2, 3)
      return kind === 'symbol'
        ? coder.encode({ kind, serial, section: 2, number: 3, payload })
        : coder.encode({ kind, serial, section: 2, state: 'streaming' })
    }

    test('takes no serial that no server can have come to', () => {
      const { receiver, send, pass, kinds, reports, now } = setUp()
      const hostile = [2 ** 53 - 1, 2 ** 52, 2 ** 40]
      for (const serial of hostile) receiver.datagram(forged(serial), now())
      send(0, upTo(100))
      for (const serial of hostile) receiver.datagram(forged(serial), now())
      for (let section = 1; section < 6; section++) send(section, upTo(100))
      send(6, upTo(2))
      expect(kinds().filter((kind) => kind === 'block')).toHaveLength(4)
      pass(250)
      expect(reports().at(-1)).toMatchObject({ expected: 602, received: 602, rejected: 6, needs: [] })
      expect(receiver.progress().rejected.impossible).toBe(6)
    })

    test('is back soon from one that could be', () => {
      const { receiver, send, lose, pass, kinds, reports, now } = setUp()
      lose(1000)
      receiver.datagram(forged(1_000_000), now())
      // Meanwhile it hears what is sent, and takes it for old.
      let sent = 1000
      for (let second = 0; second < 5; second++) {
        pass(1000)
        send(6, [0])
        sent += 1
        receiver.position(position(sent, 'streaming'), now())
      }
      for (let section = 0; section < 6; section++) send(section, upTo(100))
      send(6, upTo(2))
      expect(kinds().filter((kind) => kind === 'block')).toHaveLength(4)
      sent += 602
      receiver.datagram(coder.encode({ kind: 'position', serial: sent, section: 0, state: 'quiet' }), now())
      pass(100)
      const last = reports().at(-1)
      expect(last).toMatchObject({ asOf: sent, needs: [] })
      expect(last?.expected).toBeLessThan(700)
      expect(last?.received).toBeGreaterThanOrEqual(602)
    })
  })

  test('believes what it heard though the word of the server was under way for long', () => {
    const { receiver, send, lose, pass, reports, now } = setUp()
    send(0, upTo(50))
    for (let second = 0; second < 5; second++) {
      pass(1000)
      receiver.position(position(10, 'streaming'), now())
    }
    lose(10)
    send(0, upTo(40, 60))
    pass(250)
    expect(reports().at(-1)).toMatchObject({ asOf: 100, expected: 100, received: 90, repeated: 0 })
  })

  test('takes the serials of the fastest stream, also late and after a pause of the connection', () => {
    const { receiver, pass, now } = setUp({ position: position(77) })
    const perSecond = 10e9 / (60 + symbolBytes)
    for (const seconds of [0, 1, 3600]) {
      pass(seconds * 1000)
      const serial = 78 + Math.round(perSecond * (now() / 1000))
      const payload = symbols.symbol(0, seconds % 100)
      receiver.datagram(
        coder.encode({ kind: 'symbol', serial, section: 0, number: seconds % 100, payload }),
        now(),
      )
    }
    expect(receiver.progress()).toMatchObject({ received: 3, rejected: { impossible: 0 } })
  })

  test('counts what is not ours, and takes nothing from it', () => {
    const { receiver, now } = setUp()
    receiver.datagram(new Uint8Array(64), now())
    const beyond = { kind: 'symbol', serial: 1, section: 7, number: 0, payload: new Uint8Array(32) } as const
    receiver.datagram(coder.encode(beyond), now())
    expect(receiver.progress()).toMatchObject({
      received: 0,
      rejected: { foreign: 1, unknown: 0, forged: 0, impossible: 1 },
    })
  })
})
