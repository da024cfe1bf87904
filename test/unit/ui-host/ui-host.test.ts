import { homedir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { transportPair } from '#test/contract-double'
import { aDisk, aJob, aRequest, engineDouble, type EngineDouble } from '#test/engine-double'
import { changedPreferences, connectContract, uiContract, type Preferences } from '#shared/contract'
import { EngineGoneError } from '#shared/errors'
import type { LogLine } from '#shared/log'
import type { FoundStream } from '#shared/model'
import { createUiHost, type UiHost } from '#src/main/ui-host/ui-host.ts'

const soon = () => new Promise((resolve) => setTimeout(resolve, 5))
const noPreferences: Preferences = {
  practiceOffered: false,
  showInternalDisks: false,
  networkWarned: false,
  knownDisks: [],
}

function start(double: EngineDouble = engineDouble()) {
  let stored = noPreferences
  const kept: LogLine[] = []
  const ui = createUiHost({
    engine: double.engine,
    shell: {
      host: 'web',
      chooseImage: async () => ({ kind: 'browse' }),
      chooseFolder: async () => ({ kind: 'browse' }),
      chooseConfiguration: async () => ({ kind: 'browse' }),
      chooseTarget: async () => ({ kind: 'browse' }),
      listFiles: () => Promise.reject(new Error('not asked for')),
      locateFile: async () => ({ path: '/found' }),
    },
    version: '1.2.3',
    system: 'Debian GNU/Linux 13 (trixie), Linux 6.12.0 x64',
    preferences: {
      load: async () => stored,
      change: async (change) => {
        stored = changedPreferences(stored, change)
      },
    },
    practiceFolder: '/data/practice',
    keepLine: (line) => void kept.push(line),
  })
  return { ui, double, kept, open: () => openWindow(ui) }
}

function openWindow(ui: UiHost) {
  const [near, far] = transportPair()
  ui.serve(far)
  return connectContract(uiContract, near)
}

const gone = (message = 'died') =>
  new EngineGoneError('E_ENGINE_GONE', message, { details: { exitCode: 1, signal: null, lastLines: [] } })

describe('a window', () => {
  test('that asks during the start waits for the disks and the Practice image', async () => {
    const { double, open } = start(
      engineDouble({
        'devices.watch': async () => {
          double.emit('devices', [aDisk()])
          return null
        },
      }),
    )
    const window = open()
    const info = window.request('app.info', {})
    const state = window.request('state.get', {})
    await soon()
    double.setState({ state: 'ready' })
    await expect(info).resolves.toMatchObject({
      version: '1.2.3',
      host: 'web',
      system: 'Debian GNU/Linux 13 (trixie), Linux 6.12.0 x64',
      supported: true,
      practice: { disk: '/data/practice/disk', image: '/data/practice/image.dmg' },
      preferences: noPreferences,
    })
    await expect(state).resolves.toMatchObject({ devices: [aDisk()], jobs: [], sessions: [], streams: [] })
  })

  test('does not wait for a drive that does not answer', async () => {
    const late = Promise.withResolvers<null>()
    const { double, open } = start(engineDouble({ 'devices.watch': () => late.promise }))
    double.setState({ state: 'ready' })
    const window = open()
    const heard: number[] = []
    window.subscribe('devices', (disks) => heard.push(disks.length))
    await expect(window.request('state.get', {})).resolves.toEqual({
      devices: [],
      jobs: [],
      sessions: [],
      streams: [],
      nowMs: expect.closeTo(Date.now(), -4),
    })
    double.emit('devices', [aDisk()])
    late.resolve(null)
    await soon()
    expect(heard).toEqual([1])
  })

  test('opens without an engine, and is told that it is gone', async () => {
    const { double, open } = start()
    double.setState({ state: 'gone', reason: gone() })
    const window = open()
    const heard: unknown[] = []
    window.subscribe('engine', (state) => heard.push(state))
    await expect(window.request('app.info', {})).resolves.toMatchObject({ practice: null })
    expect(heard).toEqual([{ state: 'gone', reason: 'E_ENGINE_GONE' }])
  })

  test('opens without a Practice disk', async () => {
    const { double, open } = start(
      engineDouble({ 'practice.prepare': () => Promise.reject(new Error('disk full')) }),
    )
    double.setState({ state: 'ready' })
    await expect(open().request('app.info', {})).resolves.toMatchObject({ practice: null })
  })

  test('that is opened later finds the jobs, and hears how they go on, like the others', async () => {
    const { double, open } = start()
    double.setState({ state: 'ready' })
    const first = open()
    const heard: string[] = []
    first.subscribe('job', ({ jobId }) => heard.push(`first: ${jobId}`))
    double.emit('job', aJob())
    await soon()
    const second = open()
    second.subscribe('job', ({ jobId }) => heard.push(`second: ${jobId}`))
    await expect(second.request('state.get', {})).resolves.toMatchObject({ jobs: [{ jobId: 'job-1' }] })
    double.emit('job', aJob({ stopping: true }))
    await soon()
    expect(heard).toEqual(['first: job-1', 'first: job-1', 'second: job-1'])
  })

  test('that is closed does not stop a job that it started', async () => {
    const { double, open, ui } = start(engineDouble({ 'restore.start': async () => ({ jobId: 'job-1' }) }))
    double.setState({ state: 'ready' })
    const window = open()
    await window.request('restore.start', { planId: 'p', typed: null })
    double.emit('job', aJob())
    await soon()
    window.close(new Error('closed'))
    await soon()
    expect(double.calls.map(({ name }) => name)).not.toContain('job.cancel')
    expect(ui.jobs()).toHaveLength(1)
  })

  test('that is closed while it waits for a plan has the engine stop', async () => {
    let stopped = false
    const { double, open } = start(
      engineDouble({
        'restore.plan': (_, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener(
              'abort',
              () => {
                stopped = true
                reject(signal.reason as Error)
              },
              { once: true },
            )
          }),
      }),
    )
    double.setState({ state: 'ready' })
    const window = open()
    window.request('restore.plan', aRequest).catch(() => undefined)
    await soon()
    window.close(new Error('closed'))
    await soon()
    expect(stopped).toBe(true)
  })

  test('gets its own errors back from the engine, whole', async () => {
    const { double, open } = start(engineDouble({ 'image.info': () => Promise.reject(gone('seven')) }))
    double.setState({ state: 'ready' })
    const asked = open().request('image.info', { path: '/x' })
    await expect(asked).rejects.toBeInstanceOf(EngineGoneError)
    await expect(asked).rejects.toMatchObject({ message: 'seven', details: { exitCode: 1 } })
  })
})

describe('an engine host that was started again', () => {
  test('is not told of before it is there, when the first one died right after its start', async () => {
    const prepared = Promise.withResolvers<never>()
    const { double, open } = start(engineDouble({ 'practice.prepare': () => prepared.promise }))
    const window = open()
    const heard: string[] = []
    window.subscribe('engine', ({ state }) => heard.push(state))
    double.setState({ state: 'ready' })
    await soon()
    double.setState({ state: 'gone', reason: gone() })
    prepared.reject(gone())
    await soon()
    expect(heard).toEqual(['gone'])
    double.answer('practice.prepare', async () => ({ disk: '/disk', image: '/image.dmg' }))
    double.setState({ state: 'ready' })
    await soon()
    expect(heard).toEqual(['gone', 'ready'])
  })

  test('is told about the Practice disk and asked for the disks again', async () => {
    const { double } = start()
    double.setState({ state: 'ready' })
    await soon()
    double.setState({ state: 'gone', reason: gone() })
    double.setState({ state: 'ready' })
    await soon()
    // In this order: a list of the disks without the Practice disk would be the news that it was unplugged.
    expect(double.calls.map(({ name }) => name)).toEqual([
      'streams.watch',
      'practice.prepare',
      'devices.watch',
      'streams.watch',
      'practice.prepare',
      'devices.watch',
    ])
    expect(double.calls[1]?.input).toEqual({ folder: '/data/practice', renew: 'missing' })
  })
})

describe('streams', () => {
  const found: FoundStream = {
    name: 'Lab',
    host: 'server.local',
    address: '10.0.0.1',
    port: 7800,
    session: 'Lab',
    imageName: 'Lab.dmg',
    sizeBytes: null,
    fingerprint: null,
    locator: 'asr://server.local/Lab',
  }

  test('found on the network are there for a window that opens later, until the engine host ends', async () => {
    const { double, open } = start()
    double.setState({ state: 'ready' })
    await soon()
    double.emit('streams', [found])
    await soon()
    const window = open()
    await expect(window.request('state.get', {})).resolves.toMatchObject({ streams: [found], sessions: [] })
    const heard: unknown[] = []
    window.subscribe('streams', (streams) => heard.push(streams))
    double.setState({ state: 'gone', reason: gone() })
    await soon()
    expect(heard).toEqual([[]])
    await expect(window.request('state.get', {})).resolves.toMatchObject({ streams: [] })
  })

  test('that cannot be looked for are no reason for the window to wait', async () => {
    const { double, open } = start(
      engineDouble({ 'streams.watch': () => Promise.reject(new Error('no network')) }),
    )
    double.setState({ state: 'ready' })
    await expect(open().request('state.get', {})).resolves.toMatchObject({ streams: [] })
  })
})

describe('a path that was typed', () => {
  test('may begin with ~, and reaches the engine whole, or not at all', async () => {
    const { double, open } = start(
      engineDouble({
        'image.start': async () => ({ jobId: 'job-1' }),
        'configuration.write': async () => null,
      }),
    )
    double.setState({ state: 'ready' })
    const window = open()
    expect(await window.request('target.inspect', { path: '~' })).toMatchObject({ kind: 'folder' })
    const task = {
      kind: 'convert',
      source: '/a.dmg',
      target: '~/b.dmg',
      format: 'UDZO',
      level: null,
      erase: false,
      segmentBytes: null,
      encryption: null,
    } as const
    await window.request('image.start', { task })
    const configuration = {
      dataRate: 6_000_000,
      group: '239.255.1.2',
      clientDataRate: null,
      advertise: true,
      loopSuspend: 2,
      ttl: 3,
      port: 7800,
    }
    await window.request('configuration.write', { path: '~/Lab.plist', configuration })
    expect(double.calls.slice(-2).map(({ input }) => input)).toEqual([
      { task: { ...task, target: `${homedir()}/b.dmg` } },
      { path: `${homedir()}/Lab.plist`, configuration },
    ])
    await expect(window.request('image.start', { task: { ...task, target: 'b.dmg' } })).rejects.toMatchObject(
      {
        code: 'E_USAGE',
      },
    )
    expect(double.calls).toHaveLength(
      double.calls.findIndex(({ name }) => name === 'configuration.write') + 1,
    )
  })
})

describe('practice.reset', () => {
  test('makes both anew', async () => {
    const { double, open } = start()
    double.setState({ state: 'ready' })
    await soon()
    await open().request('practice.reset', {})
    expect(double.calls.at(-1)?.input).toEqual({ folder: '/data/practice', renew: 'always' })
  })
})

describe('the log', () => {
  test('is kept to two thousand lines, and given on whole', async () => {
    const { double, kept, open } = start()
    double.setState({ state: 'ready' })
    for (let count = 0; count < 2500; count += 1) {
      double.emit('log', { timeMs: count, level: 'info', message: 'm', fields: {} })
    }
    await soon()
    const { lines } = await open().request('log.read', {})
    expect(lines.map(({ timeMs }) => timeMs)).toEqual(Array.from({ length: 2000 }, (_, index) => index + 500))
    expect(kept.map(({ message }) => message).filter((message) => message === 'm')).toHaveLength(2500)
  })

  test('is kept for a window that opens later: the last lines, never more than fits one frame', async () => {
    const { ui, double, open } = start()
    double.setState({ state: 'ready' })
    for (let count = 0; count < 3000; count += 1) {
      double.emit('log', {
        timeMs: count,
        level: 'info',
        message: `line ${count}`,
        fields: { f: 'x'.repeat(4000) },
      })
    }
    await soon()
    ui.log.info('long', { fields: 'y'.repeat(100_000) })
    const { lines } = await open().request('log.read', {})
    expect(lines.length).toBeGreaterThan(100)
    expect(lines.length).toBeLessThanOrEqual(2000)
    expect(lines.at(-2)?.message).toBe('line 2999')
    expect(lines.at(-1)).toMatchObject({ message: 'long', fields: { left: 'out: too long' } })
  })
})
