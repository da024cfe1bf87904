import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { transportPair } from '#test/contract-double'
import { aDisk, aPlan, aRequest } from '#test/engine-double'
import { aSummary } from '#test/ui-fixtures'
import { enginesDouble, multicastDouble, platformDouble, type PlatformDouble } from '#test/engines-double'
import { aSession, foundStreams } from '#test/stream-fixtures'
import { Interruption } from '#engine/job'
import type { Platform } from '#engine/platform'
import type { Engines } from '#main/engine-host'
import { connectContract, engineContract } from '#shared/contract'
import { UsageError } from '#shared/errors'
import type { Disk, JobOutcome, JobState, RestorePlan } from '#shared/model'
import { serveEngine, type ServeEngineOptions } from '#src/main/engine-host/serve-engine.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-host-'))
  writeFileSync(join(folder, 'practice.dmg'), 'the image')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const soon = (ms = 10) => new Promise((resolve) => setTimeout(resolve, ms))

function start(
  engines: Parameters<typeof enginesDouble>[1] = {},
  host: PlatformDouble = platformDouble([aDisk()]),
  options: Partial<ServeEngineOptions> = {},
) {
  const [near, far] = transportPair()
  const served = serveEngine(far, {
    createEngines: () => enginesDouble(host.platform, engines),
    version: '1.2.3',
    elevated: false,
    practiceAsset: join(folder, 'practice.dmg'),
    ...options,
  })
  const client = connectContract(engineContract, near)
  const jobs: JobState[] = []
  client.subscribe('job', (state) => jobs.push(state))
  const disks: (readonly Disk[])[] = []
  client.subscribe('devices', (now) => disks.push(now))
  return { client, served, host, jobs, disks }
}

/** A restore that runs until it is cancelled, then takes a moment to stop. */
const endless: Engines['runRestore'] = async (_plan, _platform, context) => {
  const { signal } = context
  context.enter('restoring', 100)
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await soon(20)
  return { kind: 'cancelled', target: 'empty', percent: 1 }
}
const done: JobOutcome = { kind: 'cancelled', target: 'untouched', percent: null }

async function startRestore({ client }: ReturnType<typeof start>) {
  const { planId } = await client.request('restore.plan', aRequest)
  const { jobId } = await client.request('restore.start', { planId, typed: null })
  await soon()
  return jobId
}

describe('streams', () => {
  const sessions = [aSession()]

  test('are the multicast engine’s: what is asked, what it throws, what it tells', async () => {
    const asked: unknown[] = []
    let tell: (now: typeof sessions) => void = () => undefined
    const { client } = start({
      multicast: multicastDouble({
        setRate: async (...input) => void asked.push(input),
        setPrecedence: async (...input) => void asked.push(input),
        checkSource: async (source) => {
          asked.push(source)
          return { step: 'source', state: 'ok', error: null }
        },
        startNow: () =>
          Promise.reject(new UsageError('E_USAGE', 'no such session', { details: { input: 'x' } })),
        onSessions: (listener) => {
          tell = listener
        },
      }),
    })
    const heard: unknown[] = []
    client.subscribe('sessions', (now) => heard.push(now))
    await client.request('session.setRate', { sessionId: 'a', dataRate: 5, clientDataRate: null })
    await client.request('session.setPrecedence', { sessionIds: ['b', 'a'] })
    const source = { source: '/dev/sdx', compression: 'none' } as const
    expect(await client.request('multicast.checkSource', source)).toMatchObject({ state: 'ok' })
    await expect(client.request('session.startNow', { sessionId: 'a' })).rejects.toMatchObject({
      code: 'E_USAGE',
    })
    tell(sessions)
    await soon()
    expect(asked).toEqual([['a', { dataRate: 5, clientDataRate: null }], [['b', 'a']], source])
    expect(heard).toEqual([sessions])
  })

  test('on the network are looked for once they were asked for, until the client is gone', async () => {
    let watching = 0
    const { client, served } = start({
      multicast: multicastDouble({
        watchStreams(listener) {
          watching += 1
          listener(foundStreams)
          return { [Symbol.asyncDispose]: async () => void (watching -= 1) }
        },
      }),
    })
    const heard: unknown[] = []
    client.subscribe('streams', (now) => heard.push(now))
    await client.request('streams.watch', {})
    await client.request('streams.watch', {})
    expect([heard, watching]).toEqual([[foundStreams], 1])
    client.close(new Error('gone'))
    await served.ended
    expect(watching).toBe(0)
  })

  test('end with the host', async () => {
    let ended = false
    const { client, served } = start({
      multicast: multicastDouble({
        [Symbol.asyncDispose]: async () => {
          await soon()
          ended = true
        },
      }),
    })
    client.close(new Error('gone'))
    await served.ended
    expect(ended).toBe(true)
  })

  const { hasPassword: _, ...settings } = aSession().settings

  test.each([
    ['session.start', { settings: { ...settings, password: null } }],
    ['streams.watch', {}],
    ['configuration.read', { path: '/etc/shadow' }],
    ['configuration.write', { path: '/etc/x', configuration: settings.configuration }],
  ] as const)('are nothing that rights were given for: %s', async (name, input) => {
    const { client } = start({}, undefined, { elevated: true })
    await expect(client.request(name, input as never)).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
  })
})

describe('the host', () => {
  test('says who it is', async () => {
    const { client } = start()
    await expect(client.hello).resolves.toMatchObject({ version: '1.2.3' })
    await expect(client.request('host.info', {})).resolves.toEqual({
      version: '1.2.3',
      platform: 'linux',
      supported: true,
      privileged: false,
    })
  })

  test('watches the disks once it was asked for them, and stops when its client is gone', async () => {
    const { client, served, host, disks } = start()
    await soon()
    expect(host.isWatched()).toBe(false)
    await client.request('devices.watch', {})
    expect(disks).toEqual([[aDisk()]])
    host.setDisks([])
    await soon()
    expect(disks).toEqual([[aDisk()], []])
    client.close(new Error('gone'))
    await served.ended
    expect(host.isWatched()).toBe(false)
  })

  test('looks at the disks again after a restore, which a watch may not see', async () => {
    const running = start({ runRestore: async () => done })
    await running.client.request('devices.watch', {})
    running.host.setDisks([aDisk({ name: 'restored' })], { isSeen: false })
    await startRestore(running)
    await soon()
    expect(running.disks.at(-1)).toEqual([aDisk({ name: 'restored' })])
  })

  test('does not wait for a drive that does not answer', async () => {
    const { client, served } = start({ inspectSource: () => new Promise(() => undefined) })
    client.request('source.inspect', { source: '/dev/sdx' }).catch(() => undefined)
    await soon()
    client.close(new Error('gone'))
    await expect(served.ended).resolves.toBeUndefined()
  })

  test('cancels its jobs and waits for them when its client is gone', async () => {
    const stopped: string[] = []
    const running = start({
      runRestore: async (...all) => {
        const outcome = await endless(...all)
        stopped.push(outcome.kind)
        return outcome
      },
    })
    await startRestore(running)
    running.client.close(new Error('gone'))
    await running.served.ended
    expect(stopped).toEqual(['cancelled'])
  })

  test('keeps the computer awake while it has a job', async () => {
    let holds = 0
    const hold = () => {
      holds += 1
      return { [Symbol.dispose]: () => void (holds -= 1) }
    }
    const running = start({ runRestore: endless, keepAwake: { hold } })
    const jobId = await startRestore(running)
    expect(holds).toBe(1)
    await running.client.request('job.cancel', { jobId })
    expect(holds).toBe(0)
  })
})

describe('a restore', () => {
  test('runs by a plan that this host made, once', async () => {
    const running = start({ runRestore: async () => done })
    const { planId } = await running.client.request('restore.plan', aRequest)
    const { jobId } = await running.client.request('restore.start', { planId, typed: null })
    await soon()
    expect(running.jobs.at(-1)).toMatchObject({ jobId, title: '/images/a.dmg → Test Stick', outcome: done })
    await expect(running.client.request('restore.start', { planId, typed: null })).rejects.toMatchObject({
      code: 'E_NOT_CONFIRMED',
    })
  })

  test('sees its own disk as free, while planning sees it as busy', async () => {
    const seen: string[] = []
    const look = async (who: string, target: string, platform: Platform) => {
      const found = await platform.resolve(target)
      seen.push(`${who}: ${found.kind === 'disk' && found.disk.busy ? 'busy' : 'free'}`)
    }
    const host = platformDouble([aDisk()])
    const running = start(
      {
        runRestore: async (plan, platform, context) => {
          await look('job', plan.request.target, platform)
          return endless(plan, platform, context)
        },
        inspectSource: async (source, platform) => {
          await look('planner', source, platform)
          return {} as never
        },
      },
      host,
    )
    await startRestore(running)
    await running.client.request('source.inspect', { source: '/dev/sdx' })
    expect(seen).toEqual(['job: free', 'planner: busy'])
  })

  test('shows its disk as busy while it runs, and free afterwards', async () => {
    const running = start({ runRestore: endless })
    await running.client.request('devices.watch', {})
    const jobId = await startRestore(running)
    expect(running.disks.at(-1)?.[0]?.busy).toBe(true)
    await running.client.request('job.cancel', { jobId })
    await soon()
    expect(running.disks.at(-1)?.[0]?.busy).toBe(false)
  })

  test('onto a disk that another one writes to is refused', async () => {
    const running = start({ runRestore: endless })
    const first = await running.client.request('restore.plan', aRequest)
    const second = await running.client.request('restore.plan', aRequest)
    await running.client.request('restore.start', { planId: first.planId, typed: null })
    await expect(
      running.client.request('restore.start', { planId: second.planId, typed: null }),
    ).rejects.toMatchObject({ code: 'E_DST_BUSY' })
  })

  test('that is cancelled answers when it has really stopped', async () => {
    const running = start({ runRestore: endless })
    const jobId = await startRestore(running)
    await expect(running.client.request('job.cancel', { jobId })).resolves.toMatchObject({
      jobId,
      outcome: { kind: 'cancelled', target: 'empty' },
    })
  })

  test.each([
    [{}, false],
    [{ interrupted: true }, true],
  ])('that is cancelled with %j is told whether somebody called it off', async (how, interrupted) => {
    const reasons: unknown[] = []
    const running = start({
      runRestore: async (_plan, _platform, context) => {
        const outcome = await endless(_plan, _platform, context)
        reasons.push(context.signal.reason)
        return outcome
      },
    })
    const jobId = await startRestore(running)
    await running.client.request('job.cancel', { jobId, ...how })
    expect(reasons.map((reason) => reason instanceof Interruption)).toEqual([interrupted])
  })

  test('that throws what nobody expected fails with it, and the host lives on', async () => {
    const running = start({ runRestore: () => Promise.reject(new TypeError('x is not a function')) })
    await startRestore(running)
    expect(running.jobs.at(-1)?.outcome).toMatchObject({
      kind: 'failed',
      error: { family: 'bug', message: 'x is not a function' },
    })
    await expect(running.client.request('host.info', {})).resolves.toMatchObject({ version: '1.2.3' })
  })

  test('is stopped, and fails with the bug, when something throws where nobody can catch it', async () => {
    const running = start({ runRestore: endless })
    await startRestore(running)
    running.served.reportBug(new RangeError('out of a timer'))
    await soon(40)
    expect(running.jobs.at(-1)?.outcome).toMatchObject({
      kind: 'failed',
      target: 'empty',
      error: { family: 'bug', message: 'out of a timer' },
    })
    await expect(running.client.request('host.info', {})).resolves.toMatchObject({ version: '1.2.3' })
  })

  test('that was done all the same stays done', async () => {
    const finish = Promise.withResolvers<JobOutcome>()
    const running = start({ runRestore: () => finish.promise })
    await startRestore(running)
    running.served.reportBug(new Error('late'))
    finish.resolve({ kind: 'done', summary: aSummary() })
    await soon()
    expect(running.jobs.at(-1)?.outcome).toMatchObject({ kind: 'done' })
  })
})

describe('a restore by an elevated host', () => {
  const file = join(tmpdir(), 'nobody-but-root', 'x')
  const target = { ...aPlan().target!, kind: 'file', path: file, disk: null } as const
  const elevated = (engines: Parameters<typeof start>[0]) => start(engines, undefined, { elevated: true })

  test.each([
    ['in a plan', aRequest],
    ['of a stream', { ...aRequest, source: 'asr://lab', target: file, form: 'file' as const }],
  ])('writes no file that is named %s', async (_, request) => {
    const { client } = elevated({ plan: { target }, runRestore: endless })
    await expect(client.request('restore.plan', request)).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
  })

  test('writes no file, also when one was planned', async () => {
    const { client } = elevated({ takePlan: () => aPlan({ target }), runRestore: endless })
    await expect(client.request('restore.start', { planId: 'x', typed: null })).rejects.toMatchObject({
      code: 'E_UNSUPPORTED',
    })
  })

  test('writes the disk it was elevated for', async () => {
    await expect(startRestore(elevated({ runRestore: endless }))).resolves.toEqual(expect.any(String))
  })
})

describe('verifying an image', () => {
  test('is a job that says what was checked', async () => {
    const verification = { checked: [], nothingToCheck: true, expandedBytes: 5, durationMs: 1 }
    const { client, jobs } = start({ runImageTask: async () => ({ kind: 'checked', verification }) })
    await client.request('image.start', { task: { kind: 'verify', path: '/images/a.dmg' } })
    await soon()
    expect(jobs.at(-1)).toMatchObject({
      kind: 'verify-image',
      title: 'a.dmg',
      outcome: { kind: 'checked', verification },
    })
  })
})

describe('work that changes an image', () => {
  const path = '/images/a.img'
  const resize = { kind: 'resize', path, sizeBytes: 4096 } as const
  const scan = { kind: 'scan', path, reorder: true, allowFragmentedCatalog: false } as const

  test('is refused while a job changes the same file already', async () => {
    const release = Promise.withResolvers<JobOutcome>()
    const { client } = start({ runImageTask: () => release.promise })
    await client.request('image.start', { task: resize })
    for (const task of [resize, scan])
      await expect(client.request('image.start', { task })).rejects.toMatchObject({
        code: 'E_DST_BUSY',
        details: { path },
      })
    const others = [{ kind: 'verify', path } as const, { ...resize, path: '/images/b.img' }]
    for (const task of others)
      await expect(client.request('image.start', { task })).resolves.toMatchObject({})
    release.resolve(done)
    await soon()
    await expect(client.request('image.start', { task: resize })).resolves.toMatchObject({})
  })
})

describe('ejecting', () => {
  test.each([
    ['a path that is no disk', '/etc/passwd', {}, 'E_NOT_FOUND'],
    [
      'the system’s disk',
      '/dev/sdx',
      { protection: { kind: 'system', mountPoint: '/' } as const },
      'E_DST_SYSTEM',
    ],
    [
      'the disk that Reprise runs from',
      '/dev/sdx',
      { protection: { kind: 'program', path: '/media/TOOLS/reprise' } as const },
      'E_DST_BUSY',
    ],
  ])('%s is refused', async (_, path, change, code) => {
    const { client, host } = start({}, platformDouble([aDisk(change)]))
    await expect(client.request('device.eject', { path })).rejects.toMatchObject({ code })
    expect(host.ejected).toEqual([])
  })

  test('a disk that a job writes to is refused', async () => {
    const running = start({ runRestore: endless })
    await startRestore(running)
    await expect(running.client.request('device.eject', { path: '/dev/sdx' })).rejects.toMatchObject({
      code: 'E_DST_BUSY',
    })
    expect(running.host.ejected).toEqual([])
  })

  test('a disk that a session streams is refused, which is told as soon as it is so', async () => {
    const read = new Set<string>()
    let changed = () => {}
    const disksRead: Engines['disksRead'] = {
      now: () => read,
      onChange(listener) {
        changed = listener
        return { [Symbol.dispose]: () => undefined }
      },
    }
    const { client, disks, host } = start({ disksRead })
    await client.request('devices.watch', {})
    read.add('/dev/sdx')
    changed()
    await soon()
    expect(disks.at(-1)?.[0]).toMatchObject({ busy: true, onlyRead: true })
    await expect(client.request('device.eject', { path: '/dev/sdx' })).rejects.toMatchObject({
      code: 'E_DST_BUSY',
    })
    expect(host.ejected).toEqual([])
  })

  test('keeps a restore off the disk as long as it takes', async () => {
    const ejecting = Promise.withResolvers<void>()
    const host = platformDouble([aDisk()])
    const platform = { ...host.platform, eject: () => ejecting.promise }
    const running = start({ runRestore: endless }, { ...host, platform })
    const { client, disks } = running
    await client.request('devices.watch', {})
    const ejected = client.request('device.eject', { path: '/dev/sdx' })
    await soon()
    await expect(startRestore(running)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    const { hasPassword: _, ...rest } = aSession().settings
    const settings = { ...rest, source: '/dev/sdx', password: null }
    await expect(client.request('session.start', { settings })).rejects.toMatchObject({
      code: 'E_SRC_IN_USE',
    })
    // Something changes, as its mounts do.
    host.setDisks([aDisk()])
    await soon()
    expect(disks.at(-1)?.[0]).toMatchObject({ busy: true })
    ejecting.resolve()
    await ejected
    await soon()
    expect(disks.at(-1)?.[0]).toMatchObject({ busy: false })
    await startRestore(running)
  })

  test('another disk is done', async () => {
    const { client, host } = start()
    await client.request('device.eject', { path: '/dev/sdx' })
    expect(host.ejected).toEqual(['/dev/sdx'])
  })
})

describe('the Practice disk', () => {
  const prepare = { folder: '', renew: 'missing' as const }

  test('is among the devices once it was made, and is a disk to the engines', async () => {
    const running = start({
      inspectSource: async (locator, platform) => {
        const found = await platform.resolve(locator)
        return { kind: found.kind } as never
      },
    })
    const { client, disks } = running
    await client.request('devices.watch', {})
    const made = await client.request('practice.prepare', { ...prepare, folder })
    expect(disks.at(-1)).toHaveLength(2)
    expect(disks.at(-1)?.[1]).toMatchObject({
      path: made.disk,
      practice: true,
      bus: 'file',
      sizeBytes: 67_108_864,
    })
    await expect(client.request('source.inspect', { source: made.disk })).resolves.toEqual({ kind: 'disk' })
    await expect(client.request('source.inspect', { source: `${made.disk}#1` })).resolves.toEqual({
      kind: 'other',
    })
  })

  test('stays among the devices when it was made while they were looked at', async () => {
    const look = Promise.withResolvers<readonly Disk[]>()
    const { client, disks } = start(
      {},
      platformDouble([], () => look.promise),
    )
    const watching = client.request('devices.watch', {})
    await client.request('practice.prepare', { ...prepare, folder })
    await soon()
    // Alone it would be the news that all others were unplugged.
    expect(disks).toEqual([])
    look.resolve([aDisk()])
    await watching
    await soon()
    expect(disks.map((now) => now.map(({ path }) => path))).toEqual([
      ['/dev/sdx', join(folder, 'Practice disk')],
    ])
  })

  test('is there where disks cannot be listed', async () => {
    const { client, disks } = start(
      {},
      platformDouble([], () => Promise.reject(new Error('no lsblk'))),
    )
    await client.request('practice.prepare', { ...prepare, folder })
    await expect(client.request('devices.watch', {})).rejects.toThrow()
    await expect.poll(() => disks).toEqual([[expect.objectContaining({ practice: true })]])
  })

  test('cannot be made anew while it is written to', async () => {
    const disk = join(folder, 'Practice disk')
    const target = { ...aPlan().target!, path: disk, disk: aDisk({ path: disk }) }
    const running = start({ runRestore: endless, plan: { target } })
    await running.client.request('practice.prepare', { ...prepare, folder })
    await startRestore(running)
    await expect(
      running.client.request('practice.prepare', { folder, renew: 'always' }),
    ).rejects.toMatchObject({ code: 'E_DST_BUSY' })
  })

  test('is not made by an elevated host', async () => {
    const { client } = start({}, platformDouble(), { elevated: true })
    await expect(client.request('practice.prepare', { ...prepare, folder })).rejects.toMatchObject({
      code: 'E_UNSUPPORTED',
    })
  })

  test('is not made without the image that belongs to it', async () => {
    const { client } = start({}, platformDouble(), { practiceAsset: null })
    await expect(client.request('practice.prepare', { ...prepare, folder })).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    })
  })
})

describe('a restore from a disk', () => {
  const master = aDisk({ path: '/dev/sdm', name: 'Master' })
  const from = { kind: 'disk', locator: master.path, name: master.name, disk: master } as const
  const onto = (disk: Disk) => ({ ...aPlan().target!, disk })

  test('keeps it from being written and ejected meanwhile, and is kept off one that is written', async () => {
    const plan: { source: RestorePlan['source']; target: RestorePlan['target'] } = {
      source: from,
      target: onto(aDisk()),
    }
    const running = start({ plan, runRestore: endless }, platformDouble([master, aDisk()]))
    const { client, disks } = running
    await client.request('devices.watch', {})
    const jobId = await startRestore(running)
    expect(disks.at(-1)?.[0]).toMatchObject({ busy: true, onlyRead: true })
    expect(disks.at(-1)?.[1]).not.toHaveProperty('onlyRead')
    await expect(client.request('device.eject', { path: master.path })).rejects.toMatchObject({
      code: 'E_DST_BUSY',
    })
    Object.assign(plan, { source: null, target: onto(master) })
    await expect(startRestore(running)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    await client.request('job.cancel', { jobId })
    await startRestore(running)
    Object.assign(plan, { source: from, target: onto(aDisk()) })
    await expect(startRestore(running)).rejects.toMatchObject({ code: 'E_SRC_IN_USE' })
  })
})

describe('an image of a device', () => {
  const task = {
    kind: 'create',
    target: '/home/anna/new.dmg',
    format: 'UDZO',
    level: null,
    erase: false,
    encryption: null,
    volumeName: null,
    from: { kind: 'device', path: aDisk().path },
  } as const

  test('is all that an elevated host does to images, in the name of who asked', async () => {
    const asked: (number | null | undefined)[] = []
    const { client } = start({}, undefined, {
      elevated: true,
      onBehalfOf: 1000,
      createEngines: ({ onBehalfOf }) => {
        asked.push(onBehalfOf)
        return enginesDouble(platformDouble([aDisk()]).platform, { runImageTask: async () => done })
      },
    })
    expect(asked).toEqual([1000])
    await expect(client.request('image.start', { task })).resolves.toMatchObject({})
    for (const other of [
      { kind: 'verify', path: '/etc/shadow' },
      { ...task, from: { kind: 'folder', path: '/root' } },
    ] as const)
      await expect(client.request('image.start', { task: other })).rejects.toMatchObject({
        code: 'E_UNSUPPORTED',
      })
  })

  test('keeps its disk from being written meanwhile', async () => {
    const release = Promise.withResolvers<JobOutcome>()
    const { client, disks } = start({ runImageTask: () => release.promise })
    await client.request('devices.watch', {})
    await client.request('image.start', { task })
    await soon()
    expect(disks.at(-1)?.[0]?.busy).toBe(true)
    await expect(client.request('device.eject', { path: aDisk().path })).rejects.toMatchObject({
      code: 'E_DST_BUSY',
    })
    release.resolve(done)
    await soon()
    expect(disks.at(-1)?.[0]?.busy).toBe(false)
  })
})
