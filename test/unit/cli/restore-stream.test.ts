/** A restore from a multicast stream, as the terminal shows it. */
import { expect, it } from 'vitest'
import { NetworkError, serializeError } from '#shared/errors'
import type { JobState, StreamProgress } from '#shared/model'
import { image, plan, play, state, summary } from './fakes.ts'

const locator = 'asr://lab/spring'
const argv = ['restore', '--source', locator, '--target', '/dev/sdb', '--erase', '--noprompt']
const streamed = plan({
  source: {
    kind: 'stream',
    locator,
    name: 'lab.dmg',
    stream: {
      session: 'spring',
      imageName: 'lab.dmg',
      imageFormat: 'UDZO',
      streamBytes: 5_000_000_000,
      fingerprint: 'f'.repeat(64),
      pinned: false,
    },
    image: image(),
  },
})

const receiving = (change: Partial<StreamProgress>, percent = 0): JobState => {
  const now = state({ phase: 'restoring', percent })
  const stream: StreamProgress = {
    state: 'receiving',
    waiting: null,
    passes: [],
    passStart: 0,
    blocks: 50,
    missingBlocks: 50,
    receivedBytesPerSecond: 0,
    loss: 0,
    standing: 'well',
    silence: null,
    ...change,
  }
  return { ...now, progress: now.progress && { ...now.progress, stream } }
}

const silent = new NetworkError('E_MC_SILENT', 'no multicast', {
  details: { address: 'lab', phase: 'receiving' },
})

const states = [
  state({ phase: 'restoring' }),
  receiving({ state: 'connecting' }),
  receiving({ state: 'waiting', waiting: { joined: 3, wanted: 5, startsInMs: null } }),
  receiving({ passes: ['...-'.padEnd(50)] }, 6),
  receiving({ passes: ['.'.repeat(50)] }, 99),
  state({ phase: 'verifying', percent: 0 }),
  state({ phase: 'verifying', percent: 51 }),
  state({ phase: 'remounting' }),
  state({ outcome: { kind: 'done', summary } }),
]

it('draws passes, and what the stream waits for', async () => {
  const { status, out, err } = await play(argv, { plan: streamed, states })
  expect(out).toBe(
    [
      '\tValidating target...done\n',
      '\tValidating source...done\n',
      '\tValidating sizes...done\n',
      '\tWaiting for the stream to start: 3 joined, waiting for 2 more\n',
      '\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n',
      '\tVerifying  ....10....20....30....40....50....60....70....80....90....100\n',
      '\tRestored target device is /dev/sdb.\n',
      '\tRemounting target volume...done\n',
      'Restore completed successfully.\n',
    ].join(''),
  )
  expect({ status, err }).toEqual({ status: 0, err: '' })
})

it('tells programs how much of the disk is done', async () => {
  const { out, err } = await play([...argv, '--puppetstrings'], { plan: streamed, states })
  expect(out).toContain('XSTA\tsetup\nXSTA\tmetadata\nXSTA\trestore\nPINF\t2\t100\trestore\n')
  expect(out).toContain('PINF\t6\t100\trestore\n')
  expect(out.endsWith('XSTA\tfinish\n')).toBe(true)
  expect(err).toBe('')
})

it('hands programs of today all that is known of receiving', async () => {
  const { out } = await play([...argv, '--json'], { plan: streamed, states })
  const told = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { type: string; progress?: { stream: StreamProgress | null } | null })
  expect(told.map(({ progress }) => progress?.stream?.waiting ?? null)).toContainEqual({
    joined: 3,
    wanted: 5,
    startsInMs: null,
  })
})

it('says at once, and once, that multicast does not arrive', async () => {
  const fetching = [
    receiving({ state: 'fetching', silence: serializeError(silent), passes: [' '.repeat(50)] }),
    receiving({ state: 'fetching', silence: serializeError(silent), passes: ['.'.repeat(50)] }),
  ]
  const ended = state({
    outcome: { kind: 'done', summary: { ...summary, warnings: [serializeError(silent)] } },
  })
  const { out, err, all } = await play(argv, {
    plan: streamed,
    states: [...fetching, state({ phase: 'verifying' }), state({ phase: 'remounting' }), ended],
  })
  expect(out).toContain('Remounting target volume...done')
  expect(err.match(/E_MC_SILENT/g)).toHaveLength(1)
  expect(err).toContain('firewall')
  expect(all.indexOf('E_MC_SILENT')).toBeLessThan(all.indexOf('Verifying'))
})

it('says once that this computer loses far more than the others, and to people only', async () => {
  const slow = [
    receiving({ standing: 'slow', passes: ['x'.repeat(50)] }),
    receiving({ standing: 'well', passes: ['x'.repeat(50)] }),
    receiving({ standing: 'slow', passes: ['x'.repeat(50), '.'.repeat(50)] }),
    state({ phase: 'verifying', percent: 0 }),
    state({ outcome: { kind: 'done', summary } }),
  ]
  const { err } = await play(argv, { plan: streamed, states: slow })
  expect(err.match(/loses far more of the stream than the others/g)).toHaveLength(1)
  const puppet = await play([...argv, '--puppetstrings'], { plan: streamed, states: slow })
  expect(puppet.out + puppet.err).not.toContain('loses')
})

it('says when the stream has been away for a while, each time, and to people only', async () => {
  const pass = ['..-'.padEnd(50)]
  const away = receiving({ state: 'connecting', passes: pass, missingBlocks: 48 })
  const there = receiving({ passes: pass, missingBlocks: 48 })
  const early = receiving({ state: 'connecting', blocks: 0, missingBlocks: 0 })
  const done = state({ outcome: { kind: 'done', summary } })
  const states = [early, early, early, there, away, there, away, away, away, there, done]
  // It is asked for the time whenever the stream isn't there.
  const clock = () => {
    let nowMs = 0
    return () => (nowMs += 2000)
  }
  const { err } = await play(argv, { plan: streamed, states, now: clock() })
  expect(err.match(/The stream isn't there at the moment.*\n/g)).toEqual([
    "The stream isn't there at the moment. Ask who runs it to start it again: this goes on by itself then.\n",
    "The stream isn't there at the moment. Ask who runs it to start it again: this goes on by itself then, and what has come is kept.\n",
  ])
  const puppet = await play([...argv, '--puppetstrings'], { plan: streamed, states, now: clock() })
  expect(puppet.out + puppet.err).not.toContain('at the moment')
})

it('goes on below what it says on the same screen with the line that this broke, as it began', async () => {
  const at = (strip: string, more: object = {}) =>
    receiving({ passes: [strip.padEnd(50)], passStart: 0, missingBlocks: 48, ...more })
  const states = [
    at('.......'),
    ...Array.from({ length: 4 }, () => at('.......', { state: 'connecting' })),
    at('.'.repeat(50), { missingBlocks: 0 }),
    state({ outcome: { kind: 'done', summary } }),
  ]
  const clock = () => {
    let nowMs = 0
    return () => (nowMs += 2000)
  }
  const screen = await play(argv, { plan: streamed, states, now: clock(), isOne: true })
  const lines = screen.all.split('\n')
  const said = lines.findIndex((line) => line.includes('at the moment'))
  expect(lines[said - 1]).toBe('\tRestoring  ....10..! ')
  expect(lines[said + 1]).toMatch(/^\tRestoring {2}\.\.\.\.10\.\.\.\.20/)
  const apart = await play(argv, { plan: streamed, states, now: clock() })
  expect(apart.out).toMatch(/\tRestoring {2}\.\.\.\.10\.\.\.\.20/)
  expect(apart.err).toMatch(/^The stream isn't there/)
})

it('says that a computer without an IPv4 address can only fetch', async () => {
  const silence = new NetworkError('E_MC_SILENT', 'no multicast', {
    details: {
      address: '239.1.2.3:7800',
      phase: 'multicast',
      group: '239.1.2.3',
      interface: 'eth0',
      reason: 'no-address',
    },
  })
  const { err } = await play(argv, {
    plan: streamed,
    states: [
      receiving({ state: 'fetching', silence: serializeError(silence) }),
      state({ outcome: { kind: 'done', summary } }),
    ],
  })
  expect(err).toContain("Multicast to 239.1.2.3 doesn't reach this computer (eth0).")
  expect(err).toContain('no IPv4 address')
  expect(err).not.toContain('firewall')
})

it('leaves it to programs to tell of the silence', async () => {
  const { err } = await play([...argv, '--puppetstrings'], {
    plan: streamed,
    states: [
      receiving({ state: 'fetching', silence: serializeError(silent) }),
      state({ outcome: { kind: 'done', summary } }),
    ],
  })
  expect(err).toBe('')
})

it('says how to go on when the server is gone', async () => {
  const error = serializeError(
    new NetworkError('E_MC_TIMEOUT', 'silence', { details: { address: 'lab', phase: 'receiving' } }),
  )
  const { status, err } = await play(argv, {
    plan: streamed,
    states: [
      receiving({ passes: ['...-'.padEnd(50)] }, 6),
      state({ phase: 'restoring', outcome: { kind: 'failed', error, target: 'kept' } }),
    ],
  })
  expect(status).toBe(1)
  expect(err).toContain('E_MC_TIMEOUT')
  expect(err).toContain('the same restore, started again, goes on from there')
})
