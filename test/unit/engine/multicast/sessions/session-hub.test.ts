import { beforeAll, describe, expect, test } from 'vitest'
import { rootOfBlocks } from '#engine/formats/udif'
import { planStream } from '#engine/multicast/layout'
import { createSender } from '#engine/multicast/sender'
import {
  createClientLink,
  createSessionHub,
  startWithFirst,
  type ClientLink,
  type HubOutput,
  type LinkOptions,
  type LinkOutput,
  type Session,
  type SessionHub,
} from '#engine/multicast/sessions'
import {
  createFrameReader,
  encodeMessage,
  passwordKey,
  protocolMagic,
  type ClientMessage,
  type Message,
  type ServerMessage,
} from '#engine/multicast/wire'
import { parseAdmissionRule } from '#shared/model'
import { emptyReport as report } from '#test/client-report'

const salt = new Uint8Array(16).fill(4)
const fingerprint = new Uint8Array(32).fill(5)
const keys: Record<'right' | 'wrong' | 'management', Uint8Array> = {
  right: salt,
  wrong: salt,
  management: salt,
}
beforeAll(async () => {
  keys.right = await passwordKey('right', salt)
  keys.wrong = await passwordKey('wrong', salt)
  keys.management = await passwordKey('management', salt)
})

const sizes = { sizeBytes: 10_000 * 1024, blockBytes: 1024, symbolBytes: 64 }
const hashes = Array.from({ length: 10_000 }, (_, block) => new Uint8Array(32).fill(block % 251))

function session(name: string, options: Partial<Session> = {}): Session {
  const layout = planStream(sizes)
  const facts: Message<'session'> = {
    kind: 'session',
    sessionId: new Uint8Array(16).fill(1),
    key: new Uint8Array(16).fill(2),
    tag: 3,
    name,
    imageName: `${name}.dmg`,
    imageFormat: 'UDZO',
    ...sizes,
    root: new Uint8Array(32),
    group: '239.255.0.1',
    port: 7800,
    dataRate: 1e6,
    reportEveryMs: 250,
  }
  return {
    facts,
    sender: createSender({
      layout,
      dataRate: 1e6,
      datagramBytes: 124,
      considerate: 'on',
      clientDataRate: null,
      feedback: { kind: 'demand' },
    }),
    hashesFrom: (first, most) => Buffer.concat(hashes.slice(first, first + most)),
    blocks: layout.blocks,
    startRule: startWithFirst,
    admission: [],
    passwordKey: null,
    mostClients: 1000,
    whenFinished: 'stays',
    ...options,
  }
}

/** A session that is still to be added. */
const pending = (name: string) => ({ name, sessionId: '01'.repeat(16) })

const newHub = (...sessions: Session[]) => {
  const hub = createSessionHub({ salt, fingerprint, nonce: () => new Uint8Array(32).fill(9) })
  for (const each of sessions) expect(hub.add(each)).toBe(true)
  return hub
}

/** A client at the other end of the wire: what it came to, message by message. */
interface Guest {
  readonly seen: LinkOutput[]
  isClosed: boolean
  readonly link: ClientLink
}

interface GuestOptions {
  readonly sessionName?: string
  readonly hostName?: string
  readonly hardwareAddresses?: LinkOptions['hardwareAddresses']
  readonly key?: Uint8Array | null
  readonly id?: number
  readonly clientId?: Uint8Array
  readonly purpose?: LinkOptions['purpose']
  readonly nowMs?: number
  readonly certificate?: Uint8Array
  readonly address?: string
}

/** Carry what the hub says to the guests, and back, through real frames. */
function carry(
  hub: SessionHub,
  guests: Map<string, Guest>,
  outputs: readonly HubOutput[],
  options: GuestOptions,
) {
  for (const output of outputs) {
    if (output.kind !== 'send' && output.kind !== 'close') continue
    const guest = guests.get(output.connection)!
    if (output.kind === 'close') {
      guest.isClosed = true
      continue
    }
    const reader = createFrameReader({ peer: 'server', from: 'server' })
    for (const message of reader.read(encodeMessage(output.message)))
      for (const seen of guest.link.message(message as ServerMessage)) {
        guest.seen.push(seen)
        if (seen.kind !== 'greeted') continue
        const hello = say(guest.link.sayHello(options.key ?? null))
        carry(hub, guests, hub.message(output.connection, hello, options.nowMs ?? 0), options)
      }
  }
}

const say = (message: ClientMessage) =>
  createFrameReader({ peer: 'client', from: 'client' }).read(encodeMessage(message))[0] as ClientMessage

const clientLink = (change: Partial<LinkOptions> = {}): ClientLink =>
  createClientLink({
    address: 'server',
    purpose: 'join',
    clientId: new Uint8Array(16),
    hostName: '',
    sessionName: '',
    hardwareAddresses: [],
    fingerprint,
    ...change,
  })

function visit(
  hub: SessionHub,
  connection: string,
  options: GuestOptions = {},
  guests = new Map<string, Guest>(),
) {
  const link = clientLink({
    purpose: options.purpose ?? 'join',
    clientId: options.clientId ?? new Uint8Array(16).fill(options.id ?? 7),
    hostName: options.hostName ?? 'lab-07',
    sessionName: options.sessionName ?? '',
    hardwareAddresses: options.hardwareAddresses ?? [],
    fingerprint: options.certificate ?? fingerprint,
  })
  const guest: Guest = { seen: [], isClosed: false, link }
  guests.set(connection, guest)
  const address = options.address ?? '10.0.0.7'
  carry(hub, guests, hub.connected(connection, address, options.nowMs ?? 0), options)
  return guest
}

const joined = ({ seen }: Guest) =>
  seen.find((output) => output.kind === 'joined')?.session.facts.name ?? null
const refusal = ({ seen }: Guest) => seen.find((output) => output.kind === 'refused')?.refusal.reason ?? null

describe('a client', () => {
  test('gets the session, all hashes, and where the stream is', () => {
    const hub = newHub(session('lab'))
    const guest = visit(hub, 'a')
    const [greeted, offer] = guest.seen
    expect(greeted).toEqual({ kind: 'greeted', salt })
    expect(offer).toMatchObject({ kind: 'joined', session: { position: { serial: 0, state: 'quiet' } } })
    const { hashOf } = (offer as LinkOutput & { kind: 'joined' }).session
    expect(hashes.every((hash, block) => Buffer.from(hash).equals(hashOf(block)!))).toBe(true)
    expect(hub.status(0)).toMatchObject([{ name: 'lab', joined: 1, state: 'quiet' }])
  })

  test('gets the session it names, or the first in precedence that lets it in', () => {
    const closed = session('closed', { admission: [parseAdmissionRule('other-*')] })
    const hub = newHub(closed, session('first'), session('second'))
    expect(joined(visit(hub, 'a'))).toBe('first')
    expect(joined(visit(hub, 'b', { sessionName: 'second', id: 8 }))).toBe('second')
    expect(joined(visit(hub, 'c', { hostName: 'other-1', id: 9 }))).toBe('closed')
    hub.setPrecedence(['second', 'closed', 'first'])
    expect(joined(visit(hub, 'd', { id: 10 }))).toBe('second')
  })

  test('is told why it gets none', () => {
    const hub = newHub(
      session('closed', { admission: [parseAdmissionRule('other-*')] }),
      session('secret', { passwordKey: keys.right }),
      session('full', { mostClients: 0 }),
    )
    const reason = (options: GuestOptions) => {
      const guest = visit(hub, 'a', options)
      expect(guest.isClosed).toBe(true)
      return refusal(guest)
    }
    expect(reason({ sessionName: 'closed' })).toBe('not-admitted')
    expect(reason({ sessionName: 'secret' })).toBe('password')
    expect(reason({ sessionName: 'secret', key: keys.wrong })).toBe('password')
    // Somebody in between, with a certificate of his own, passes the right proof on.
    expect(reason({ sessionName: 'secret', key: keys.right, certificate: new Uint8Array(32) })).toBe(
      'password',
    )
    expect(reason({ sessionName: 'full' })).toBe('full')
    expect(reason({ sessionName: 'nowhere' })).toBe('no-session')
    expect(joined(visit(hub, 'b', { sessionName: 'secret', key: keys.right }))).toBe('secret')
  })

  test('may write its accents apart, as a Mac does', () => {
    const [name, apart] = ['Übungsraum'.normalize('NFC'), 'Übungsraum'.normalize('NFD')]
    const hub = newHub(session(name))
    const guest = visit(hub, 'a', { sessionName: apart })
    expect(joined(guest)).toBe(name)
    // Also one that isn't ours.
    const greeted = clientLink()
    for (const output of hub.connected('b', '10.0.0.7', 0))
      if (output.kind === 'send') greeted.message(output.message)
    const hello = { ...(greeted.sayHello(null) as Message<'hello'>), sessionName: apart }
    expect(hub.message('b', hello, 0)[0]).toMatchObject({ message: { kind: 'session', name } })
  })

  test('waits for a session whose source is still being read', () => {
    const hub = newHub(session('closed', { admission: [parseAdmissionRule('other-*')] }))
    const reason = (options: GuestOptions) => refusal(visit(hub, 'a', options))
    hub.setPending([pending('soon')])
    expect(reason({ sessionName: 'soon' })).toBe('preparing')
    expect(reason({})).toBe('preparing')
    expect(reason({ sessionName: 'nowhere' })).toBe('no-session')
    expect(reason({ sessionName: 'closed' })).toBe('not-admitted')
    expect(hub.add(session('soon'))).toBe(true)
    expect(joined(visit(hub, 'b', { sessionName: 'soon' }))).toBe('soon')
    expect(joined(visit(hub, 'c', { id: 8 }))).toBe('soon')
    hub.setPending([pending('later')])
    hub.setPending([])
    expect(reason({ sessionName: 'later' })).toBe('no-session')
    // Said late: it has come since.
    hub.setPending([pending('soon')])
    hub.stop('soon', { reason: 'stopped', text: '' })
    expect(reason({ sessionName: 'soon' })).toBe('no-session')
  })

  test('that comes back takes its own place', () => {
    const hub = newHub(session('lab', { mostClients: 1 }))
    const guests = new Map<string, Guest>()
    const before = visit(hub, 'a', {}, guests)
    const after = visit(hub, 'b', {}, guests)
    expect([before.isClosed, joined(after), refusal(visit(hub, 'c', { id: 8 }))]).toEqual([
      true,
      'lab',
      'full',
    ])
    hub.disconnected('a')
    expect(hub.status(0)).toMatchObject([{ joined: 1 }])
    hub.disconnected('b')
    expect(hub.status(0)).toMatchObject([{ joined: 0 }])
  })

  test('of another version, or that speaks out of turn, is sent away', () => {
    const hub = newHub(session('lab'))
    const sent = (message: ClientMessage) => {
      hub.connected('a', '10.0.0.7', 0)
      return hub
        .message('a', message, 0)
        .map((output) => (output.kind === 'send' ? output.message : output.kind))
    }
    const hello: Message<'hello'> = {
      kind: 'hello',
      magic: protocolMagic,
      version: 1,
      purpose: 'join',
      clientId: new Uint8Array(16),
      proof: new Uint8Array(32),
      hostName: '',
      sessionName: '',
      hardwareAddresses: [],
    }
    expect(sent({ ...hello, version: 2 })).toMatchObject([{ kind: 'refused', reason: 'version' }, 'close'])
    expect(sent({ ...hello, magic: new Uint8Array(8) })).toMatchObject([{ reason: 'protocol' }, 'close'])
    expect(sent({ kind: 'fetch', block: 1 })).toMatchObject([{ reason: 'protocol' }, 'close'])
    expect(sent({ ...hello, purpose: 'list' })).toMatchObject([
      { kind: 'sessions', sessions: [{ name: 'lab', startsInMs: 0xffff_ffff }] },
      'close',
    ])
    sent(hello)
    expect(hub.message('a', hello, 0)).toMatchObject([{ message: { reason: 'protocol' } }, { kind: 'close' }])
  })

  test('that says nothing is sent away', () => {
    const hub = newHub(session('lab'))
    hub.connected('a', '10.0.0.7', 0)
    expect(hub.tick(9000)).toEqual([])
    expect(hub.tick(10_000)).toEqual([{ kind: 'close', connection: 'a' }])
  })

  test('that reports nothing for a minute is sent away, and takes its place when it is back', () => {
    const hub = newHub(session('lab'))
    const guests = new Map<string, Guest>()
    visit(hub, 'alive', {}, guests)
    visit(hub, 'silent', { id: 8 }, guests)
    visit(hub, 'looks', { id: 9, purpose: 'look' }, guests)
    visit(hub, 'fetches', { id: 10, purpose: 'look' }, guests)
    hub.message('alive', { ...report, needs: [] }, 50_000)
    hub.message('fetches', { kind: 'fetch', block: 3 }, 50)
    const closed = hub.tick(60_000).flatMap((output) => (output.kind === 'close' ? output.connection : []))
    expect(closed).toEqual(['silent', 'looks'])
    // It waited for its block; now it may be expected to ask for another.
    hub.blockSent('fetches')
    expect(hub.tick(119_950).filter(({ kind }) => kind === 'close')).toHaveLength(1)
    expect(hub.tick(120_000)).toContainEqual({ kind: 'close', connection: 'fetches' })
    expect(joined(visit(hub, 'back', { id: 8, nowMs: 121_000 }))).toBe('lab')
  })

  test('that has not yet read all that it was told is not expected to say anything', () => {
    const hub = newHub(session('lab'))
    visit(hub, 'far away')
    for (let nowMs = 1000; nowMs <= 90_000; nowMs += 1000) {
      hub.isBehind('far away', nowMs)
      expect(hub.tick(nowMs)).not.toContainEqual({ kind: 'close', connection: 'far away' })
    }
    expect(hub.tick(149_999)).not.toContainEqual({ kind: 'close', connection: 'far away' })
    expect(hub.tick(150_000)).toContainEqual({ kind: 'close', connection: 'far away' })
  })

  test('that reports without end is heeded as often as it costs little, and seen each time', () => {
    const lab = session('lab')
    const heeded: number[] = []
    const sender = {
      ...lab.sender,
      report: (_: string, { needs }: Message<'report'>) => heeded.push(needs.length) > 0,
    }
    const hub = newHub({ ...lab, sender })
    visit(hub, 'a')
    const small = { ...report, needs: [{ first: 0, count: 1, lack: 1 }] }
    const large = { ...report, needs: [{ first: 0, count: 400_000, lack: 255 }] }
    for (const [nowMs, message] of [
      [0, small],
      [10, small],
      [30, large],
      [200, small],
      [230, small],
    ] as const)
      hub.message('a', message, nowMs)
    expect(heeded).toEqual([1, 0, 1, 0, 1])
  })

  test('may fetch one block at a time, of those there are', () => {
    const hub = newHub(session('lab'))
    visit(hub, 'a')
    const read = { kind: 'read', connection: 'a', session: 'lab', block: 5 }
    expect(hub.message('a', { kind: 'fetch', block: 5 }, 0)).toEqual([read])
    // It has a block before we hear that it was taken off our hands: what it asks for then mustn't be lost.
    expect(hub.message('a', { kind: 'fetch', block: 6 }, 0)).toEqual([])
    expect(hub.blockSent('a')).toEqual([{ ...read, block: 6 }])
    expect(hub.blockSent('a')).toEqual([])
    expect(hub.message('a', { kind: 'fetch', block: 5 }, 0)).toEqual([read])
    expect(hub.message('a', { kind: 'fetch', block: 10_000 }, 0)).toMatchObject([{}, { kind: 'close' }])
  })
})

describe('who guesses passwords', () => {
  const secretHub = (...more: Session[]) => newHub(session('secret', { passwordKey: keys.right }), ...more)
  const guests = new Map<string, Guest>()
  const come = (hub: SessionHub, options: GuestOptions) => visit(hub, `guest ${guests.size}`, options, guests)
  const came = (hub: SessionHub, options: GuestOptions) => {
    const guest = come(hub, options)
    return refusal(guest) ?? joined(guest)
  }
  const guess = (hub: SessionHub, options: GuestOptions = {}) => came(hub, { key: keys.wrong, ...options })
  /** As often as costs nothing. */
  const guessOften = (hub: SessionHub, options: GuestOptions = {}) => {
    for (let count = 0; count < 3; count++) expect(guess(hub, options)).toBe('password')
  }

  test('has to wait, also with the right one, and is told how long; others have not', () => {
    const hub = secretHub()
    guessOften(hub)
    const guest = come(hub, { key: keys.right, nowMs: 999 })
    expect(guest.isClosed).toBe(true)
    expect(guest.seen.at(-1)).toMatchObject({
      refusal: {
        reason: 'wait',
        text: 'Too many passwords were wrong. The next one is looked at in a second.',
      },
    })
    expect(came(hub, { key: keys.right, address: '10.0.0.8', nowMs: 999 })).toBe('secret')
    expect(came(hub, { key: keys.right, nowMs: 1000 })).toBe('secret')
  })

  describe('makes no computer wait that has known the password', () => {
    const hardwareAddresses = [new Uint8Array(6).fill(3), new Uint8Array(6).fill(4)]
    const neighbour = { id: 1, hostName: 'lab-01', hardwareAddresses }
    const begun = (...more: Session[]) => {
      const hub = secretHub(...more)
      const right = { ...neighbour, key: keys.right }
      expect(came(hub, right)).toBe('secret')
      guessOften(hub)
      return { hub, right }
    }

    test('when it is back, and when it was started again', () => {
      const { hub, right } = begun()
      expect(came(hub, right)).toBe('secret')
      // Another clientId, and the cards in another order.
      expect(came(hub, { ...right, id: 2, hardwareAddresses: hardwareAddresses.toReversed() })).toBe('secret')
      expect(came(hub, { ...right, id: 3, hostName: 'lab-02' })).toBe('wait')
      expect(came(hub, { ...right, id: 3, address: '10.0.0.9' })).toBe('secret')
    })

    test('but it has one try, and that counts', () => {
      const { hub, right } = begun()
      // Somebody says that he is that computer.
      expect(guess(hub, { ...right, id: 2, key: keys.wrong })).toBe('password')
      expect(guess(hub, { ...right, id: 2, key: keys.wrong })).toBe('wait')
      expect(came(hub, { ...right, id: 4 })).toBe('wait')
      // Nobody else has its clientId.
      expect(came(hub, right)).toBe('secret')
      expect(came(hub, { ...right, id: 4 })).toBe('secret')
    })

    test('and none for another password than that', () => {
      const { hub, right } = begun(session('other', { passwordKey: keys.management }))
      expect(came(hub, { ...right, sessionName: 'other', key: keys.management })).toBe('wait')
      expect(came(hub, { ...right, sessionName: 'secret' })).toBe('secret')
    })

    test('of those without hardware that is told, only while they run', () => {
      const hub = secretHub()
      expect(came(hub, { id: 1, key: keys.right })).toBe('secret')
      guessOften(hub, { id: 9 })
      expect(came(hub, { id: 2, key: keys.right })).toBe('wait')
      expect(came(hub, { id: 1, key: keys.right })).toBe('secret')
    })
  })

  test('has to wait whatever it is that he asks for', () => {
    const hub = createSessionHub({
      salt,
      fingerprint,
      nonce: () => new Uint8Array(32).fill(9),
      managementKey: keys.management,
    })
    hub.add(session('secret', { passwordKey: keys.right }))
    guess(hub)
    guess(hub, { purpose: 'look' })
    guess(hub, { purpose: 'manage' })
    for (const purpose of ['join', 'look', 'manage'] as const)
      expect(guess(hub, { purpose, sessionName: 'secret' })).toBe('wait')
    for (const purpose of ['join', 'look'] as const)
      expect(guess(hub, { purpose, key: keys.management, sessionName: 'secret' })).toBe('wait')
    expect(guess(hub, { purpose: 'manage', key: keys.right, sessionName: 'secret' })).toBe('wait')
  })

  test('makes nobody wait who has a password of the management that is too long to be guessed', () => {
    const hubOf = (isManagementUnguessable: boolean) =>
      createSessionHub({
        isManagementUnguessable,
        salt,
        fingerprint,
        nonce: () => new Uint8Array(32).fill(9),
        managementKey: keys.management,
      })
    const hub = hubOf(true)
    for (let count = 0; count < 3; count++) guess(hub, { purpose: 'manage' })
    expect(guess(hub, { purpose: 'manage' })).toBe('wait')
    expect(refusal(come(hub, { purpose: 'manage', key: keys.management }))).toBeNull()
    // What wasn't looked at with a session's password didn't count.
    expect(came(hub, { purpose: 'manage', key: keys.wrong, nowMs: 999 })).toBe('wait')
    expect(came(hub, { purpose: 'manage', key: keys.wrong, nowMs: 1000 })).toBe('password')
    // One that somebody chose may be short.
    const other = hubOf(false)
    for (let count = 0; count < 3; count++) guess(other, { purpose: 'manage' })
    expect(came(other, { purpose: 'manage', key: keys.management })).toBe('wait')
  })

  test('is not who manages a session whose source is still being read, unless it may be the management’s password that is guessed', () => {
    const hubOf = (isManagementUnguessable: boolean) => {
      const hub = createSessionHub({
        isManagementUnguessable,
        salt,
        fingerprint,
        nonce: () => new Uint8Array(32).fill(9),
        managementKey: keys.management,
      })
      hub.setPending([pending('soon')])
      return hub
    }
    const early = { purpose: 'manage', key: keys.right, sessionName: 'soon' } as const
    const hub = hubOf(true)
    for (const sessionName of ['soon', '01'.repeat(16), '', 'soon', ''])
      expect(came(hub, { ...early, sessionName })).toBe('preparing')
    hub.add(session('soon', { passwordKey: keys.right }))
    expect(refusal(come(hub, early))).toBeNull()
    const other = hubOf(false)
    for (let count = 0; count < 3; count++) expect(came(other, early)).toBe('preparing')
    expect(came(other, early)).toBe('wait')
    // Or that of another session.
    const third = hubOf(true)
    third.add(session('secret', { passwordKey: keys.wrong }))
    for (let count = 0; count < 3; count++)
      expect(came(third, { ...early, sessionName: '' })).toBe('preparing')
    expect(came(third, { ...early, sessionName: '' })).toBe('wait')
  })

  test('is not who gives none', () => {
    const hub = secretHub()
    for (let count = 0; count < 20; count++) expect(came(hub, {})).toBe('password')
    expect(came(hub, { key: keys.right })).toBe('secret')
  })

  test('has guessed once when it was compared with the passwords of several sessions', () => {
    const hub = secretHub(session('other', { passwordKey: keys.management }))
    guessOften(hub)
    expect(guess(hub, { nowMs: 1000 })).toBe('password')
  })

  test('has guessed also when an open session lets him in instead', () => {
    const hub = secretHub(session('open'))
    for (let count = 0; count < 3; count++) expect(guess(hub)).toBe('open')
    // What he has there may be right, so he isn't given another image for it.
    expect(came(hub, { key: keys.right })).toBe('wait')
    expect(came(hub, { sessionName: 'open', key: keys.wrong })).toBe('open')
    expect(came(hub, { key: keys.right, nowMs: 1000 })).toBe('secret')
  })

  test('has not when he knows the one and tries it for all', () => {
    const hub = secretHub(session('other', { passwordKey: keys.management }))
    for (let count = 0; count < 10; count++) expect(came(hub, { key: keys.management })).toBe('other')
  })

  test('learns nothing where he is not admitted', () => {
    const admission = [parseAdmissionRule('other-*')]
    const hub = newHub(session('secret', { passwordKey: keys.right, admission }))
    for (let count = 0; count < 10; count++) expect(guess(hub)).toBe('not-admitted')
    expect(came(hub, { key: keys.right, hostName: 'other-1' })).toBe('secret')
  })

  test('is told of, as soon as he has to wait', () => {
    const hub = secretHub()
    const outputs = Array.from({ length: 3 }, () => {
      const link = clientLink()
      for (const output of hub.connected('a', '10.0.0.7', 0))
        if (output.kind === 'send') link.message(output.message)
      return hub.message('a', link.sayHello(keys.wrong), 0).filter(({ kind }) => kind === 'guessing')
    })
    expect(outputs).toEqual([[], [], [{ kind: 'guessing', address: '10.0.0.7', waitMs: 1000 }]])
  })
})

describe('who only looks', () => {
  const look = { purpose: 'look' } as const

  test('gets the session, all hashes and the position, and may fetch', () => {
    const hub = newHub(session('lab'))
    const guest = visit(hub, 'a', look)
    const offer = guest.seen.find((output) => output.kind === 'joined')!
    expect(offer.session).toMatchObject({
      facts: { name: 'lab' },
      position: { state: 'waiting', standing: 'well' },
    })
    expect(offer.session.hashOf(9999)).toEqual(hashes[9999])
    const read = { kind: 'read', connection: 'a', session: 'lab', block: 5 }
    expect(hub.message('a', { kind: 'fetch', block: 5 }, 0)).toEqual([read])
  })

  test('is not counted, and starts nothing', () => {
    const lab = session('lab', { startRule: { clients: 1, afterLastJoinMs: 1000 } })
    const hub = newHub(lab)
    const guest = visit(hub, 'a', look)
    expect(guest.seen.at(-1)).toMatchObject({ kind: 'waiting', waiting: { joined: 0, wanted: 1 } })
    hub.tick(5000)
    expect(hub.status(5000)).toMatchObject([{ joined: 0, finished: 0, state: 'waiting', startsInMs: null }])
    expect(lab.sender.clients()).toEqual([])
  })

  test('is told each second how many have joined, and that it is over', () => {
    const hub = newHub(session('lab', { startRule: { clients: 3, afterLastJoinMs: null } }))
    const guests = new Map<string, Guest>()
    const guest = visit(hub, 'a', look, guests)
    visit(hub, 'b', { id: 8 }, guests)
    carry(hub, guests, hub.tick(1000), {})
    expect(guest.seen.at(-1)).toMatchObject({ waiting: { joined: 1, wanted: 3 } })
    carry(hub, guests, hub.stop('lab', { reason: 'stopped', text: '' }), {})
    expect(guest.seen.at(-1)).toMatchObject({ kind: 'ended' })
    expect(guest.isClosed).toBe(true)
  })

  test('leaves alone the connection over which the same client receives', () => {
    const hub = newHub(session('lab', { whenFinished: 'ends' }))
    const guests = new Map<string, Guest>()
    visit(hub, 'looks', look, guests)
    const receiving = visit(hub, 'receives', {}, guests)
    const again = visit(hub, 'looks again', look, guests)
    expect([receiving.isClosed, joined(again)]).toEqual([false, 'lab'])
    expect(hub.message('looks', { kind: 'finished', outcome: 'done', text: '' }, 0)).toEqual([
      { kind: 'close', connection: 'looks' },
    ])
    hub.disconnected('looks again')
    expect(hub.status(0)).toMatchObject([{ joined: 1, finished: 0 }])
  })

  test('is admitted as who joins is', () => {
    const hub = newHub(
      session('closed', { admission: [parseAdmissionRule('other-*')] }),
      session('secret', { passwordKey: keys.right }),
    )
    const seen = (options: GuestOptions) => {
      const guest = visit(hub, 'a', { ...look, ...options })
      return refusal(guest) ?? joined(guest)
    }
    expect(seen({ sessionName: 'closed' })).toBe('not-admitted')
    expect(seen({ sessionName: 'secret', key: keys.wrong })).toBe('password')
    expect(seen({ sessionName: 'secret', key: keys.right })).toBe('secret')
    expect(seen({ key: keys.right })).toBe('secret')
  })

  test('has nothing to report', () => {
    const hub = newHub(session('lab'))
    visit(hub, 'a', look)
    expect(hub.message('a', report, 0)).toMatchObject([
      { message: { kind: 'refused', reason: 'protocol' } },
      { kind: 'close' },
    ])
    expect(hub.status(0)).toMatchObject([{ joined: 0 }])
  })
})

describe('who manages', () => {
  const managed = (options: { readonly key: Uint8Array | null; readonly sessionName?: string }) => {
    const hub = createSessionHub({
      salt,
      fingerprint,
      nonce: () => new Uint8Array(32).fill(9),
      managementKey: keys.management,
    })
    hub.add(session('secret', { passwordKey: keys.right, admission: [parseAdmissionRule('nobody')] }))
    hub.add(session('open'))
    const guests = new Map<string, Guest>()
    const guest = visit(hub, 'a', { purpose: 'manage', ...options }, guests)
    return { hub, guest, say: (id: number, nowMs = 0) => hub.message('a', command(id), nowMs) }
  }
  const json = Uint8Array.from(Buffer.from('{}'))
  const command = (id: number) => ({ kind: 'command', id, json }) as const

  test('may do everything with the management password, and is answered', () => {
    const { hub, guest, say } = managed({ key: keys.management })
    expect([guest.seen.map(({ kind }) => kind), guest.isClosed]).toEqual([['greeted'], false])
    expect(say(3)).toEqual([{ kind: 'command', connection: 'a', right: { kind: 'all' }, id: 3, json }])
    expect(hub.answer('a', 3, json, 0)).toEqual([
      { kind: 'send', connection: 'a', message: { kind: 'answer', id: 3, json } },
    ])
    expect(hub.status(0)).toMatchObject([{ joined: 0, state: 'waiting' }, { joined: 0 }])
  })

  const sessionId = '01'.repeat(16)
  test.each([
    ['its name', 'secret'],
    ['its id', sessionId],
    ['nothing', ''],
  ])("has one session's right with that session's password and %s, whoever may join it", (_, sessionName) => {
    const { say } = managed({ key: keys.right, sessionName })
    expect(say(1)).toMatchObject([
      { kind: 'command', right: { kind: 'sessions', sessions: [{ name: 'secret', sessionId }] } },
    ])
  })

  test('who names none has the right to all sessions of that password, and tries it once', () => {
    const hub = newHub(
      session('first', { passwordKey: keys.right }),
      session('other', { passwordKey: keys.management }),
      session('last', { passwordKey: keys.right }),
    )
    const come = (connection: string, key: Uint8Array) => visit(hub, connection, { purpose: 'manage', key })
    come('a', keys.right)
    expect(hub.message('a', command(1), 0)).toMatchObject([
      { right: { sessions: [{ name: 'first' }, { name: 'last' }] } },
    ])
    for (const connection of ['b', 'c', 'd']) expect(refusal(come(connection, keys.wrong))).toBe('password')
    expect(refusal(come('e', keys.right))).toBe('wait')
  })

  test.each<[string, keyof typeof keys | null, string]>([
    ['without a password', null, ''],
    ['with a wrong one', 'wrong', 'secret'],
    ['with a wrong one for no session', 'wrong', ''],
    ["with one session's for another", 'right', 'open'],
    ['for a session that has none', null, 'open'],
  ])('is sent away %s', (_, password, sessionName) => {
    const { guest } = managed({ key: password && keys[password], sessionName })
    expect([refusal(guest), guest.isClosed]).toEqual(['password', true])
  })

  test('says one thing at a time', () => {
    const { say } = managed({ key: keys.management })
    say(1)
    expect(say(2)).toMatchObject([{ message: { reason: 'protocol' } }, { kind: 'close' }])
  })

  test('is sent away when it says nothing for a minute, but not while it waits for an answer', () => {
    const { hub, say } = managed({ key: keys.management })
    expect(hub.tick(59_999)).toEqual([])
    say(1, 59_999)
    expect(hub.tick(500_000)).toEqual([])
    hub.answer('a', 1, json, 500_000)
    expect(hub.tick(559_999)).toEqual([])
    expect(hub.tick(560_000)).toEqual([{ kind: 'close', connection: 'a' }])
    expect(hub.answer('a', 1, json, 560_000)).toEqual([])
  })

  test('is no client: it gets no block, and a client gives no commands', () => {
    const { hub } = managed({ key: keys.management })
    expect(hub.message('a', { kind: 'fetch', block: 0 }, 0)).toMatchObject([
      { message: { reason: 'protocol' } },
      { kind: 'close' },
    ])
    const other = newHub(session('lab'))
    visit(other, 'b')
    expect(other.message('b', command(1), 0)).toMatchObject([
      { message: { reason: 'protocol' } },
      { kind: 'close' },
    ])
    expect(other.status(0)).toMatchObject([{ joined: 0 }])
  })
})

describe('a session', () => {
  test('starts when enough have joined; until then they are told how many are there', () => {
    const lab = session('lab', { startRule: { clients: 2, afterLastJoinMs: 60_000 } })
    const hub = newHub(lab)
    const first = visit(hub, 'a')
    expect(first.seen.at(-1)).toMatchObject({
      kind: 'waiting',
      waiting: { joined: 1, wanted: 2, startsInMs: 60_000 },
    })
    expect(lab.sender.state).toBe('waiting')
    visit(hub, 'b', { id: 8, nowMs: 1000 })
    expect(lab.sender.state).toBe('quiet')
  })

  test('counts nobody who has said nothing for fifteen seconds, until he reports again', () => {
    const lab = session('lab', { startRule: { clients: 2, afterLastJoinMs: null }, mostClients: 1 })
    const hub = newHub(lab)
    const guests = new Map<string, Guest>()
    visit(hub, 'gone', {}, guests)
    lab.sender.next(20_000)
    expect(hub.status(20_000)).toMatchObject([{ joined: 0 }])
    const second = visit(hub, 'a', { id: 8, nowMs: 20_000 }, guests)
    expect(second.seen.at(-1)).toMatchObject({ waiting: { joined: 1, wanted: 2 } })
    expect(lab.sender.state).toBe('waiting')
    hub.message('gone', report, 21_000)
    hub.tick(21_000)
    expect(hub.status(21_000)).toMatchObject([{ joined: 2, state: 'quiet' }])
    expect(refusal(visit(hub, 'b', { id: 9, nowMs: 21_000 }, guests))).toBe('full')
  })

  test('starts by time, or by hand', () => {
    const timed = session('timed', { startRule: { clients: null, afterLastJoinMs: 60_000 } })
    const manual = session('manual', { startRule: { clients: null, afterLastJoinMs: null } })
    const hub = newHub(timed, manual)
    visit(hub, 'a', { sessionName: 'timed' })
    visit(hub, 'b', { sessionName: 'manual' })
    hub.tick(59_999)
    expect(timed.sender.state).toBe('waiting')
    hub.tick(60_000)
    expect([timed.sender.state, manual.sender.state]).toEqual(['quiet', 'waiting'])
    hub.startNow('manual')
    expect(manual.sender.state).toBe('quiet')
  })

  test('starts by time, though one of its computers starts again and again', () => {
    const hub = newHub(session('lab', { startRule: { clients: null, afterLastJoinMs: 60_000 } }))
    visit(hub, 'a')
    visit(hub, 'b', { id: 8 })
    hub.disconnected('b')
    visit(hub, 'c', { id: 8, nowMs: 50_000 })
    hub.tick(59_999)
    expect(hub.status(59_999)).toMatchObject([{ state: 'waiting', joined: 2, startsInMs: 1 }])
    hub.tick(60_000)
    expect(hub.status(60_000)).toMatchObject([{ state: 'quiet' }])
  })

  test('begins to wait anew when its only computer comes back', () => {
    const hub = newHub(session('lab', { startRule: { clients: null, afterLastJoinMs: 60_000 } }))
    visit(hub, 'a')
    hub.disconnected('a')
    visit(hub, 'b', { nowMs: 100_000 })
    hub.tick(159_999)
    expect(hub.status(159_999)).toMatchObject([{ state: 'waiting', startsInMs: 1 }])
  })

  test('tells its clients every second where it is, and hashes as they become known', () => {
    let known = 2
    const hashesFrom = (first: number, most: number) =>
      Buffer.concat(hashes.slice(first, Math.min(known, first + most)))
    const hub = newHub(session('lab', { hashesFrom }))
    const guest = visit(hub, 'a')
    const { hashOf } = guest.seen.find((output) => output.kind === 'joined')!.session
    expect([hashOf(1), hashOf(2)]).toEqual([hashes[1], null])
    known = 3
    expect(hub.tick(500)).toEqual([])
    carry(hub, new Map([['a', guest]]), hub.tick(1000), {})
    expect(guest.seen.slice(-2).map(({ kind }) => kind)).toEqual(['hashes', 'position'])
    expect(hashOf(2)).toEqual(hashes[2])
  })

  test('ends for everyone when it is stopped', () => {
    const lab = session('lab')
    const hub = newHub(lab)
    const guest = visit(hub, 'a')
    carry(hub, new Map([['a', guest]]), hub.stop('lab', { reason: 'stopped', text: 'Enough.' }), {})
    expect(guest.seen.at(-1)).toMatchObject({ kind: 'ended', end: { reason: 'stopped' } })
    expect([guest.isClosed, lab.sender.state, hub.status(0)]).toEqual([true, 'ended', []])
  })

  test('ends by itself when all have finished, if it is to', () => {
    const hub = newHub(session('lab', { whenFinished: 'ends' }))
    visit(hub, 'a')
    visit(hub, 'b', { id: 8 })
    const finished: ClientMessage = { kind: 'finished', outcome: 'done', text: '' }
    expect(hub.message('a', finished, 0)).toEqual([{ kind: 'close', connection: 'a' }])
    expect(hub.message('b', finished, 0).at(-1)).toEqual({ kind: 'ended', session: 'lab' })
    expect(hub.status(0)).toEqual([])
  })
})

describe('a session that ends when everyone has finished', () => {
  const finished: ClientMessage = { kind: 'finished', outcome: 'done', text: '' }
  const ending = () => {
    const lab = session('lab', { whenFinished: 'ends', hashesFrom: () => new Uint8Array(0) })
    const hub = newHub(lab)
    visit(hub, 'a')
    visit(hub, 'b', { id: 8 })
    const ended = (outputs: readonly HubOutput[]) => outputs.some(({ kind }) => kind === 'ended')
    return { lab, hub, ended }
  }

  test('waits for one that was cut off, until it is back and has finished', () => {
    const { hub, ended } = ending()
    hub.disconnected('b')
    expect(ended(hub.message('a', finished, 0))).toBe(false)
    expect(ended(hub.tick(100_000))).toBe(false)
    visit(hub, 'c', { id: 8, nowMs: 100_000 })
    expect(ended(hub.tick(119_999))).toBe(false)
    expect(ended(hub.message('c', finished, 119_999))).toBe(true)
  })

  test.each(['failed', 'cancelled'] as const)('waits for one that %s: it may be tried again', (outcome) => {
    const { hub, ended } = ending()
    hub.message('b', { ...finished, outcome }, 1000)
    expect(ended(hub.message('a', finished, 2000))).toBe(false)
    expect(ended(hub.tick(120_999))).toBe(false)
    expect(ended(hub.tick(121_000))).toBe(true)
  })

  test('never ends of those who have given up, nor before it has begun', () => {
    const rule = { clients: 3, afterLastJoinMs: null }
    const waiting = session('lab', { whenFinished: 'ends', startRule: rule })
    const hub = newHub(waiting)
    visit(hub, 'a')
    visit(hub, 'b', { id: 8 })
    hub.message('a', { ...finished, outcome: 'cancelled' }, 0)
    hub.message('b', finished, 0)
    expect(hub.tick(1e6)).toEqual([])
    expect(hub.status(1e6)).toMatchObject([{ state: 'waiting', finished: 1 }])
    hub.startNow('lab')
    expect(hub.tick(1e6).at(-1)).toEqual({ kind: 'ended', session: 'lab' })
  })

  test('waits for one that vanished for two minutes', () => {
    const { hub, ended } = ending()
    hub.message('a', finished, 1000)
    hub.tick(5000)
    hub.disconnected('b')
    expect(ended(hub.tick(124_999))).toBe(false)
    expect(ended(hub.tick(125_000))).toBe(true)
  })

  test('does not wait for one that was sent away', () => {
    const { hub, ended } = ending()
    hub.message('a', finished, 1000)
    hub.dismissed('b')
    expect(hub.status(1000)).toMatchObject([{ joined: 0, finished: 1 }])
    expect(ended(hub.tick(1001))).toBe(true)
  })

  test('waits for one that is silent, but not for ever', () => {
    const { lab, hub, ended } = ending()
    hub.message('a', finished, 1000)
    // The sender forgets who doesn't report; the connection stands.
    lab.sender.next(20_000)
    expect(ended(hub.tick(20_000))).toBe(false)
    expect(ended(hub.tick(139_999))).toBe(false)
    expect(ended(hub.tick(140_000))).toBe(true)
  })

  describe('and a computer that is started again', () => {
    // Some of a Mac's are others after each start.
    const hardwareAddresses = [new Uint8Array(6).fill(3), new Uint8Array(6).fill(1)]
    const begun = () => {
      const lab = session('lab', { whenFinished: 'ends' })
      const hub = newHub(lab)
      const guests = new Map<string, Guest>()
      visit(hub, 'before', { hardwareAddresses }, guests)
      /** What the hub says besides messages. */
      const others: HubOutput[] = []
      const come = (options: GuestOptions) => {
        const link = clientLink({
          clientId: new Uint8Array(16).fill(options.id ?? 8),
          hostName: 'lab-07',
          hardwareAddresses: [new Uint8Array(6).fill(1), new Uint8Array(6).fill(4)],
          ...options,
        })
        const nowMs = options.nowMs ?? 0
        for (const output of hub.connected('after', options.address ?? '10.0.0.7', nowMs))
          if (output.kind === 'send') link.message(output.message)
        others.push(...hub.message('after', say(link.sayHello(null)), nowMs))
        return others.filter(({ kind }) => kind !== 'send')
      }
      return { lab, hub, come }
    }
    const returned = { kind: 'returned', session: 'lab', clientId: '07'.repeat(16) }

    test('takes the place of the client that was lost there', () => {
      const { hub, come } = begun()
      hub.disconnected('before')
      expect(come({ nowMs: 300_000 })).toEqual([returned])
      expect(hub.message('after', finished, 300_001).at(-1)).toEqual({ kind: 'ended', session: 'lab' })
    })

    test('takes it also when the connection of that one still stands, but is silent', () => {
      const { lab, hub, come } = begun()
      lab.sender.next(20_000)
      expect(come({ nowMs: 20_000 })).toEqual([{ kind: 'close', connection: 'before' }, returned])
      hub.disconnected('before')
      expect(hub.message('after', finished, 20_001).at(-1)).toEqual({ kind: 'ended', session: 'lab' })
    })

    test.each<[string, GuestOptions]>([
      ['another address', { address: '10.0.0.8' }],
      ['another name', { hostName: 'lab-08' }],
      ['other hardware', { hardwareAddresses: [new Uint8Array(6).fill(2)] }],
      ['no hardware that it names', { hardwareAddresses: [] }],
    ])('takes no place with %s', (_, options) => {
      const { hub, come } = begun()
      hub.disconnected('before')
      expect(come(options)).toEqual([])
    })

    test('takes no place of one that is alive', () => {
      const { hub, come } = begun()
      expect(come({ nowMs: 10_000 })).toEqual([])
      expect(hub.status(10_000)).toMatchObject([{ joined: 2 }])
    })
  })

  describe('and a computer that is here again before the server has noticed that it was gone', () => {
    const hardwareAddresses = [new Uint8Array(6).fill(3)]
    const reported = (options: Partial<Session> = {}, lastMs = 10_000) => {
      const lab = session('lab', { startRule: { clients: 2, afterLastJoinMs: null }, ...options })
      const hub = newHub(lab)
      const guests = new Map<string, Guest>()
      visit(hub, 'before', { hardwareAddresses }, guests)
      hub.message('before', report, lastMs)
      return { lab, hub, guests, joinedAt: (nowMs: number) => hub.status(nowMs)[0]?.joined }
    }
    const cameBack = (nowMs: number) => ({ id: 8, hardwareAddresses, nowMs })
    const superseded = [
      { kind: 'close', connection: 'before' },
      { kind: 'returned', session: 'lab', clientId: '07'.repeat(16) },
    ]
    const notSent = (outputs: readonly HubOutput[]) => outputs.filter(({ kind }) => kind !== 'send')

    test('is never counted twice, and takes its own place when the other stays silent', () => {
      const { lab, hub, joinedAt } = reported()
      visit(hub, 'after', cameBack(12_000))
      expect(joinedAt(12_000)).toBe(1)
      hub.message('after', report, 12_000)
      expect(notSent(hub.tick(14_900))).toEqual([])
      expect(notSent(hub.tick(15_000))).toEqual(superseded)
      expect(joinedAt(15_000)).toBe(1)
      // Two were to start it, and one was here.
      expect(lab.sender.state).toBe('waiting')
      hub.disconnected('before')
      expect(joinedAt(15_000)).toBe(1)
    })

    test('takes its place at once when it was away for some seconds, also where no more may join', () => {
      const { hub, guests, joinedAt } = reported({ mostClients: 1 })
      const guest = visit(hub, 'after', cameBack(15_000), guests)
      expect(joined(guest)).toBe('lab')
      expect(guests.get('before')?.isClosed).toBe(true)
      expect(joinedAt(15_000)).toBe(1)
      hub.message('before', report, 15_100)
      expect(joinedAt(15_100)).toBe(1)
    })

    test('is two clients when it restores to two disks at once', () => {
      const { lab, hub, joinedAt } = reported()
      visit(hub, 'after', cameBack(10_100))
      expect(joinedAt(10_100)).toBe(1)
      hub.message('before', report, 10_250)
      expect(joinedAt(10_250)).toBe(2)
      expect(notSent(hub.tick(10_300))).toEqual([])
      expect(lab.sender.state).not.toBe('waiting')
      hub.message('after', report, 14_000)
      // What they say is heard late, but it is said by both.
      expect(notSent(hub.tick(20_000))).toEqual([])
      expect(joinedAt(20_000)).toBe(2)
    })

    test('is two clients where no report comes back at all', () => {
      const hub = newHub(session('lab'))
      visit(hub, 'one', { hardwareAddresses })
      visit(hub, 'other', cameBack(9_000))
      expect(notSent(hub.tick(14_000))).toEqual([])
      expect(hub.status(14_000)).toMatchObject([{ joined: 2 }])
    })
  })

  test('remembers only so many of those who make up names', () => {
    const { hub } = ending()
    const most = 16_384
    for (let count = 0; count <= most; count++) {
      const clientId = new Uint8Array(16)
      new DataView(clientId.buffer).setUint32(0, count)
      visit(hub, `other ${count}`, { clientId })
      hub.message(`other ${count}`, finished, 0)
    }
    expect(hub.status(0)[0]?.finished).toBe(most)
  })

  test('stays while nobody has finished', () => {
    const { hub, ended } = ending()
    hub.disconnected('a')
    hub.disconnected('b')
    expect(ended(hub.tick(1_000_000))).toBe(false)
  })
})

describe('what a server may say', () => {
  const link = () => {
    const made = clientLink()
    const nonce = new Uint8Array(32)
    made.message({ kind: 'greeting', magic: protocolMagic, lowestVersion: 1, highestVersion: 3, nonce, salt })
    return made
  }
  const { facts } = session('lab')
  const position = {
    kind: 'position',
    serial: 0,
    state: 'quiet',
    standing: 'well',
    reportEveryMs: 250,
  } as const

  test.each<[string, ServerMessage[]]>([
    ['a stream that cannot be', [{ ...facts, sizeBytes: 2 ** 52 }]],
    ['symbols that cannot be', [{ ...facts, symbolBytes: 17 }]],
    ['a second session', [facts, facts]],
    ['hashes before the session', [{ kind: 'hashes', firstBlock: 0, hashes: new Uint8Array(32) }]],
    ['hashes with a gap', [facts, { kind: 'hashes', firstBlock: 1, hashes: new Uint8Array(32) }]],
    ['half a hash', [facts, { kind: 'hashes', firstBlock: 0, hashes: new Uint8Array(33) }]],
    ['a position of nothing', [position]],
    ['a list', [{ kind: 'sessions', sessions: [] }]],
  ])('is not %s', (_, messages) => {
    const at = link()
    expect(() => messages.flatMap((message) => at.message(message))).toThrow(
      expect.objectContaining({ code: 'E_MC_PROTOCOL' }),
    )
  })

  test('is not more hashes than there are blocks', () => {
    const at = link()
    at.message({ ...facts, sizeBytes: 1024 })
    expect(() => at.message({ kind: 'hashes', firstBlock: 0, hashes: new Uint8Array(64) })).toThrow(
      /other blocks/,
    )
  })

  test('is not hashes of another image than the session names', () => {
    const root = (blocks: Uint8Array) =>
      rootOfBlocks({ blockBytes: 1024, hashes: blocks }, { diskBytes: 2000 })
    const two = Uint8Array.from(Buffer.concat(hashes.slice(0, 2)))
    const named = { ...facts, sizeBytes: 2000, root: Uint8Array.from(Buffer.from(root(two), 'hex')) }
    const join = (all: Uint8Array) => {
      const at = link()
      at.message(named)
      return at.message({ kind: 'hashes', firstBlock: 0, hashes: all })
    }
    expect(join(two)).toEqual([])
    expect(() => join(two.map((byte, index) => (index === 40 ? byte + 1 : byte)))).toThrow(/root/)
  })

  test('is not a version we do not speak', () => {
    const made = clientLink()
    const greeting = { kind: 'greeting', nonce: new Uint8Array(32), salt } as const
    expect(() =>
      made.message({ ...greeting, magic: protocolMagic, lowestVersion: 2, highestVersion: 3 }),
    ).toThrow(/versions 2 to 3, we speak 1/)
    expect(() =>
      made.message({ ...greeting, magic: new Uint8Array(8), lowestVersion: 1, highestVersion: 1 }),
    ).toThrow(/another protocol/)
    expect(() => made.sayHello(null)).toThrow(/no greeting/)
  })
})
