import { describe, expect, it } from 'vitest'
import { createSessionText, dateText } from '#src/main/cli/serve-foreground.ts'
import { sessionNameOf } from '#src/main/cli/server.ts'
import type { StreamEngines } from '#src/main/cli/stream-engines.ts'
import { DeviceError, FormatError, NetworkError, serializeError, UsageError } from '#shared/errors'
import type { JobOutcome, JobState, SessionSettings, SessionState } from '#shared/model'
import { noStreams, play, state as jobState } from './fakes.ts'

const configuration = {
  dataRate: 12_000_000,
  group: '239.255.0.1',
  clientDataRate: null,
  advertise: true,
  loopSuspend: 0,
  ttl: 3,
  port: 7800,
}

const full = new DeviceError('E_DST_FULL', 'full', { details: { path: 'standard output', errno: 'ENOSPC' } })

const scanned: JobState = {
  ...jobState({
    phase: 'scanning',
    percent: 100,
    outcome: {
      kind: 'scanned',
      scan: {
        path: '/home/anna/lab 7.dmg',
        scan: { partitions: [], blocks: null, dateMs: 0, scannedBy: 'Reprise' },
        stored: 'added',
        inOrder: true,
        signatureRemoved: false,
        sizeBytes: 1000,
        beforeBytes: 900,
        storedBytes: 950,
        durationMs: 10,
        bytesPerSecond: 100,
      },
    },
  }),
  kind: 'scan-image',
}

/** A server that goes through `states`, and what it was asked. */
function streams(states: readonly SessionState[], warnings: readonly string[] = []) {
  const started: SessionSettings[] = []
  let disposals = 0
  const engines: StreamEngines = {
    ...noStreams,
    readConfiguration: () => Promise.resolve({ configuration, warnings }),
    fetches: () => Promise.resolve({ watchFetch: () => ({ [Symbol.dispose]: () => undefined }) }),
    openServer: () =>
      Promise.resolve({
        start(settings) {
          started.push(settings)
          return Promise.resolve({ sessionId: 'id' })
        },
        subscribe(listener) {
          for (const state of states) listener([state])
          return { [Symbol.dispose]: () => undefined }
        },
        [Symbol.asyncDispose]() {
          disposals += 1
          return Promise.resolve()
        },
      }),
  }
  return { engines, started, disposals: () => disposals }
}

const command = ['server', '--source', 'lab 7.dmg', '--config', 'c.plist', '--interface', 'eth1']

function state(changes: Partial<SessionState>): SessionState {
  return {
    sessionId: 'id',
    settings: {
      source: '/home/anna/lab 7.dmg',
      compression: null,
      name: 'lab 7',
      configuration,
      interface: null,
      start: { clients: 1, afterLastJoinMs: null },
      admission: [],
      whenFinished: 'stays',
      considerate: 'on',
      feedback: 'demand',
      hasPassword: false,
    },
    phase: 'waiting',
    imageName: 'lab 7.dmg',
    sizeBytes: 1000,
    blocks: 1,
    preparing: null,
    interfaceName: 'eth1',
    address: '10.0.0.1',
    fingerprint: 'ab'.repeat(32),
    locator: 'asr://10.0.0.1/lab%207',
    command: "reprise restore --source 'asr://10.0.0.1/lab%207' --target TARGET --erase",
    createdMs: 0,
    startedMs: null,
    endedMs: null,
    wanted: 1,
    startsInMs: null,
    allowedBytesPerSecond: 12_000_000,
    sentBytesPerSecond: 0,
    sentBytes: 0,
    lap: 0,
    position: 0,
    repairSymbols: 0,
    clients: [],
    error: null,
    warnings: [],
    ...changes,
  }
}
const preparing = (doneBytes: number) =>
  state({ phase: 'preparing', preparing: { doneBytes, totalBytes: 1000 } })

describe('reprise server', () => {
  it("says what it does in asr's words, and ends well when it is interrupted", async () => {
    const { engines, started, disposals } = streams([
      preparing(0),
      preparing(200),
      preparing(1000),
      state({}),
      state({ phase: 'streaming', lap: 1, startedMs: new Date(2026, 4, 1, 8, 2, 3).getTime() }),
    ])
    const { out, err, status } = await play(command, { streams: engines, interruptAfter: 'Starting stream' })
    expect(out).toBe(
      [
        'Multicast server configuration:',
        'DNS Service Discovery: true',
        'Data Rate: 12000000',
        'Multicast Address: 239.255.0.1',
        'Multicast TTL: 3',
        'Loop Suspend: 0',
        'Port: 7800',
        'Reading image  ....10....20....30....40....50....60....70....80....90....100',
        'Ready to start accepting clients',
        'Starting stream Fri May  1 08:02:03 2026',
        'The stream has ended for everyone.',
        '',
      ].join('\n'),
    )
    expect(err).toBe('')
    expect(status).toBe(0)
    expect(disposals()).toBe(1)
    expect(started).toEqual([
      {
        source: '/home/anna/lab 7.dmg',
        compression: null,
        name: 'lab 7',
        configuration,
        interface: 'eth1',
        start: { clients: 1, afterLastJoinMs: null },
        admission: [],
        password: null,
        whenFinished: 'stays',
        considerate: 'on',
        feedback: 'demand',
      },
    ])
  })

  it('says of doubtful settings once what is wrong with them, where they were read or while it runs', async () => {
    const doubt = (code: 'E_MC_TTL' | 'E_MC_RATE', details: object) =>
      serializeError(new NetworkError(code, 'x', { details: { address: '', phase: 'test', ...details } }))
    const warnings = [
      doubt('E_MC_RATE', { dataRate: 12_000_000, linkBytesPerSecond: 12_500_000 }),
      doubt('E_MC_TTL', { ttl: 1 }),
    ]
    const { engines } = streams(
      [state({ warnings }), state({ phase: 'ended', warnings })],
      ['"Multicast TTL" is 1: the stream stays in its subnet.'],
    )
    const { err } = await play(command, { streams: engines })
    expect(err.match(/TTL/g)).toHaveLength(1)
    expect(err.match(/more than half of what the link can do/g)).toHaveLength(1)
  })

  it("understands asr's older form that begins with -server", async () => {
    const { engines, started } = streams([state({ phase: 'ended' })])
    const argv = ['-server', 'c.plist', '-source', 'a.dmg']
    expect((await play(argv, { streams: engines })).status).toBe(0)
    expect(started[0]?.source).toBe('/home/anna/a.dmg')
  })

  it.each([
    [['server', '--source', 'a.dmg', '--config', 'c.plist', 'd.plist'], 'named twice'],
    [['server', '--config', 'c.plist'], '--source is missing'],
    [['server', '--source', 'a.dmg'], '--config is missing'],
    [['server', '--source', 'asr://lab', '--config', 'c.plist'], "'asr://lab' is a multicast stream"],
    [['server', '--source', 'afp://lab/a.dmg', '--config', 'c.plist'], 'begin with afp://'],
  ])('%j is refused', async (argv, words) => {
    const { status, err } = await play(argv, { streams: streams([]).engines })
    expect(status).toBe(1)
    expect(err).toContain(words)
  })

  it("understands asr's older form, an address as the source, and the two modes", async () => {
    const { engines, started } = streams([state({ phase: 'ended' })])
    const argv = [
      '-source',
      'http://images.example/a%20b.dmg',
      '-server',
      'c.plist',
      '--oneway',
      '--full-rate',
    ]
    expect((await play(argv, { streams: engines })).status).toBe(0)
    expect(started[0]).toMatchObject({
      source: 'http://images.example/a%20b.dmg',
      name: 'a b',
      feedback: 'one-way',
      considerate: 'off',
    })
  })

  it("takes asr's buffers, and does the same", async () => {
    const { engines, started } = streams([state({ phase: 'ended' })])
    const argv = [...command, '--buffers', '4', '--buffersize', '256k', '--csumbuffers', '1']
    expect(await play(argv, { streams: engines })).toMatchObject({ status: 0, err: '' })
    expect(started).toHaveLength(1)
  })

  it('names unknown keys on standard error', async () => {
    const { engines } = streams([state({ phase: 'ended' })], ['"Colour" isn\'t a key'])
    const { err } = await play(command, { streams: engines })
    expect(err).toBe('"Colour" isn\'t a key\n')
  })

  describe('of an image that was never scanned', () => {
    const unscanned = serializeError(
      new UsageError('E_SRC_NOSCAN', 'no hashes', {
        details: {
          input: '--source',
          path: '/home/anna/lab 7.dmg',
          name: 'lab 7.dmg',
          purpose: 'multicast',
          scanned: 'never',
        },
      }),
    )
    /** It can be streamed the second time. */
    const serving = () => {
      const runs = [state({ phase: 'failed', error: unscanned }), state({ phase: 'ended', startedMs: 1 })]
      const { engines, started, disposals } = streams([])
      const streaming: StreamEngines = {
        ...engines,
        async openServer() {
          const run = runs.shift()
          return {
            ...(await engines.openServer()),
            subscribe(listener) {
              if (run !== undefined) listener([run])
              return { [Symbol.dispose]: () => undefined }
            },
          }
        },
      }
      return { streaming, started, disposals }
    }
    const at = { streams: serving().streaming, isInteractive: true, task: [scanned] }

    it('offers to scan it, and streams it then', async () => {
      const { streaming, started, disposals } = serving()
      const played = await play(command, { ...at, streams: streaming, answers: ['y'] })
      expect(played.status).toBe(0)
      expect(played.err).toContain('E_SRC_NOSCAN')
      expect(played.err).toMatch(/\tScan it now\? \[ny\]: $/)
      expect(played.tasks).toEqual([
        { kind: 'scan', path: '/home/anna/lab 7.dmg', reorder: true, allowFragmentedCatalog: false },
      ])
      expect(played.out).toContain('successfully scanned image "/home/anna/lab 7.dmg"')
      expect([started.length, disposals()]).toEqual([2, 2])
    })

    it.each([
      ['is told no', { answers: ['n'] }],
      ['is told nothing', { answers: [] }],
      ['is told no after a yes that was typed before it asked', { ahead: ['y'], answers: ['n'] }],
      ['has nobody to ask', { answers: ['y'], isInteractive: false }],
    ])('ends with that when it %s', async (_what, how) => {
      const { streaming, started } = serving()
      const { status, err, tasks } = await play(command, { ...at, streams: streaming, ...how })
      expect({ status, tasks, started: started.length }).toEqual({ status: 1, tasks: [], started: 1 })
      expect(err).toContain('E_SRC_NOSCAN')
      expect(err.includes('Scan it now')).toBe(!('isInteractive' in how))
    })

    it('asks no program, and nobody about an image on a web server', async () => {
      const json = await play([...command, '--json'], { ...at, streams: serving().streaming, answers: ['y'] })
      expect([json.status, json.tasks, json.err.includes('Scan it now')]).toEqual([
        expect.any(Number),
        [],
        false,
      ])
      const details = { ...unscanned.details, path: 'https://images.example/lab.dmg' }
      const web = streams([state({ phase: 'failed', error: { ...unscanned, details } })])
      const far = await play(command, { ...at, streams: web.engines, answers: ['y'] })
      expect([far.status, far.tasks, far.err.includes('Scan it now')]).toEqual([1, [], false])
    })

    it('is over when it is interrupted there', async () => {
      const how = { ...at, streams: serving().streaming, interruptAfter: 'Scan it now' }
      const { status, tasks } = await play(command, how)
      expect({ status, tasks }).toEqual({ status: 130, tasks: [] })
    })

    it('ends as the scan ends', async () => {
      const { streaming, started } = serving()
      const broken: JobOutcome = {
        kind: 'failed',
        error: serializeError(full),
        target: 'untouched',
        warnings: [],
      }
      const task = [{ ...scanned, outcome: broken }]
      const { status, err } = await play(command, { ...at, streams: streaming, answers: ['y'], task })
      expect([status, started.length]).toEqual([1, 1])
      expect(err).toContain('E_DST_FULL')
    })
  })

  it('fails as its session fails', async () => {
    const error = serializeError(
      new FormatError('E_SRC_CORRUPT', 'x', { details: { format: 'udif', field: 'koly', offset: 0 } }),
    )
    const { engines, disposals } = streams([state({ phase: 'failed', error })])
    const { status, err } = await play(command, { streams: engines })
    expect(status).toBe(1)
    expect(err).toContain('E_SRC_CORRUPT')
    expect(disposals()).toBe(1)
  })

  it('says why its image takes long to open on a web server', async () => {
    const { engines } = streams([state({ phase: 'ended', startedMs: 1 })])
    const refused = new NetworkError('E_NET', 'connect h: ECONNREFUSED', {
      details: { address: 'http://h/a.dmg', host: 'h', phase: 'connect', errno: 'ECONNREFUSED' },
    })
    const away: StreamEngines = {
      ...engines,
      fetches: () =>
        Promise.resolve({
          watchFetch(watch) {
            // The second is a warning of the session.
            for (const during of ['opening', 'reading'] as const)
              watch.waits('http://h/a.dmg', during).again(refused)
            return { [Symbol.dispose]: () => undefined }
          },
        }),
    }
    const source = ['server', '--source', 'http://h/a.dmg', '--config', 'c.plist']
    const { err } = await play(source, { streams: away })
    expect(err).toBe('The network connection to h failed. Nobody answers at that port. Trying again.\n')
  })

  it.each([[[]], [['--json']]])(
    'says so when it is stopped before it had anything to offer: %j',
    async (more) => {
      const { engines, disposals } = streams([preparing(0), preparing(200)])
      const interruptAfter = more.length === 0 ? 'Reading image' : '"doneBytes":200'
      const { err, out, status } = await play([...command, ...more], { streams: engines, interruptAfter })
      expect(err).toBe('Stopped. No stream was offered.\n')
      expect(out).not.toContain('ended for everyone')
      expect([status, disposals()]).toEqual([130, 1])
    },
  )

  it('is stopped at once where what lies under its image does not answer', async () => {
    const { engines, disposals } = streams([])
    let interrupt = () => undefined as void
    const hanging: StreamEngines = {
      ...engines,
      openServer: async () => ({
        ...(await engines.openServer()),
        start() {
          interrupt()
          interrupt()
          return new Promise(() => undefined)
        },
      }),
    }
    const { err, status } = await play(command, {
      streams: hanging,
      onStreams: (how) => {
        interrupt = how
      },
    })
    expect(err).toBe('Still stopping.\nStopped. No stream was offered.\n')
    expect([status, disposals()]).toEqual([130, 1])
  })

  it('says why it is not over yet when it is stopped twice', async () => {
    const { engines } = streams([state({})])
    let interrupt = () => undefined as void
    const live: StreamEngines = {
      ...engines,
      openServer: async () => {
        const server = await engines.openServer()
        return {
          ...server,
          async [Symbol.asyncDispose]() {
            interrupt()
            await server[Symbol.asyncDispose]()
          },
        }
      },
    }
    const { err } = await play(command, {
      streams: live,
      interruptAfter: 'Ready to start',
      onStreams: (how) => {
        interrupt = how
      },
    })
    expect(err).toBe('Still telling the clients.\n')
  })

  it('ends also when its session is forgotten before it is told that it is over', async () => {
    const { engines, disposals } = streams([])
    const live: StreamEngines = {
      ...engines,
      openServer: async () => ({
        ...(await engines.openServer()),
        subscribe(listener) {
          listener([])
          const told = [setTimeout(() => listener([state({})]), 1), setTimeout(() => listener([]), 20)]
          return { [Symbol.dispose]: () => told.forEach((timer) => clearTimeout(timer)) }
        },
      }),
    }
    const { status, out } = await play(command, { streams: live })
    expect([status, disposals()]).toEqual([0, 1])
    expect(out).toContain('Ready to start accepting clients\n')
  })

  it('goes on when its output is cut short, and says so at the end', async () => {
    const { engines, disposals } = streams([])
    const coming = [state({}), state({ phase: 'streaming', lap: 1 }), state({ phase: 'ended' })]
    // As the server does: whatever a listener throws there, nobody catches.
    const live: StreamEngines = {
      ...engines,
      openServer: async () => ({
        ...(await engines.openServer()),
        subscribe(listener) {
          const timer = setInterval(() => {
            const next = coming.shift()
            if (next !== undefined) listener([next])
          }, 1)
          return { [Symbol.dispose]: () => clearInterval(timer) }
        },
      }),
    }
    const { status, out, err } = await play(command, {
      streams: live,
      failWriting: (text) => (text.startsWith('Starting stream') ? full : null),
    })
    expect(coming).toEqual([])
    expect(out).toContain('Ready to start accepting clients\n')
    expect(err).toBe(
      "Standard output can't take any more: the disk it goes to is full. (E_DST_FULL)\nThe stream has ended for everyone.\nFree some space there, or send the output elsewhere.\n",
    )
    expect([status, disposals()]).toEqual([1, 1])
  })

  it('tells of a configuration that can not be before it starts anything', async () => {
    const { engines, started } = streams([])
    const refusing: StreamEngines = {
      ...engines,
      readConfiguration: () =>
        Promise.reject(
          new UsageError('E_MC_CONFIG', 'x', {
            details: { input: 'Port', problem: '"Port" is 0.', path: '/c.plist' },
          }),
        ),
    }
    const { status, err, out } = await play(command, { streams: refusing })
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toContain('"Port" is 0. (E_MC_CONFIG)')
    expect(started).toEqual([])
  })

  it('prints whole states with --json', async () => {
    const { engines } = streams([state({}), state({ phase: 'ended' })])
    const { out, passing } = await play([...command, '--json'], { streams: engines })
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; phase: string })
    expect(lines.map(({ type, phase }) => [type, phase])).toEqual([
      ['session', 'waiting'],
      ['session', 'ended'],
    ])
    // How it ended isn't left out, also where nobody reads.
    expect(JSON.parse(passing)).toEqual(lines[0])
  })

  it('keeps how a session ended once for a reader that stalls, while another goes on', async () => {
    const another = { sessionId: 'another' }
    const { engines } = streams([state({ ...another })])
    const over = state({ ...another, phase: 'ended' })
    const ticks = [
      [over, state({})],
      [over, state({ lap: 1 })],
      [over, state({ lap: 2 })],
      [state({ phase: 'ended' })],
    ]
    const live: StreamEngines = {
      ...engines,
      openServer: async () => ({
        ...(await engines.openServer()),
        subscribe(listener) {
          for (const tick of ticks) listener(tick)
          return { [Symbol.dispose]: () => undefined }
        },
      }),
    }
    const { out, passing } = await play([...command, '--json'], { streams: live })
    const count = (text: string) => text.match(/"phase":"ended"/g)?.length
    // The third is the other's.
    expect([count(out), count(passing)]).toEqual([4, 2])
  })

  it('begins a line anew where another session has spoken in the middle of it', async () => {
    const another = { sessionId: 'another' }
    const { engines } = streams([
      preparing(200),
      state({ ...another }),
      preparing(200),
      preparing(400),
      state({ ...another, phase: 'streaming', lap: 1, startedMs: new Date(2026, 4, 1, 8, 2, 3).getTime() }),
      state({}),
      state({ phase: 'streaming', lap: 1, startedMs: new Date(2026, 4, 1, 8, 2, 4).getTime() }),
    ])
    const { out } = await play(command, { streams: engines, interruptAfter: '08:02:04' })
    expect(out.split('\n').slice(7, -2)).toEqual([
      'Reading image  ....10....20',
      'Ready to start accepting clients',
      'Reading image  ....30....40',
      'Starting stream Fri May  1 08:02:03 2026',
      'Reading image  ....50....60....70....80....90....100',
      'Ready to start accepting clients',
      'Starting stream Fri May  1 08:02:04 2026',
    ])
  })

  it.each(['ended', 'failed'] as const)(
    'ends the line of an image that was not read to its end (%s)',
    (phase) => {
      const print = createSessionText({ now: () => 0, isVerbose: false, isOnLine: () => true })
      print(state({ phase: 'preparing', preparing: { doneBytes: 20, totalBytes: 100 } }))
      const over = { phase, preparing: null, startedMs: null, endedMs: 5 }
      expect(print(state(over))).toBe('\n')
      expect(print(state(over))).toBe('')
    },
  )

  it('begins a line for each lap, also where two began between two looks', () => {
    const print = createSessionText({ now: () => 0, isVerbose: false, isOnLine: () => false })
    print(state({}))
    expect(print(state({ lap: 3 })).match(/Starting stream/g)).toHaveLength(3)
    expect(print(state({ lap: 3 }))).toBe('')
  })

  it('tells of its clients with --verbose, once for each change', () => {
    const print = createSessionText({ now: () => 0, isVerbose: true, isOnLine: () => false })
    const client = {
      clientId: 'c',
      host: 'mac-3',
      address: '10.0.0.3',
      state: 'receiving',
      standing: 'well',
      blocksDone: 0,
      loss: 0.02,
      writeBytesPerSecond: 0,
      lastSeenMs: 0,
      text: '',
    } as const
    expect(print(state({}))).toBe(
      "Ready to start accepting clients\nreprise restore --source 'asr://10.0.0.1/lab%207' --target TARGET --erase\n",
    )
    expect(print(state({ clients: [client] }))).toBe('mac-3 (10.0.0.3): receiving\n')
    expect(print(state({ clients: [client] }))).toBe('')
    expect(print(state({ clients: [{ ...client, state: 'done' }] }))).toBe(
      'mac-3 (10.0.0.3): done, 2.0 % lost\n',
    )
  })
})

describe('names and dates', () => {
  it.each([
    ['lab.dmg', 'lab'],
    ['10.6 lab', '10.6 lab'],
    ['.dmg', 'image'],
    ['x'.repeat(80), 'x'.repeat(63)],
    ['Übungsraum.dmg'.normalize('NFD'), 'Übungsraum'.normalize('NFC')],
  ])('calls the session of %s %s', (image, name) => expect(sessionNameOf(image)).toBe(name))

  it('writes a time as ctime does', () => {
    expect(dateText(new Date(2008, 3, 15, 18, 29, 29).getTime())).toBe('Tue Apr 15 18:29:29 2008')
  })
})
