import { describe, expect, it, test } from 'vitest'
import type {
  Management,
  ManagementCommand,
  ManagementOptions,
  ManagementResult,
  ManagementTarget,
  SessionBrief,
} from '#engine/multicast/management'
import { BugError, NetworkError } from '#shared/errors'
import { suggestGroup, type FoundStream, type SessionSettings, type SessionState } from '#shared/model'
import { describeStanding } from '#src/main/cli/session-text.ts'
import type { StreamEngines } from '#src/main/cli/stream-engines.ts'
import { sessionClient, sessionState } from '#test/session-fixtures'
import { noStreams, play, type Stage } from './fakes.ts'

const briefOf = (state: SessionState): SessionBrief => {
  const { clients: _, ...rest } = state
  return { ...rest, joined: 0, finished: 0 }
}
const brief = (name: string, changes: Partial<SessionBrief> = {}): SessionBrief => ({
  ...briefOf(sessionState(name)),
  ...changes,
})

/** Servers with sessions, and what was said to them. */
function servers(options: {
  /** Of each server on this computer, its sessions. */
  readonly here?: readonly (readonly SessionState[])[]
  readonly others?: 'answers' | 'silent'
  readonly found?: readonly FoundStream[]
  /** Before a command is answered. */
  readonly onCommand?: (command: ManagementCommand) => unknown
  readonly onConfiguration?: () => void
}) {
  const said: ManagementCommand[] = []
  /** To which server here, counted from 0. */
  const saidTo: number[] = []
  const asked: [ManagementTarget, Omit<ManagementOptions, 'signal'>][] = []
  const served: SessionSettings[] = []
  const configured: Parameters<StreamEngines['readConfiguration']>[1][] = []
  let open = 0
  const manage = (sessions: readonly SessionState[], index = 0): Management => {
    open += 1
    let started: SessionState | null = null
    return {
      async command(command): Promise<ManagementResult> {
        said.push(command)
        saidTo.push(index)
        await options.onCommand?.(command)
        if (command.kind === 'list')
          return {
            kind: 'sessions',
            sessions: [...sessions, ...(started === null ? [] : [started])].map(briefOf),
          }
        if (command.kind === 'start') {
          started = sessionState(command.settings.name)
          return { kind: 'started', sessionId: started.sessionId }
        }
        if (!('session' in command)) return { kind: 'done' }
        const known = started === null ? sessions : [...sessions, started]
        const session = known.find((each) => [each.settings.name, each.sessionId].includes(command.session))
        if (session === undefined)
          throw new NetworkError('E_MC_NOSESSION', 'no such session', {
            details: { address: '', phase: 'management', session: command.session },
          })
        return command.kind === 'status' ? { kind: 'session', session } : { kind: 'done' }
      },
      [Symbol.dispose]: () => void (open -= 1),
    }
  }
  const streams: StreamEngines = {
    ...noStreams,
    localServers: () => Promise.resolve((options.here ?? []).map((each, index) => manage(each, index))),
    manage: (target, { password, session }) => {
      asked.push([target, { password, session }])
      return Promise.resolve(manage([sessionState('lab')]))
    },
    listSessions: () =>
      options.others === 'answers'
        ? Promise.resolve({
            fingerprint: 'ab',
            sessions: [
              {
                name: 'lab',
                imageName: 'lab.dmg',
                sizeBytes: 5e9,
                state: 'waiting',
                joined: 3,
                wanted: 5,
                startsInMs: 760_000,
              },
            ],
          })
        : Promise.reject(new Error('nobody there')),
    browse(listener) {
      listener(options.found ?? [])
      return { [Symbol.asyncDispose]: () => Promise.resolve() }
    },
    readConfiguration: (path, beside) => {
      options.onConfiguration?.()
      configured.push(beside)
      return Promise.resolve({
        configuration: {
          ...sessionState('x').settings.configuration,
          dataRate: 7,
          port: path.endsWith('portless.plist') ? (beside?.port ?? 7800) : 9000,
          ...beside?.given,
        },
        warnings: ['Unknown key "Color".'],
      })
    },
    openServer: () =>
      Promise.resolve({
        start(settings) {
          served.push(settings)
          return Promise.resolve({ sessionId: 'id' })
        },
        subscribe(listener) {
          listener([sessionState('lab', { phase: 'ended' })])
          return { [Symbol.dispose]: () => undefined }
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  }
  const session = (words: string, stage: Stage = {}) =>
    play(['session', ...words.split(' ')], { streams, ...stage })
  return { session, said, saidTo, asked, served, configured, open: () => open }
}

describe('reprise session list', () => {
  it('lists the sessions of all servers on this computer', async () => {
    const { session, open } = servers({ here: [[sessionState('lab')], [sessionState('other')]] })
    expect(await session('list')).toMatchObject({
      status: 0,
      out:
        'SESSION  IMAGE      SIZE  STATE                           ADDRESS\n' +
        'lab      lab.dmg    5 GB  streaming, 0 receiving, 0 done  asr://10.0.0.1/lab\n' +
        'other    other.dmg  5 GB  streaming, 0 receiving, 0 done  asr://10.0.0.1/other\n',
    })
    expect(open()).toBe(0)
    const { out } = await session('list --json')
    expect(
      out
        .split('\n')
        .slice(0, 2)
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { type: 'session', settings: { name: 'lab' }, joined: 0 },
      { type: 'session', settings: { name: 'other' } },
    ])
  })

  it('says that there is no server here, or only somebody else’s', async () => {
    expect(await servers({}).session('list')).toMatchObject({
      status: 0,
      out: 'No server of sessions runs on this computer.\n',
    })
    expect(await servers({}).session('list --json')).toMatchObject({ status: 0, out: '' })
    const others = await servers({ others: 'answers' }).session('list')
    expect(others).toMatchObject({ status: 1, out: '' })
    expect(others.err).toContain('belongs to another user')
  })

  it('asks another computer what it tells everyone, or with its password everything', async () => {
    const { session, asked } = servers({ others: 'answers' })
    expect((await session('list --server 10.0.0.1')).out).toBe(
      'SESSION  IMAGE    SIZE  STATE\nlab      lab.dmg  5 GB  3 of 5 joined, starts in 12:40 at the latest\n',
    )
    expect(asked).toEqual([])
    await session('list --server fd00::7 --password-stdin', { stdin: 'secret\n' })
    expect(asked).toEqual([
      [
        { host: 'fd00::7', port: 7800, fingerprint: null },
        { password: 'secret', session: null },
      ],
    ])
  })

  it('says in its help what it does, which is to ask for no password', async () => {
    const { out } = await servers({}).session('list --help')
    const text = out.replaceAll(/\s+/g, ' ')
    expect(text).toContain('With --server alone, what that server tells to everyone')
    expect(text).toContain('On this computer no password is needed')
    expect(text).not.toContain('asked for')
  })

  it.each([
    ['list --discover --server lab', 'Either --server or --discover.'],
    ['list --discover --password-stdin', 'Looking for streams needs no password.'],
    ['list --seconds 5', '--seconds is for --discover.'],
    ['list --server lab --seconds 5', '--seconds is for --discover.'],
  ])('refuses %s', async (words, why) => {
    const { status, err } = await servers({}).session(words, { stdin: 'secret' })
    expect(status).toBe(1)
    expect(err).toContain(why)
  })

  it('looks for streams on the network', async () => {
    const found: FoundStream = {
      name: 'lab (2)',
      host: 'server.local',
      address: '10.0.0.1',
      port: 7800,
      session: 'lab',
      imageName: 'lab.dmg',
      sizeBytes: 5e9,
      fingerprint: 'ab'.repeat(32),
      locator: `asr://10.0.0.1/lab#${'ab'.repeat(32)}`,
    }
    const { session } = servers({ found: [found] })
    expect((await session('list --discover --seconds 1')).out).toBe(
      'STREAM   IMAGE    SIZE  SERVER        ADDRESS\nlab (2)  lab.dmg  5 GB  server.local  asr://10.0.0.1/lab\n',
    )
    expect(JSON.parse((await session('list --discover --seconds 1 --json')).out)).toEqual({
      type: 'stream',
      ...found,
    })
    expect((await session('list --discover --server x')).status).toBe(1)
  })
})

describe('reprise session start', () => {
  const start = 'start --source lab.dmg'

  it('becomes the server where none runs', async () => {
    const { session, served } = servers({})
    const played = await session(`${start} --clients 5 --after 15`)
    expect(played.status).toBe(0)
    expect(served).toEqual([
      {
        source: '/home/anna/lab.dmg',
        compression: null,
        name: 'lab',
        configuration: {
          dataRate: 12_000_000,
          group: suggestGroup('lab'),
          clientDataRate: null,
          advertise: true,
          loopSuspend: 0,
          ttl: 3,
          port: 7800,
        },
        interface: null,
        start: { clients: 5, afterLastJoinMs: 900_000 },
        admission: [],
        password: null,
        whenFinished: 'stays',
        considerate: 'on',
        feedback: 'demand',
      },
    ])
  })

  it('adds the session to the server that runs, on its port and in its place among those that run', async () => {
    const { settings } = sessionState('first')
    const running = sessionState('first', {
      settings: { ...settings, configuration: { ...settings.configuration, port: 7900 } },
    })
    const over = (['ended', 'failed'] as const).map((phase) => sessionState(phase, { phase }))
    const { session, said, served, open } = servers({ here: [[...over, running, sessionState('second')]] })
    const played = await session(`${start} --name new --precedence 2 --by-hand`)
    expect(played.status).toBe(0)
    expect(played.out).toContain('asr://10.0.0.1/new')
    expect(said[1]).toMatchObject({
      kind: 'start',
      settings: {
        name: 'new',
        start: { clients: null, afterLastJoinMs: null },
        configuration: { ttl: 3, port: 7900 },
      },
    })
    const id = (name: string) => sessionState(name).sessionId
    expect(said.at(-2)).toEqual({ kind: 'precedence', sessions: [id('first'), id('new'), id('second')] })
    expect([served, open()]).toEqual([[], 0])
  })

  it('takes rules of admission, passwords and all the rest', async () => {
    const { session, served } = servers({})
    await session(
      `${start} --admit lab-*,!lab-7 --admit 10.0.0.0/8 --delete-when-finished --password-stdin --no-bonjour --oneway --full-rate --data-rate 6000000 --client-data-rate 1000000 --address 239.1.2.3 --port 7801 --ttl 9 --interface eth1`,
      { stdin: 'secret\n' },
    )
    expect(served).toMatchObject([
      {
        admission: ['lab-*', '!lab-7', '10.0.0.0/8'],
        password: 'secret',
        whenFinished: 'ends',
        considerate: 'off',
        feedback: 'one-way',
        interface: 'eth1',
        start: { clients: 1, afterLastJoinMs: null },
        configuration: {
          dataRate: 6_000_000,
          clientDataRate: 1_000_000,
          group: '239.1.2.3',
          port: 7801,
          ttl: 9,
          advertise: false,
        },
      },
    ])
  })

  it('holds no connection while it waits for passwords', async () => {
    const { session, open } = servers({ here: [[sessionState('first')]] })
    const asked: number[] = []
    await session(`${start} --password-stdin`, { stdin: 'secret', onPassword: () => asked.push(open()) })
    expect(asked).toEqual([0])
  })

  it.each([
    ['start', 'The session may have begun all the same: reprise session list shows whether it has.\n'],
    ['precedence', 'The session has begun: reprise session list shows it.\n'],
    ['status', 'The session has begun: reprise session list shows it.\n'],
  ])('says what came of it when it is interrupted while the server does %s', async (kind, words) => {
    let stop = () => {}
    const never = new Promise<never>(() => {})
    const { session } = servers({
      here: [[sessionState('first')]],
      onCommand: (command) => {
        if (command.kind !== kind) return undefined
        stop()
        return never
      },
    })
    const { status, err, out } = await session(`${start} --precedence 1`, {
      onStreams: (interrupt) => (stop = interrupt),
    })
    expect([status, err, out]).toEqual([130, words, ''])
  })

  it('has begun, and says so, also where its place cannot be set or it cannot be shown', async () => {
    const lost = new NetworkError('E_NET', 'lost', { details: { address: '10.0.0.1', phase: 'management' } })
    const failing = (kind: string, how = '', why: Error = lost) =>
      servers({
        here: [[sessionState('first')]],
        onCommand: (command) => (command.kind === kind ? Promise.reject(why) : undefined),
      }).session(`${start} --precedence 1 ${how}`.trim())
    const placed = await failing('precedence')
    expect(placed.status).toBe(0)
    expect(placed.out).toContain('Clients join with: ')
    expect(placed.err).toMatch(
      /^Warning: The session has begun, and its place among the others wasn't set\. .+\n$/,
    )
    const asJson = await failing('precedence', '--json')
    const [warning, state, ...others] = asJson.out.split('\n')
    expect(JSON.parse(warning ?? '')).toMatchObject({
      type: 'warning',
      error: { code: 'E_NET' },
      words: expect.stringContaining("its place among the others wasn't set") as string,
    })
    expect(JSON.parse(state ?? '')).toMatchObject({ type: 'session' })
    expect([asJson.status, others]).toEqual([0, ['']])
    expect(asJson.err).toBe(placed.err)
    const shown = await failing('status')
    expect(shown.status).toBe(1)
    expect(shown.err).toContain('The session has begun: reprise session list shows it.\n')
    const mistaken = await failing('precedence', '', new BugError('E_BUG', 'ours', { details: {} }))
    expect([mistaken.status, mistaken.out]).toEqual([1, ''])
    expect(mistaken.err).toContain('(E_BUG)')
    expect(mistaken.err).toContain('The session has begun: reprise session list shows it.\n')
    const unanswered = new NetworkError('E_NET', 'lost', {
      details: { address: '10.0.0.1', phase: 'control', unanswered: true },
    })
    for (const how of ['', '--json']) {
      const perhaps = await failing('start', how, unanswered)
      expect(perhaps.status).toBe(how === '' ? 1 : 13)
      expect(perhaps.err).toContain(
        'The session may have begun all the same: reprise session list shows whether it has.\n',
      )
    }
    const started = await failing('start')
    expect([started.status, started.err]).toEqual([1, expect.not.stringContaining('session list')])
  })

  it.each(['of its own', 'that runs'])(
    'hears Ctrl-C while its configuration is read, for a server %s',
    async (where) => {
      let stop = () => {}
      const { session, said, served, open } = servers({
        here: where === 'of its own' ? [] : [[sessionState('first')]],
        onConfiguration: () => stop(),
      })
      const { status } = await session(`${start} --config c.plist`, {
        onStreams: (interrupt) => (stop = interrupt),
      })
      expect([status, served, open()]).toEqual([130, [], 0])
      expect(said.filter(({ kind }) => kind === 'start')).toEqual([])
    },
  )

  it("takes asr's configuration, and what is given beside it wins", async () => {
    const { session, served } = servers({})
    const { err } = await session(`${start} --config c.plist --ttl 5`)
    expect(err).toBe('Unknown key "Color".\n')
    expect(served).toMatchObject([{ configuration: { dataRate: 7, port: 9000, ttl: 5 } }])
    const given = { dataRate: 8, clientDataRate: 6, group: '239.1.2.3', advertise: false, port: 7801 }
    const options = '--data-rate 8 --client-data-rate 6 --address 239.1.2.3 --no-bonjour --port 7801'
    const again = servers({})
    await again.session(`${start} --config c.plist ${options}`)
    expect(again.configured).toEqual([{ given, port: 7800 }])
    expect(again.served).toMatchObject([{ configuration: given }])
  })

  it('warns of a TTL of 1, and takes it', async () => {
    const { session, served } = servers({})
    const { err, status } = await session(`${start} --ttl 1`)
    expect(err).toMatch(/^--ttl is 1: the stream stays in its subnet, .*\n$/)
    expect([status, served]).toMatchObject([0, [{ configuration: { ttl: 1 } }]])
  })

  it.each([
    ['portless.plist', 7900],
    ['c.plist', 9000],
    ['portless.plist --port 7801', 7801],
  ])(
    'stays on the port of the server that runs, unless a configuration names one: %s',
    async (words, port) => {
      const { settings } = sessionState('first')
      const running = sessionState('first', {
        settings: { ...settings, configuration: { ...settings.configuration, port: 7900 } },
      })
      const { session, said } = servers({ here: [[running]] })
      expect((await session(`${start} --config ${words}`)).status).toBe(0)
      expect(said[1]).toMatchObject({ kind: 'start', settings: { configuration: { dataRate: 7, port } } })
    },
  )

  it('on another computer needs a full path there and the password of its management', async () => {
    const { session, asked, said } = servers({})
    const refused = await session(`${start} --server lab-server`, { typed: ['secret'] })
    expect([refused.status, said]).toEqual([1, []])
    expect(refused.err).toContain('full path')
    const started = await session(
      'start --source /images/lab.dmg --server lab-server:7900 --server-password-stdin --password-stdin',
      {
        stdin: 'management\0session',
      },
    )
    expect(started.status).toBe(0)
    expect(asked.at(-1)).toEqual([
      { host: 'lab-server', port: 7900, fingerprint: null },
      { password: 'management', session: null },
    ])
    expect(said[0]).toMatchObject({
      settings: { source: '/images/lab.dmg', password: 'session', configuration: { port: 7900 } },
    })
  })

  const both = 'start --source /images/lab.dmg --server lab-server --server-password-stdin --password-stdin'

  it('says at a terminal whose password it asks for, and has a new one typed twice', async () => {
    const { session, asked, said } = servers({})
    const { err } = await session(both, { typed: ['management', 'session', 'session'] })
    expect(err).toBe('Management password of lab-server: New password of the session: The same again: ')
    expect(asked.at(-1)).toMatchObject([{}, { password: 'management' }])
    expect(said[0]).toMatchObject({ settings: { password: 'session' } })
  })

  it.each([
    [['management', 'session', 'sesion'], 'No session was started. Try again.'],
    [['management', ''], 'There is no password.'],
    [['management', 'session'], 'These are two different passwords.'],
    [[''], 'There is no password on standard input.'],
  ])('starts nothing where %j is typed', async (typed, why) => {
    const { session, said } = servers({})
    const { status, err } = await session(both, { typed })
    expect([status, said]).toEqual([1, []])
    expect(err).toContain(why)
  })

  it.each([
    ['start', '--source is missing'],
    ['start --source asr://lab', "'asr://lab' is a multicast stream, and an image is asked for here."],
    ['start --source nfs://x/a.dmg', "Addresses that begin with nfs:// can't be read."],
    [`${start} --by-hand --clients 2`, '--by-hand goes without'],
    [`${start} --clients 0`, '--clients takes'],
    [`${start} --clients 4097`, '--clients takes'],
    [`${start} --server asr://`, 'is no server'],
    [`${start} --server asr://admin:word@lab`, "A server's address has no user name in it."],
    [`${start} --server admin@lab:7801`, "A server's address has no user name in it."],
    [`${start} --server lab:99999/a@b`, "'lab:99999/a@b' is no server"],
    [`${start} --server-password-stdin`, 'needs no password'],
    [`${start} --password-stdin`, 'no password on standard input'],
  ])('refuses %s', async (words, why) => {
    const { session, served } = servers({})
    const { status, err } = await session(words)
    expect([status, served]).toEqual([1, []])
    expect(err).toContain(why)
  })
})

describe('one session', () => {
  it('is shown with its clients, failures first', async () => {
    const lab = sessionState('lab', {
      clients: [
        sessionClient({ host: 'a', state: 'done', blocksDone: 4769 }),
        sessionClient({ host: 'b', text: 'disk full', state: 'failed' }),
        sessionClient({ host: 'c', standing: 'slow', blocksDone: 2384 }),
      ],
    })
    const { session } = servers({ here: [[sessionState('other')], [lab]] })
    expect((await session('status lab')).out).toBe(
      [
        'lab: streaming, 1 receiving, 1 done',
        '  Image       lab.dmg, 5 GB',
        '  Address     asr://10.0.0.1/lab',
        '  Sent on     eth0, to 239.255.1.2, port 7800',
        '  Rate        5.8 MB/s of 6 MB/s',
        '  Sent        1 GB, pass 1, at 20 %',
        '',
        'CLIENT  ADDRESS   STATE       DONE   LOST  WRITES  NOTE',
        'b       10.0.0.7  Failed       0 %  1.0 %  5 MB/s  disk full',
        'c       10.0.0.7  Receiving   49 %  1.0 %  5 MB/s  slow',
        'a       10.0.0.7  Done       100 %  1.0 %  5 MB/s',
        '',
      ].join('\n'),
    )
  })

  it.each<[string, ManagementCommand, string]>([
    ['stop lab', { kind: 'stop', session: 'lab', when: 'now' }, 'The session lab has ended.'],
    [
      'stop lab --when-finished',
      { kind: 'stop', session: 'lab', when: 'when-finished' },
      'The session lab ends when everyone who joined has finished.',
    ],
    ['start-now lab', { kind: 'start-now', session: 'lab' }, 'The session lab has begun.'],
    [
      'set-rate lab --data-rate 6000000',
      { kind: 'set-rate', session: 'lab', dataRate: 6_000_000, clientDataRate: null },
      'The rate of lab was changed.',
    ],
    [
      'precedence lab',
      { kind: 'precedence', sessions: ['lab'] },
      'Clients that name no session are offered lab first.',
    ],
  ])('by %s', async (words, command, text) => {
    const { session, said } = servers({ here: [[sessionState('lab')]] })
    expect(await session(words)).toMatchObject({ status: 0, out: `${text}\n` })
    expect(said).toEqual([command])
    expect(JSON.parse((await session(`${words} --json`)).out)).toEqual({ type: 'done', text })
  })

  it.each([
    ['stop lab', 'The session may have ended all the same: reprise session list shows whether it has.\n'],
    ['stop lab --when-finished', 'The session may end all the same when everyone who joined has finished.\n'],
    [
      'start-now lab',
      'The session may have begun to stream all the same: reprise session list shows whether it has.\n',
    ],
    [
      'set-rate lab --data-rate 6000000',
      'The rate may have been changed all the same: reprise session status shows it.\n',
    ],
    ['precedence lab', 'The order may have been changed all the same: reprise session list shows it.\n'],
    ['status lab', ''],
    ['list', ''],
  ])('says of %s what may have come of it when no answer came', async (words, left) => {
    const [kind = ''] = words.split(' ')
    let stop = () => {}
    const { session } = servers({
      here: [[sessionState('lab')]],
      onCommand: (command) => {
        if (command.kind !== kind) return undefined
        stop()
        return new Promise<never>(() => {})
      },
    })
    const stopped = await session(words, { onStreams: (interrupt) => (stop = interrupt) })
    expect([stopped.status, stopped.err, stopped.out]).toEqual([130, left, ''])
    const lost = new NetworkError('E_NET', 'lost', {
      details: { address: '10.0.0.1', phase: 'control', unanswered: true },
    })
    const broken = await servers({
      here: [[sessionState('lab')]],
      onCommand: (command) => (command.kind === kind ? Promise.reject(lost) : undefined),
    }).session(words)
    expect([broken.status, broken.err.includes('all the same')]).toEqual([1, left !== ''])
    expect(broken.err).toContain(left)
  })

  it('says what may have come of it also where the connection hears of Ctrl-C first', async () => {
    let stop = () => {}
    const { session } = servers({
      here: [[sessionState('lab')]],
      onCommand() {
        stop()
        throw new DOMException('This operation was aborted', 'AbortError')
      },
    })
    const { status, err } = await session('stop lab', { onStreams: (interrupt) => (stop = interrupt) })
    expect([status, err]).toEqual([130, expect.stringContaining('The session may have ended all the same')])
  })

  it('says nothing of what was not asked yet, or was refused', async () => {
    const refusal = new NetworkError('E_NET', 'its own', { details: { address: 'h', phase: 'connect' } })
    const refused = await servers({
      here: [[sessionState('lab')]],
      onCommand: (command) => (command.kind === 'stop' ? Promise.reject(refusal) : undefined),
    }).session('stop lab')
    expect([refused.status, refused.err]).toEqual([1, expect.not.stringContaining('all the same')])
    let stop = () => {}
    const early = await servers({
      here: [[sessionState('lab')], [sessionState('other')]],
      onCommand: (command) => {
        if (command.kind !== 'list') return undefined
        stop()
        return new Promise<never>(() => {})
      },
    }).session('stop lab', { onStreams: (interrupt) => (stop = interrupt) })
    expect([early.status, early.err]).toEqual([130, ''])
  })

  it('is asked for elsewhere by its own password', async () => {
    const { session, asked } = servers({})
    await session('stop lab --server 10.0.0.1', { typed: ['secret'] })
    expect(asked).toEqual([
      [
        { host: '10.0.0.1', port: 7800, fingerprint: null },
        { password: 'secret', session: 'lab' },
      ],
    ])
  })

  it('says whose password it asks for also where --password-stdin reads from a terminal', async () => {
    const { session, asked } = servers({})
    const { err } = await session('stop lab --server 10.0.0.1 --password-stdin', { typed: ['secret'] })
    expect(err).toBe('Password of 10.0.0.1: ')
    expect(asked).toMatchObject([[{}, { password: 'secret' }]])
  })

  it.each(['ended', 'failed'] as const)(
    'is the one that runs, where an earlier server remembers one of its name that %s',
    async (phase) => {
      const { session, said, saidTo, open } = servers({
        here: [[sessionState('lab', { phase }), sessionState('other')], [sessionState('lab')]],
      })
      expect((await session('stop lab')).status).toBe(0)
      expect([said.at(-1)?.kind, saidTo.at(-1), open()]).toEqual(['stop', 1, 0])
      // What is over everywhere is still told.
      expect(
        (await servers({ here: [[sessionState('lab', { phase })], []] }).session('status lab')).status,
      ).toBe(0)
    },
  )

  it('that is nowhere is said to be', async () => {
    const { session } = servers({ here: [[sessionState('a')], [sessionState('b')]] })
    expect((await session('status lab')).err).toContain("no session 'lab'")
    expect((await servers({}).session('status lab')).err).toContain('No server of sessions runs')
    expect((await session('set-rate lab')).err).toContain('--data-rate is missing')
  })
})

const starting = (afterLastJoinMs: number | null): Pick<SessionBrief, 'settings'> => ({
  settings: { ...sessionState('lab').settings, start: { clients: null, afterLastJoinMs } },
})

test.each<[Partial<SessionBrief>, string]>([
  [
    { phase: 'waiting', joined: 3, wanted: 5, startsInMs: 760_000 },
    '3 of 5 joined, starts in 12:40 at the latest',
  ],
  [{ phase: 'waiting', joined: 3, wanted: 5 }, '3 of 5 joined'],
  [{ phase: 'waiting', joined: 3, wanted: null, startsInMs: 5000 }, '3 joined, starts in 0:05'],
  [{ phase: 'waiting', wanted: null, ...starting(null) }, '0 joined, starts by hand'],
  [
    { phase: 'waiting', wanted: null, ...starting(900_000) },
    '0 joined, starts 15:00 after the last one joins',
  ],
  [{ phase: 'preparing', preparing: { doneBytes: 1, totalBytes: 3 } }, 'reading its source, 33 %'],
  [{ phase: 'preparing', preparing: { doneBytes: 0, totalBytes: 0 } }, 'reading its source'],
  [{ phase: 'streaming', joined: 1200, finished: 3 }, 'streaming, 1,200 receiving, 3 done'],
  [{ phase: 'quiet', finished: 3 }, 'waiting for clients, 0 receiving, 3 done'],
  [{ phase: 'quiet', joined: 1 }, 'quiet, 1 receiving, 0 done'],
  [{ phase: 'ended', finished: 3 }, 'ended, 3 done'],
  [{ phase: 'failed' }, 'failed'],
])('a session that is %o is told as "%s"', (changes, told) => {
  expect(describeStanding(brief('lab', changes))).toBe(told)
})
