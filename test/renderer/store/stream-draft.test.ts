import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeConfiguration, parseConfiguration } from '#engine/multicast/configuration'
import { DeviceError, serializeError } from '#shared/errors'
import type { Item } from '#src/renderer/store/items.ts'
import {
  configurationDraft,
  draftAgain,
  draftConfiguration,
  draftProblems,
  draftSettings,
  followed,
  gentleRate,
  isStreamGroup,
  namesake,
  parseRate,
  streamDraft,
  suggestRate,
  type DraftSurroundings,
  type StreamDraft,
} from '#src/renderer/store/stream-draft.ts'
import { suggestGroup, type ServerConfiguration } from '#shared/model'
import { aSession, foundStreams, interfaces } from '#test/stream-fixtures'
import { anImage, sandisk, systemImage, unscannedImage } from '#test/ui-fixtures'

const imageItem = (info = systemImage): Item => ({
  kind: 'image',
  image: { path: info.path, name: info.name, state: 'ready', info, error: null, practice: false },
})
const around: DraftSurroundings = { item: imageItem(), refusal: null, interfaces, sessions: [], streams: [] }
const draft: StreamDraft = followed({ ...streamDraft, source: `image:${systemImage.path}` }, around)
const problems = (change: Partial<StreamDraft>, near: Partial<DraftSurroundings> = {}) =>
  draftProblems({ ...draft, ...change }, { ...around, ...near })

describe('what follows in the form', () => {
  it('is the name from the image, the address from the name and the rate from the link', () => {
    expect(draft).toMatchObject({
      name: 'ModularSystem',
      group: suggestGroup('ModularSystem'),
      dataRate: '12',
    })
  })

  it('is another name where a session has that one', () => {
    const sessions = [aSession()]
    expect(followed(draft, { ...around, sessions }).name).toBe('ModularSystem 2')
  })

  it('is another name where somebody on the network announces that one', () => {
    const [stream] = foundStreams
    if (!stream) throw new Error('there are two')
    const streams = [
      { ...stream, session: 'ModularSystem' },
      { ...stream, session: 'ModularSystem 2' },
    ]
    expect(followed(draft, { ...around, streams }).name).toBe('ModularSystem 3')
  })

  it('is left alone once it was typed', () => {
    const typed: StreamDraft = {
      ...draft,
      name: 'Lab',
      group: '239.1.2.3',
      dataRate: '2',
      fixed: ['name', 'group', 'dataRate'],
    }
    expect(followed(typed, around)).toEqual(typed)
  })
})

describe('an address', () => {
  it.each(['224.0.2.0', '224.1.0.0', '239.255.255.255', ' 232.1.1.1 '])('may be %s', (text) =>
    expect(isStreamGroup(text)).toBe(true),
  )

  it.each([
    '',
    '224.0.0.10',
    '224.0.1.255',
    '244.0.0.10',
    '223.255.255.255',
    '240.0.0.0',
    '239.1.2',
    '239.1.2.256',
    '239.01.2.3',
    '239.1.2.3.4',
    'lab',
    '1e2.1.1.1',
  ])('is not %j', (text) => expect(isStreamGroup(text)).toBe(false))
})

describe('a rate', () => {
  it.each([
    ['12', 12e6],
    ['2.5', 2_500_000],
    [' 2,5 ', 2_500_000],
    ['0.01', 10_000],
    ['10000', 10_000_000_000],
  ])('is read from %j', (text, rate) => expect(parseRate(text)).toBe(rate))

  it.each(['', '0', '-1', '12 MB', '1e3', '1.2.3', '0.0000001', '99999999', '0.009999', '10000.1'])(
    'is not %j',
    (text) => expect(parseRate(text)).toBeNull(),
  )

  it.each([
    [1e9, 12e6],
    [10e9, 12e6],
    [100e6, 6e6],
    [54e6, 3_300_000],
    [1e6, 100_000],
    [null, 6e6],
  ])('for a link of %j bits is %j', (linkBitsPerSecond, rate) => {
    const [via] = interfaces
    expect(via && suggestRate({ ...via, linkBitsPerSecond })).toBe(rate)
  })
})

describe('what stands against a stream', () => {
  it('is nothing when all is there', () => expect(problems({})).toEqual({}))

  it.each<[Partial<StreamDraft>, object]>([
    [{ name: ' ' }, { name: 'missing' }],
    [{ name: 'x'.repeat(64) }, { name: 'too-long' }],
    [{ name: '\u{1F600}'.repeat(61) }, {}],
    [{ name: '\u{1F600}'.repeat(62) }, { name: 'too-long' }],
    [{ group: '' }, { group: 'missing' }],
    [{ group: '224.0.0.10' }, { group: 'bad' }],
    [{ port: '0' }, { port: 'bad' }],
    [{ port: '65536' }, { port: 'bad' }],
    [{ dataRate: '' }, { dataRate: 'bad' }],
    [{ dataRate: '0.005' }, { dataRate: 'bad' }],
    [{ clientDataRate: 'fast' }, { clientDataRate: 'bad' }],
    [{ clientDataRate: '0.000001' }, {}],
    [{ clientDataRate: '10001' }, { clientDataRate: 'bad' }],
    [{ loopSuspend: '1000000' }, {}],
    [{ loopSuspend: '1000001' }, { loopSuspend: 'bad' }],
    [{ start: 'time', minutes: '10080' }, {}],
    [{ start: 'time', minutes: '10081' }, { minutes: 'bad' }],
    [{ ttl: '0' }, { ttl: 'bad' }],
    [{ ttl: '256' }, { ttl: 'bad' }],
    [{ loopSuspend: '1' }, {}],
    [{ loopSuspend: '' }, { loopSuspend: 'bad' }],
    [{ admission: 'lab-*\n10.0.3.300' }, { admission: 'bad' }],
    [{ admission: 'lab\n'.repeat(1001) }, { admission: 'too-many' }],
    [{ admission: 'lab\n'.repeat(1000) }, {}],
    [
      { start: 'either', clients: '0', minutes: 'x' },
      { clients: 'bad', minutes: 'bad' },
    ],
    [{ start: 'clients', clients: '4097' }, { clients: 'bad' }],
    // Nobody asks for them.
    [{ start: 'first', clients: '0', minutes: 'x' }, {}],
  ])('is %j: %j', (change, expected) => expect(problems(change)).toEqual(expected))

  it('is a name that a running stream has, not that of one that ended', () => {
    const name = 'ModularSystem'
    expect(problems({ name }, { sessions: [aSession()] })).toEqual({ name: 'taken' })
    expect(problems({ name }, { sessions: [aSession({ phase: 'ended' })] })).toEqual({})
  })

  it('is no name that somebody on the network announces: that is only told', () => {
    const streams = foundStreams
    expect(problems({ name: 'Kiosk' }, { streams })).toEqual({})
    expect(namesake(' Kiosk ', { streams })?.host).toBe('kiosk-server.local')
    expect(namesake('Kiosk 2', { streams })).toBeNull()
  })

  it('is a name that a running stream has, also with its accents apart', () => {
    const name = 'Übungsraum'.normalize('NFC')
    const session = aSession()
    const sessions = [{ ...session, settings: { ...session.settings, name } }]
    expect(problems({ name: name.normalize('NFD') }, { sessions })).toEqual({ name: 'taken' })
    const image = { ...systemImage, name: `${name.normalize('NFD')}.dmg` }
    expect(followed(draft, { ...around, item: imageItem(image), sessions }).name).toBe(`${name} 2`)
  })

  it('is an image that nobody scanned, or another program, isn’t in order, can’t be read, or isn’t there', () => {
    expect(problems({}, { item: imageItem(unscannedImage) })).toEqual({ source: 'not-scanned' })
    expect(problems({}, { item: imageItem({ ...systemImage, inOrder: false }) })).toEqual({
      source: 'not-in-order',
    })
    const { scan } = systemImage
    const byAnother = { ...systemImage, scan: scan && { ...scan, blocks: null, scannedBy: null } }
    expect(problems({}, { item: imageItem(byAnother) })).toEqual({ source: 'scanned-by-another' })
    const raw = anImage({ path: '/lab.img', format: 'raw', scan: null, inOrder: null })
    expect(problems({}, { item: imageItem(raw) })).toEqual({ source: 'not-scannable' })
    // A raw disk under the name of a UDIF image has no place for a scan either.
    const readWrite = { ...unscannedImage, format: 'UDRW', tables: [] } as const
    expect(problems({}, { item: imageItem(readWrite) })).toEqual({ source: 'not-scannable' })
    const locked = { ...unscannedImage, encrypted: { bits: 256, version: 2 } as const }
    expect(problems({}, { item: imageItem(locked) })).toEqual({ source: 'not-scannable' })
    const broken = imageItem()
    if (broken.kind !== 'image') throw new Error('an image')
    const failed: Item = { kind: 'image', image: { ...broken.image, state: 'failed', info: null } }
    expect(problems({}, { item: failed })).toEqual({ source: 'unreadable' })
    expect(problems({}, { item: null })).toEqual({ source: 'missing' })
  })

  it('is nothing of a device, unless the engine says what', () => {
    const item: Item = { kind: 'disk', disk: sandisk }
    const refusal = serializeError(new DeviceError('E_DENIED', 'no', { details: { path: sandisk.path } }))
    expect(problems({}, { item })).toEqual({})
    expect(problems({}, { item, refusal })).toEqual({ source: 'refused' })
    expect(problems({}, { refusal })).toEqual({})
  })
})

describe('what the engine is asked for', () => {
  it('is the form in its own units', () => {
    expect(
      draftSettings(
        {
          ...draft,
          dataRate: '2.5',
          clientDataRate: '1',
          start: 'either',
          clients: '3',
          minutes: '15',
          password: 'secret',
        },
        around,
      ),
    ).toEqual({
      source: systemImage.path,
      compression: null,
      name: 'ModularSystem',
      configuration: {
        dataRate: 2_500_000,
        group: draft.group,
        clientDataRate: 1_000_000,
        advertise: true,
        loopSuspend: 2,
        ttl: 3,
        port: 7800,
      },
      interface: null,
      start: { clients: 3, afterLastJoinMs: 900_000 },
      admission: [],
      password: 'secret',
      whenFinished: 'stays',
      considerate: 'on',
      feedback: 'demand',
    })
  })

  it.each([
    ['first', { clients: 1, afterLastJoinMs: null }],
    ['clients', { clients: 5, afterLastJoinMs: null }],
    ['time', { clients: null, afterLastJoinMs: 900_000 }],
    ['hand', { clients: null, afterLastJoinMs: null }],
  ] as const)('starts %s: %j', (start, expected) =>
    expect(draftSettings({ ...draft, start }, around)?.start).toEqual(expected),
  )

  it.each(['first', 'clients', 'time', 'either', 'hand'] as const)(
    'is the form of its session again, but for a password and the source: starts %s',
    (start) => {
      const form = {
        ...draft,
        start,
        ttl: '9',
        clientDataRate: '1',
        advertise: false,
        considerate: false,
        endsWhenFinished: true,
        oneWay: true,
        admission: '!lab-07\nlab-*',
        interface: interfaces[0]?.address ?? '',
      }
      const { source: _, device: __, password: ___, ...fields } = form
      const settings = draftSettings(form, around)
      if (settings === null) throw new Error('nothing stands against it')
      const again = draftAgain({ ...settings, hasPassword: false }, interfaces)
      expect(again).toEqual({ ...fields, fixed: ['name', 'group', 'dataRate'] })
    },
  )

  it('names the interface by its address again, however it was asked for; one that is gone stays named', () => {
    const { settings } = aSession()
    const via = (name: string | null) => draftAgain({ ...settings, interface: name }, interfaces).interface
    expect([via('enp3s0'), via('10.20.0.5'), via(null), via('usb0')]).toEqual([
      '10.20.0.5',
      '10.20.0.5',
      '',
      'usb0',
    ])
  })

  it('names compression for a device only', () => {
    const item: Item = { kind: 'disk', disk: sandisk }
    const device = draftSettings({ ...draft, source: 'disk:/dev/sdb' }, { ...around, item })
    expect(device).toMatchObject({ source: '/dev/sdb', compression: 'balanced' })
  })

  it('says whether it is considerate, and whether it ends with its last client', () => {
    expect(draftSettings({ ...draft, considerate: false, endsWhenFinished: true }, around)).toMatchObject({
      considerate: 'off',
      whenFinished: 'ends',
    })
  })

  it('says who may join, in order, and whether clients are asked at all', () => {
    const settings = draftSettings({ ...draft, admission: '!lab-07\n lab-*\n', oneWay: true }, around)
    expect(settings).toMatchObject({ admission: ['!lab-07', 'lab-*'], feedback: 'one-way' })
  })

  it('is nothing while something stands against it', () => {
    expect(draftSettings({ ...draft, name: '' }, around)).toBeNull()
    expect(draftSettings({ ...draft, ttl: 'x' }, around)).toBeNull()
    expect(draftConfiguration({ ...draft, port: '70000' })).toBeNull()
  })
})

describe('the rate for a network that others use', () => {
  const gentle = (dataRate: string, fixed: StreamDraft['fixed'] = ['name']) => gentleRate({ dataRate, fixed })

  it('is a third of what is suggested', () => {
    expect(['12', '6', '0.6', '0.1'].map((rate) => gentle(rate))).toEqual([4e6, 2e6, 200_000, null])
  })

  it('is none where a rate was typed, or none is there', () => {
    expect([gentle('12', ['dataRate']), gentle('x')]).toEqual([null, null])
  })
})

describe('an opened configuration', () => {
  const configuration: ServerConfiguration = {
    dataRate: 12_000_000,
    group: '239.1.2.3',
    clientDataRate: null,
    advertise: false,
    loopSuspend: 0,
    ttl: 9,
    port: 7801,
  }
  const saved = (change: Partial<ServerConfiguration>) =>
    draftConfiguration({ ...streamDraft, ...configurationDraft({ ...configuration, ...change }) })
  const fastest = 10_000_000_000

  it.each([15_000, 995_000, 12_345_678, fastest])('keeps a Data Rate of %i', (dataRate) =>
    expect(saved({ dataRate })).toEqual({ ...configuration, dataRate }),
  )

  it.each([null, 1, 4000])('keeps a Client Data Rate of %j', (clientDataRate) =>
    expect(saved({ clientDataRate })).toEqual({ ...configuration, clientDataRate }),
  )

  it('keeps all rates', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 10_000, max: fastest }),
        fc.option(fc.integer({ min: 1, max: fastest })),
        (dataRate, clientDataRate) => {
          expect(saved({ dataRate, clientDataRate })).toEqual({ ...configuration, dataRate, clientDataRate })
        },
      ),
    ))

  it('can be opened again, whatever was typed', () => {
    const number = fc.oneof(fc.nat(2_000_000).map(String), fc.float({ noNaN: true }).map(String), fc.string())
    const form = { dataRate: number, clientDataRate: number, loopSuspend: number, ttl: number, port: number }
    fc.assert(
      fc.property(fc.record(form, { requiredKeys: [] }), (typed) => {
        const made = draftConfiguration({ ...draft, ...typed })
        const opened =
          made && parseConfiguration(Buffer.from(encodeConfiguration(made)), 'a.plist').configuration
        expect(opened).toEqual(made)
      }),
    )
  })
})
