import { describe, expect, test, vi } from 'vitest'
import { contractDouble, type ContractDouble } from '#test/contract-double'
import { aDisk, aJob, aPlan, aRequest } from '#test/engine-double'
import { engineContract, type EngineContract, type Handlers } from '#shared/contract'
import { DeviceError, EngineGoneError, FormatError, serializeError } from '#shared/errors'
import { silentLogger } from '#shared/log'
import type { JobState, SessionState } from '#shared/model'
import { aSession, foundStreams } from '#test/stream-fixtures'
import { createEngine, type Engine, type EngineOptions } from '#src/main/engine-client/engine.ts'
import type { HostProcess } from '#src/main/engine-client/host-process.ts'

interface FakeHost extends ContractDouble<EngineContract> {
  readonly host: HostProcess
  ended: boolean
}

/** A host process that is none. */
function fakeHost(answers: Partial<Handlers<EngineContract>> = {}): FakeHost {
  const double = contractDouble(engineContract, {
    'host.info': async () => ({ version: '1', platform: 'linux', supported: true, privileged: false }),
    ...answers,
  })
  const ended = Promise.withResolvers<void>()
  const fake: FakeHost = {
    ...double,
    ended: false,
    host: {
      connection: double.client,
      ended: ended.promise,
      async end() {
        fake.ended = true
        double.die(new Error('ended as asked'))
        ended.resolve()
      },
    },
  }
  return fake
}

const soon = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms))
const died = () =>
  new EngineGoneError('E_ENGINE_GONE', 'killed', {
    details: { exitCode: null, signal: 'SIGKILL', lastLines: ['the last line'] },
  })

function engineOf(
  plain: FakeHost | readonly (FakeHost | Error)[],
  elevate: EngineOptions['elevate'] = () => Promise.reject(new Error('nobody should be asked')),
  more: Partial<EngineOptions> = {},
): { engine: Engine; starts: () => number } {
  const waiting = Array.isArray(plain) ? [...(plain as (FakeHost | Error)[])] : [plain as FakeHost]
  let starts = 0
  const engine = createEngine({
    start: async () => {
      starts += 1
      const next = waiting.shift()
      if (next === undefined) throw new Error('no more hosts')
      if (next instanceof Error) throw next
      return next.host
    },
    elevate,
    log: silentLogger,
    pausesMs: [1],
    ...more,
  })
  return { engine, starts: () => starts }
}

describe('streams', () => {
  test('of the unprivileged host are told of, before and after it was started again', async () => {
    const [first, second] = [fakeHost(), fakeHost()]
    const { engine } = engineOf([first, second])
    const heard: unknown[] = []
    engine.subscribe('streams', (streams) => heard.push(streams))
    await soon()
    first.emit('streams', foundStreams)
    await soon()
    first.die(died())
    await soon(20)
    second.emit('streams', [])
    await soon()
    expect(heard).toEqual([foundStreams, []])
  })

  test('that run have failed when their host dies, and stand beside those of the next until they are taken out', async () => {
    const stops: unknown[] = []
    const [first, second] = [
      fakeHost(),
      fakeHost({
        'session.stop': async (input) => {
          stops.push(input)
          return null
        },
      }),
    ]
    const { engine } = engineOf([first, second])
    let sessions: readonly SessionState[] = []
    engine.subscribe('sessions', (now) => (sessions = now))
    await soon()
    const phases = () => sessions.map(({ sessionId, phase, error }) => [sessionId, phase, error?.code])
    first.emit('sessions', [
      aSession({ sessionId: 'a', phase: 'waiting', startsInMs: 60_000 }),
      aSession({ sessionId: 'b', phase: 'ended', endedMs: 5 }),
    ])
    await soon()
    expect(phases()).toEqual([
      ['a', 'waiting', undefined],
      ['b', 'ended', undefined],
    ])
    first.die(died())
    await soon(20)
    const lost = [
      ['a', 'failed', 'E_ENGINE_GONE'],
      ['b', 'ended', undefined],
    ]
    expect(phases()).toEqual(lost)
    expect(sessions[0]).toMatchObject({ startsInMs: null, sentBytesPerSecond: 0, preparing: null })
    expect(sessions[0]?.endedMs).toBeGreaterThan(5)
    second.emit('sessions', [aSession({ sessionId: 'c' })])
    await soon()
    expect(phases()).toEqual([['c', 'streaming', undefined], ...lost])
    await engine.request('session.stop', { sessionId: 'a', when: 'now' })
    expect(phases().map(([sessionId]) => sessionId)).toEqual(['c', 'b'])
    await engine.request('session.stop', { sessionId: 'c', when: 'now' })
    expect(stops).toEqual([{ sessionId: 'c', when: 'now' }])
  })

  test('are not told of as failed when the app ends', async () => {
    const host = fakeHost()
    const { engine } = engineOf(host)
    const heard: unknown[] = []
    engine.subscribe('sessions', (sessions) => heard.push(sessions.map(({ phase }) => phase)))
    await soon()
    host.emit('sessions', [aSession()])
    await soon()
    await engine[Symbol.asyncDispose]()
    expect(heard).toEqual([['streaming']])
  })
})

describe('files that are fetched as a whole', () => {
  test('are those of both hosts, as long as each of them lives', async () => {
    const plan = aPlan({ needsPrivilege: true })
    const first = fakeHost({ 'restore.plan': async () => plan })
    const elevated = fakeHost({
      'restore.plan': async () => plan,
      'restore.start': async () => ({ jobId: 'job-1' }),
      'web.prepare': async () => null,
    })
    const { engine } = engineOf(first, async () => elevated.host)
    const heard: unknown[] = []
    engine.subscribe('fetches', (fetches) => heard.push(fetches.map(({ locator }) => locator)))
    await engine.request('restore.plan', aRequest)
    await engine.request('restore.start', { planId: plan.planId, typed: null })
    const fetch = (locator: string) => [{ kind: 'coming' as const, locator, doneBytes: 1, sizeBytes: 2 }]
    first.emit('fetches', fetch('http://h/a.dmg'))
    elevated.emit('fetches', fetch('http://h/b.dmg'))
    first.emit('fetches', [])
    await soon()
    elevated.die(died())
    await soon()
    expect(heard).toEqual([['http://h/a.dmg'], ['http://h/a.dmg', 'http://h/b.dmg'], ['http://h/b.dmg'], []])
  })
})

describe('how the web is reached', () => {
  const proxied = { http_proxy: 'http://proxy:3128', HOME: '/root' }
  const source = 'http://ann:secret@lab:8080/images/a.dmg'

  test('is told to an elevated host before it plans: proxies and passwords, and nothing else', async () => {
    const told: unknown[] = []
    const plan = aPlan({
      needsPrivilege: true,
      request: { ...aRequest, source: 'http://lab:8080/images/a.dmg' },
    })
    const first = fakeHost({
      'web.prepare': async () => null,
      'restore.plan': async () => plan,
      'source.inspect': async () => aPlan().source!,
    })
    const elevated = fakeHost({
      'web.prepare': async (input) => {
        told.push(input)
        return null
      },
      'restore.plan': async () => {
        told.push('plan')
        return plan
      },
      'restore.start': async () => ({ jobId: 'job-1' }),
    })
    const { engine } = engineOf(first, async () => elevated.host, { environment: proxied })
    await engine.request('source.inspect', { source })
    const { planId } = await engine.request('restore.plan', plan.request)
    await engine.request('restore.start', { planId, typed: null })
    expect(told).toEqual([
      { variables: { http_proxy: 'http://proxy:3128' }, addresses: ['http://ann:secret@lab:8080'] },
      'plan',
    ])
  })

  test('is told again, as far as it needs to be, to a host in the place of one that died', async () => {
    const told: unknown[] = []
    const first = fakeHost({
      'web.prepare': async () => null,
      'image.start': async () => ({ jobId: 'job-1' }),
    })
    const second = fakeHost({
      'web.prepare': async (input) => {
        told.push(input)
        return null
      },
    })
    const { engine } = engineOf([first, second], undefined, { environment: proxied })
    await engine.request('image.start', { task: { kind: 'verify', path: source } })
    first.die(died())
    await soon(20)
    await engine.request('host.info', {})
    expect(told).toEqual([{ variables: null, addresses: ['http://ann:secret@lab:8080'] }])
  })

  test('is told in one form, however the address was typed', async () => {
    const told: unknown[] = []
    const first = fakeHost({ 'image.start': async () => ({ jobId: 'job-1' }) })
    const second = fakeHost({
      'web.prepare': async ({ addresses }) => {
        told.push(...addresses)
        return null
      },
    })
    const { engine } = engineOf([first, second])
    for (const path of [
      'https://ann:my secret@LAB:443/a.dmg',
      'https://ann@b ad/a.dmg',
      `https://ann:${' '.repeat(4000)}@long/a.dmg`,
      'http://lab/a@b.dmg',
    ])
      await engine.request('image.start', { task: { kind: 'verify', path } })
    first.die(died())
    await soon(20)
    await engine.request('host.info', {})
    expect(told).toEqual(['https://ann:my%20secret@lab'])
  })

  test('is no reason to do without a host that refuses to hear it', async () => {
    const first = fakeHost({ 'image.start': async () => ({ jobId: 'job-1' }) })
    const second = fakeHost({ 'web.prepare': () => Promise.reject(new Error('refused')) })
    const { engine, starts } = engineOf([first, second])
    await engine.request('image.start', { task: { kind: 'verify', path: source } })
    first.die(died())
    await soon(20)
    await expect(engine.request('host.info', {})).resolves.toMatchObject({ version: '1' })
    expect(starts()).toBe(2)
  })
})

describe('a password that opened an image', () => {
  const unlock = { path: '/a.dmg', password: 'sesame' }
  /** A host that writes down what it is asked, and opens /a.dmg with any password. */
  function host(answers: Partial<Handlers<EngineContract>> = {}) {
    const told: unknown[] = []
    const fake = fakeHost({
      'image.unlock': async (input) => {
        told.push(input)
        return null
      },
      ...answers,
    })
    return { fake, told }
  }

  test('is given to the host that takes the place of one that died', async () => {
    const [first, second] = [host(), host()]
    const { engine } = engineOf([first.fake, second.fake])
    await engine.request('image.unlock', unlock)
    first.fake.die(died())
    await soon(20)
    await engine.request('host.info', {})
    expect(second.told).toEqual([unlock])
  })

  test('is given to an elevated host, once, before it plans', async () => {
    const asked: string[] = []
    const plan = aPlan({ needsPrivilege: true })
    const first = host({ 'restore.plan': async () => plan })
    const elevated = fakeHost({
      'image.unlock': async ({ password }) => {
        asked.push(password)
        return null
      },
      'restore.plan': async () => {
        asked.push('plan')
        return plan
      },
      'restore.start': async () => ({ jobId: 'job-1' }),
    })
    const { engine } = engineOf(first.fake, async () => elevated.host)
    await engine.request('image.unlock', unlock)
    for (let round = 0; round < 2; round++) {
      const { planId } = await engine.request('restore.plan', aRequest)
      await engine.request('restore.start', { planId, typed: null })
    }
    expect(asked.slice(0, 2)).toEqual(['sesame', 'plan'])
    expect(asked.filter((what) => what === 'sesame')).toHaveLength(1)
  })

  test('is not remembered when it was wrong', async () => {
    const wrong = new FormatError('E_SRC_PASSWORD', 'another password', {
      details: { format: 'encrcdsa', field: 'passphrase', offset: 0 },
    })
    const [first, second] = [host({ 'image.unlock': () => Promise.reject(wrong) }), host()]
    const { engine } = engineOf([first.fake, second.fake])
    await expect(engine.request('image.unlock', unlock)).rejects.toMatchObject({ code: 'E_SRC_PASSWORD' })
    first.fake.die(died())
    await soon(20)
    await engine.request('host.info', {})
    expect(second.told).toEqual([])
  })
})

describe('the unprivileged host', () => {
  test('answers what it is asked, also when asked before it is there', async () => {
    const { engine } = engineOf(fakeHost({ 'image.info': async () => ({ name: 'a' }) as never }))
    await expect(engine.request('image.info', { path: '/a' })).resolves.toEqual({ name: 'a' })
  })

  test('is started again when it dies, and everyone is told', async () => {
    const [first, second] = [
      fakeHost(),
      fakeHost({ 'image.info': async () => ({ name: 'second' }) as never }),
    ]
    const { engine } = engineOf([first, second])
    const states: string[] = []
    engine.onState((state) => states.push(state.state === 'gone' ? `gone: ${state.reason.message}` : 'ready'))
    await soon()
    first.die(died())
    await soon(20)
    expect(states).toEqual(['ready', 'gone: killed', 'ready'])
    await expect(engine.request('image.info', { path: '/a' })).resolves.toEqual({ name: 'second' })
  })

  test('that cannot be started is tried again after a pause', async () => {
    const { engine, starts } = engineOf([died(), died(), fakeHost()])
    await expect(engine.request('host.info', {})).rejects.toMatchObject({ code: 'E_ENGINE_GONE' })
    await expect.poll(starts, { interval: 5 }).toBe(3)
    await expect(engine.request('host.info', {})).resolves.toMatchObject({ version: '1' })
  })

  test('that dies leaves a file that was received as it was, and its part beside it', async () => {
    const first = fakeHost()
    const { engine } = engineOf([first, fakeHost()])
    const states: JobState[] = []
    engine.subscribe('job', (state) => states.push(state))
    await soon()
    const phases = [{ phase: 'restoring', state: 'current', durationMs: null }] as const
    first.emit('job', aJob({ phases, plan: aPlan({ request: { ...aRequest, form: 'file' } }) }))
    await soon()
    first.die(died())
    expect(states.at(-1)?.outcome).toMatchObject({ kind: 'failed', target: 'kept' })
  })

  test('that dies fails its running job with its last lines, and leaves ended ones alone', async () => {
    const first = fakeHost()
    const { engine } = engineOf([first, fakeHost()])
    const states: JobState[] = []
    engine.subscribe('job', (state) => states.push(state))
    await soon()
    const done = aJob({ jobId: 'done', outcome: { kind: 'cancelled', target: 'untouched', percent: null } })
    first.emit('job', done)
    first.emit('job', aJob())
    await soon()
    first.die(died())
    expect(states).toHaveLength(3)
    expect(states.at(-1)).toMatchObject({
      jobId: 'job-1',
      outcome: {
        kind: 'failed',
        target: 'incomplete',
        error: { code: 'E_ENGINE_GONE', details: { signal: 'SIGKILL', lastLines: ['the last line'] } },
      },
      phases: [{ state: 'done' }, { state: 'failed' }, { state: 'skipped' }],
    })
    await expect(engine.request('job.cancel', { jobId: 'job-1' })).resolves.toMatchObject({
      outcome: { kind: 'failed' },
    })
  })

  test('that dies while it is told passwords is gone, and the next one is ready', async () => {
    const unlock = { path: '/a.dmg', password: 'sesame' }
    const first = fakeHost({ 'image.unlock': async () => null })
    const second = fakeHost({ 'image.unlock': () => new Promise(() => {}) })
    const { engine } = engineOf([first, second, fakeHost({ 'image.unlock': async () => null })], undefined, {
      pausesMs: [1, 500],
    })
    await engine.request('image.unlock', unlock)
    const states: string[] = []
    engine.onState(({ state }) => states.push(state))
    first.die(died())
    await soon(20)
    second.die(died())
    await soon(20)
    expect(states.at(-1)).toBe('gone')
    await expect(engine.request('host.info', {})).rejects.toMatchObject({ code: 'E_ENGINE_GONE' })
    await expect.poll(() => states.at(-1)).toBe('ready')
    await expect(engine.request('host.info', {})).resolves.toMatchObject({ version: '1' })
  })

  test('that dies before anything was written leaves the destination untouched', async () => {
    const first = fakeHost()
    const { engine } = engineOf([first, fakeHost()])
    const states: JobState[] = []
    engine.subscribe('job', (state) => states.push(state))
    await soon()
    first.emit('job', aJob({ phases: [{ phase: 'unmounting', state: 'current', durationMs: null }] }))
    await soon()
    first.die(died())
    expect(states.at(-1)?.outcome).toMatchObject({ kind: 'failed', target: 'untouched' })
  })

  test('is ended, and not started again, when the engine is disposed', async () => {
    const host = fakeHost()
    const { engine, starts } = engineOf([host, fakeHost()])
    await soon()
    await engine[Symbol.asyncDispose]()
    await soon(20)
    expect([host.ended, starts()]).toEqual([true, 1])
  })

  test('that comes when the engine was disposed already is ended at once', async () => {
    const host = fakeHost()
    const slow = Promise.withResolvers<HostProcess>()
    const { engine } = engineOf([], undefined, { start: () => slow.promise })
    const disposed = engine[Symbol.asyncDispose]()
    slow.resolve(host.host)
    await disposed
    expect(host.ended).toBe(true)
  })
})

test('what is said of a job after its end is not passed on', async () => {
  const host = fakeHost()
  const { engine } = engineOf(host)
  const seen: unknown[] = []
  engine.subscribe('job', ({ outcome }) => seen.push(outcome?.kind ?? 'running'))
  await soon()
  host.emit('job', aJob({ outcome: { kind: 'cancelled', target: 'empty', percent: 1 } }))
  host.emit('job', aJob())
  await soon()
  expect(seen).toEqual(['cancelled'])
})

describe('cancelling', () => {
  test('goes to the host that runs the job', async () => {
    const host = fakeHost({ 'job.cancel': async ({ jobId }) => aJob({ jobId, stopping: true }) })
    const { engine } = engineOf(host)
    await soon()
    host.emit('job', aJob())
    await soon()
    const input = { jobId: 'job-1', interrupted: true }
    await expect(engine.request('job.cancel', input)).resolves.toMatchObject({ stopping: true })
    expect(host.calls).toContainEqual({ name: 'job.cancel', input })
  })

  test('a job that nobody knows is refused', async () => {
    const { engine } = engineOf(fakeHost())
    await expect(engine.request('job.cancel', { jobId: 'x' })).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  test('whose host dies on the way answers with how the job ended', async () => {
    const host = fakeHost({ 'job.cancel': () => new Promise(() => undefined) })
    const { engine } = engineOf([host, fakeHost()])
    await soon()
    host.emit('job', aJob())
    await soon()
    const cancelled = engine.request('job.cancel', { jobId: 'job-1' })
    await soon()
    host.die(died())
    await expect(cancelled).resolves.toMatchObject({ outcome: { kind: 'failed' } })
  })
})

describe('a restore that needs rights', () => {
  const needy = aPlan({ needsPrivilege: true })
  const plainHost = () => fakeHost({ 'restore.plan': async () => needy })
  const rootHost = (plan = { ...needy, planId: 'root-plan', needsPrivilege: false }) =>
    fakeHost({ 'restore.plan': async () => plan, 'restore.start': async () => ({ jobId: 'job-root' }) })

  test('asks for them when it is started, not before, and has the elevated host plan again', async () => {
    const root = rootHost()
    let asked = 0
    const { engine } = engineOf(plainHost(), async () => {
      asked += 1
      return root.host
    })
    const plan = await engine.request('restore.plan', aRequest)
    expect(asked).toBe(0)
    const started = await engine.request('restore.start', { planId: plan.planId, typed: 'Stick' })
    expect(started).toEqual({ jobId: 'job-root' })
    expect(root.calls).toEqual([
      { name: 'restore.plan', input: aRequest },
      { name: 'restore.start', input: { planId: 'root-plan', typed: 'Stick' } },
    ])
  })

  const disk = aDisk()
  const target = needy.target!
  const loss = {
    kind: 'volume' as const,
    name: 'PHOTOS',
    path: '/dev/sdx1',
    filesystem: 'vfat',
    sizeBytes: 5,
    usedBytes: 3,
    mountPoints: [],
  }
  test.each([
    ['another disk at the same path', { target: { ...target, identity: 'usb-2|other|64' } }],
    ['another name', { target: { ...target, name: 'Family' } }],
    ['another size', { target: { ...target, sizeBytes: 1 } }],
    ['a volume that was not shown', { losses: [loss] }],
    ['another source', { source: { kind: 'disk' as const, locator: '/dev/sdy', name: 'y', disk } }],
    ['a source that was changed', { sourceIdentity: 'file:/a:1:2:3:5' }],
  ])('is refused when the elevated host finds %s', async (_, change) => {
    const root = rootHost({ ...needy, planId: 'root-plan', ...change })
    const { engine } = engineOf(plainHost(), async () => root.host)
    await engine.request('restore.plan', aRequest)
    await expect(engine.request('restore.start', { planId: 'plan-1', typed: null })).rejects.toMatchObject({
      code: 'E_DST_CHANGED',
      details: { path: '/dev/sdx' },
    })
    expect(root.calls.map(({ name }) => name)).toEqual(['restore.plan'])
  })

  test('is not refused because a volume was used meanwhile', async () => {
    const plain = fakeHost({ 'restore.plan': async () => ({ ...needy, losses: [loss] }) })
    const root = rootHost({ ...needy, losses: [{ ...loss, usedBytes: 4 }] })
    const { engine } = engineOf(plain, async () => root.host)
    await engine.request('restore.plan', aRequest)
    await expect(engine.request('restore.start', { planId: 'plan-1', typed: null })).resolves.toEqual({
      jobId: 'job-root',
    })
  })

  test('fails with the reason that the elevated host has against it', async () => {
    const refusal = new DeviceError('E_DST_GONE', 'unplugged', { details: { path: '/dev/sdx' } })
    const root = rootHost({ ...needy, refusal: serializeError(refusal) })
    const { engine } = engineOf(plainHost(), async () => root.host)
    await engine.request('restore.plan', aRequest)
    await expect(engine.request('restore.start', { planId: 'plan-1', typed: null })).rejects.toMatchObject({
      code: 'E_DST_GONE',
    })
  })

  test('says whom it keeps out when the person can read the image and an administrator can’t', async () => {
    const refusal = new DeviceError('E_DENIED', 'EACCES', { details: { path: '/run/user/1000/gvfs/a.dmg' } })
    const root = rootHost({ ...needy, refusal: serializeError(refusal) })
    const { engine } = engineOf(plainHost(), async () => root.host)
    await engine.request('restore.plan', aRequest)
    await expect(engine.request('restore.start', { planId: 'plan-1', typed: null })).rejects.toMatchObject({
      code: 'E_DENIED',
      details: { path: '/run/user/1000/gvfs/a.dmg', by: 'administrator' },
    })
  })

  test('can be started again after the prompt was dismissed, but once only', async () => {
    const root = rootHost()
    const dismissed = new DeviceError('E_AUTH_CANCEL', 'dismissed', { details: { path: 'pkexec' } })
    let prompts = 0
    const { engine } = engineOf(plainHost(), async () => {
      prompts += 1
      if (prompts === 1) throw dismissed
      return root.host
    })
    await engine.request('restore.plan', aRequest)
    const start = () => engine.request('restore.start', { planId: 'plan-1', typed: null })
    await expect(start()).rejects.toMatchObject({ code: 'E_AUTH_CANCEL' })
    await expect(start()).resolves.toEqual({ jobId: 'job-root' })
    await expect(start()).rejects.toMatchObject({ code: 'E_NOT_CONFIRMED' })
  })

  test('pressed twice is started once', async () => {
    const root = rootHost()
    const prompt = Promise.withResolvers<HostProcess>()
    const { engine } = engineOf(plainHost(), () => prompt.promise)
    await engine.request('restore.plan', aRequest)
    const start = () => engine.request('restore.start', { planId: 'plan-1', typed: null })
    const both = Promise.allSettled([start(), start()])
    await soon()
    prompt.resolve(root.host)
    const [first, second] = await both
    expect(first.status).toBe('fulfilled')
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'E_NOT_CONFIRMED' } })
  })

  test('takes the prompt away when it is cancelled, and settles when it is gone', async () => {
    const order: string[] = []
    const gone = Promise.withResolvers<void>()
    const { engine } = engineOf(plainHost(), async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      order.push('prompt asked to go')
      await gone.promise
      order.push('prompt gone')
      throw signal.reason
    })
    await engine.request('restore.plan', aRequest)
    const stop = new AbortController()
    const started = engine
      .request('restore.start', { planId: 'plan-1', typed: null }, { signal: stop.signal })
      .catch(() => order.push('settled'))
    await soon()
    stop.abort()
    await soon()
    gone.resolve()
    await started
    expect(order).toEqual(['prompt asked to go', 'prompt gone', 'settled'])
  })

  test('needs no prompt when this process has the rights', async () => {
    const host = fakeHost({
      'host.info': async () => ({ version: '1', platform: 'linux', supported: true, privileged: true }),
      'restore.plan': async () => needy,
      'restore.start': async () => ({ jobId: 'job-here' }),
    })
    const { engine } = engineOf(host)
    await engine.request('restore.plan', aRequest)
    await expect(engine.request('restore.start', { planId: 'plan-1', typed: null })).resolves.toEqual({
      jobId: 'job-here',
    })
  })

  test('uses the elevated host that is there, which then plans itself, and lets it go when it idles', async () => {
    const root = rootHost()
    let prompts = 0
    const { engine } = engineOf(
      plainHost(),
      async () => {
        prompts += 1
        return root.host
      },
      { idleMs: 20 },
    )
    await engine.request('restore.plan', aRequest)
    await engine.request('restore.start', { planId: 'plan-1', typed: null })
    root.emit('job', aJob({ jobId: 'job-root' }))
    await soon(40)
    expect(root.ended).toBe(false)
    const plan = await engine.request('restore.plan', aRequest)
    expect(plan.planId).toBe('root-plan')
    root.emit('job', aJob({ jobId: 'job-root', outcome: { kind: 'cancelled', target: 'empty', percent: 1 } }))
    await soon(40)
    expect([root.ended, prompts]).toEqual([true, 1])
  })

  test('is not planned by the elevated host that is there when the person may not read its image', async () => {
    const denied = new DeviceError('E_DENIED', 'not yours', { details: { path: '/root/x.img' } })
    const plans = [needy, aPlan({ planId: 'refused', needsPrivilege: true, refusal: serializeError(denied) })]
    const root = rootHost()
    const plain = fakeHost({ 'restore.plan': async () => plans.shift() ?? needy })
    const { engine } = engineOf(plain, async () => root.host)
    await engine.request('restore.plan', aRequest)
    await engine.request('restore.start', { planId: 'plan-1', typed: null })
    const asked = root.calls.length
    const plan = await engine.request('restore.plan', aRequest)
    expect(plan).toMatchObject({ planId: 'refused', refusal: { code: 'E_DENIED' } })
    expect(root.calls).toHaveLength(asked)
  })

  describe('was planned by an elevated host that idled out before it was confirmed', () => {
    const first = () => rootHost({ ...needy, planId: 'old-root-plan', needsPrivilege: false })
    const confirm = async (second: FakeHost) => {
      const hosts = [first(), second]
      const { engine } = engineOf(plainHost(), async () => hosts.shift()!.host, { idleMs: 20 })
      await engine.request('restore.plan', aRequest)
      await engine.request('restore.start', { planId: 'plan-1', typed: null })
      const { planId } = await engine.request('restore.plan', aRequest)
      expect(planId).toBe('old-root-plan')
      await soon(40)
      return () => engine.request('restore.start', { planId, typed: 'Stick' })
    }

    test('asks for rights again and has the next one plan it, once', async () => {
      const second = rootHost()
      const start = await confirm(second)
      await expect(start()).resolves.toEqual({ jobId: 'job-root' })
      expect(second.calls).toEqual([
        { name: 'restore.plan', input: aRequest },
        { name: 'restore.start', input: { planId: 'root-plan', typed: 'Stick' } },
      ])
      await expect(start()).rejects.toMatchObject({ code: 'E_NOT_CONFIRMED' })
    })

    test('is not started again by the next one when the first had started it', async () => {
      const second = rootHost()
      const hosts = [first(), second]
      const { engine } = engineOf(plainHost(), async () => hosts.shift()!.host, { idleMs: 20 })
      await engine.request('restore.plan', aRequest)
      await engine.request('restore.start', { planId: 'plan-1', typed: null })
      const { planId } = await engine.request('restore.plan', aRequest)
      await engine.request('restore.start', { planId, typed: null })
      await soon(40)
      await expect(engine.request('restore.start', { planId, typed: null })).rejects.toMatchObject({
        code: 'E_NOT_CONFIRMED',
      })
      expect(second.calls).toEqual([])
    })

    test('is refused when the next one finds another disk', async () => {
      const start = await confirm(rootHost({ ...needy, target: { ...target, identity: 'usb-2|other|64' } }))
      await expect(start()).rejects.toMatchObject({ code: 'E_DST_CHANGED' })
    })

    test('is refused ten minutes after it was planned', async () => {
      const second = rootHost()
      const start = await confirm(second)
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 })
      using _ = { [Symbol.dispose]: () => void vi.useRealTimers() }
      await expect(start()).rejects.toMatchObject({ code: 'E_NOT_CONFIRMED' })
      expect(second.calls).toEqual([])
    })
  })

  test('shows its disk as busy, which the unprivileged host cannot know', async () => {
    const plain = fakeHost({ 'restore.plan': async () => needy })
    const root = rootHost()
    const { engine } = engineOf(plain, async () => root.host)
    const busy: boolean[] = []
    engine.subscribe('devices', (disks) => busy.push(disks[0]?.busy ?? false))
    await engine.request('restore.plan', aRequest)
    plain.emit('devices', [aDisk()])
    await engine.request('restore.start', { planId: 'plan-1', typed: null })
    root.emit('job', aJob({ jobId: 'job-root' }))
    await soon()
    root.emit('job', aJob({ jobId: 'job-root', outcome: { kind: 'cancelled', target: 'empty', percent: 1 } }))
    await soon()
    expect(busy).toEqual([false, true, false])
  })

  test('keeps the disks it uses from being ejected by the unprivileged host', async () => {
    const ejected: string[] = []
    const master = aDisk({ path: '/dev/sdm' })
    const plain = fakeHost({
      'restore.plan': async () => needy,
      'device.eject': async ({ path }) => {
        ejected.push(path)
        return null
      },
    })
    const root = rootHost()
    const { engine } = engineOf(plain, async () => root.host)
    await engine.request('restore.plan', aRequest)
    await engine.request('restore.start', { planId: 'plan-1', typed: null })
    plain.emit('devices', [aDisk({ path: '/dev/sdi' })])
    const source = { kind: 'disk', locator: master.path, name: 'Master', disk: master } as const
    root.emit('job', aJob({ jobId: 'job-root', plan: aPlan({ source }) }))
    root.emit('job', aJob({ jobId: 'imaging', kind: 'create-image', plan: null, source: '/dev/sdi' }))
    await soon()
    for (const path of ['/dev/sdm', '/dev/sdx', '/dev/sdi'])
      await expect(engine.request('device.eject', { path })).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    await engine.request('device.eject', { path: '/dev/sdz' })
    expect(ejected).toEqual(['/dev/sdz'])
  })

  test('is not started on a disk that the unprivileged host is ejecting', async () => {
    const ejecting = Promise.withResolvers<null>()
    const plain = fakeHost({ 'restore.plan': async () => needy, 'device.eject': () => ejecting.promise })
    const root = rootHost()
    const { engine } = engineOf(plain, async () => root.host)
    await engine.request('restore.plan', aRequest)
    const { path } = aDisk()
    const ejected = engine.request('device.eject', { path })
    const start = () => engine.request('restore.start', { planId: 'plan-1', typed: null })
    await expect(start()).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    await expect(engine.request('device.eject', { path })).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    ejecting.resolve(null)
    await ejected
    await expect(start()).resolves.toEqual({ jobId: 'job-root' })
  })

  test('keeps its disk from being ejected from the prompt on', async () => {
    const prompt = Promise.withResolvers<HostProcess>()
    const plain = fakeHost({ 'restore.plan': async () => needy })
    const { engine } = engineOf(plain, () => prompt.promise)
    await engine.request('restore.plan', aRequest)
    const started = engine.request('restore.start', { planId: 'plan-1', typed: null })
    await soon()
    await expect(engine.request('device.eject', { path: aDisk().path })).rejects.toMatchObject({
      code: 'E_DST_BUSY',
    })
    prompt.resolve(rootHost().host)
    await expect(started).resolves.toEqual({ jobId: 'job-root' })
  })

  test('that is running when its host dies is lost, and the unprivileged one goes on', async () => {
    const root = rootHost()
    const { engine, starts } = engineOf(plainHost(), async () => root.host)
    const outcomes: unknown[] = []
    engine.subscribe('job', ({ outcome }) => outcomes.push(outcome?.kind ?? 'running'))
    await engine.request('restore.plan', aRequest)
    await engine.request('restore.start', { planId: 'plan-1', typed: null })
    root.emit('job', aJob({ jobId: 'job-root' }))
    await soon()
    root.die(died())
    await soon()
    expect(outcomes).toEqual(['running', 'failed'])
    expect(starts()).toBe(1)
  })
})

describe('a plan', () => {
  test('of a host that died cannot be started on the next one', async () => {
    const first = fakeHost({ 'restore.plan': async () => aPlan() })
    const { engine } = engineOf([first, fakeHost({ 'restore.start': async () => ({ jobId: 'x' }) })])
    await engine.request('restore.plan', aRequest)
    first.die(died())
    await soon(20)
    await expect(engine.request('restore.start', { planId: 'plan-1', typed: null })).rejects.toMatchObject({
      code: 'E_NOT_CONFIRMED',
    })
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
    from: { kind: 'device', path: '/dev/sdb' },
  } as const
  const starting = (name: string) => ({ 'image.start': async () => ({ jobId: name }) })
  const privileged = async () => ({ version: '1', platform: 'linux', supported: true, privileged: true })

  test('asks again when it is started while a prompt that was taken away still ends', async () => {
    const root = fakeHost({ ...starting('root'), 'host.info': privileged })
    const gone = Promise.withResolvers<void>()
    let prompts = 0
    const { engine } = engineOf(fakeHost(), async (signal) => {
      prompts += 1
      if (prompts > 1) return root.host
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      await gone.promise
      throw signal.reason
    })
    const stop = new AbortController()
    const first = engine.request('image.start', { task }, { signal: stop.signal }).catch(() => 'cancelled')
    await soon()
    stop.abort()
    const second = engine.request('image.start', { task })
    await soon()
    gone.resolve()
    expect(await first).toBe('cancelled')
    await expect(second).resolves.toEqual({ jobId: 'root' })
    await engine[Symbol.asyncDispose]()
  })

  test('is made by an elevated host', async () => {
    const plain = fakeHost(starting('plain'))
    const root = fakeHost({ ...starting('root'), 'host.info': privileged })
    const { engine } = engineOf(plain, async () => root.host)
    await expect(engine.request('image.start', { task })).resolves.toEqual({ jobId: 'root' })
    expect(plain.calls.map(({ name }) => name)).not.toContain('image.start')
    await engine[Symbol.asyncDispose]()
  })

  test('is made by the plain host when that may read devices, or the disk is a file, or it is no device at all', async () => {
    const file = { ...aDisk(), path: '/home/anna/practice.img', bus: 'file' } as const
    for (const [host, from] of [
      [{ 'host.info': privileged }, task.from],
      [{}, { kind: 'device', path: file.path }],
      [{}, { kind: 'folder', path: '/home/anna/Lessons' }],
    ] as const) {
      const plain = fakeHost({ ...starting('plain'), 'devices.watch': async () => null, ...host })
      const { engine } = engineOf(plain)
      await engine.request('devices.watch', {})
      plain.emit('devices', [file])
      await soon()
      await expect(engine.request('image.start', { task: { ...task, from } })).resolves.toEqual({
        jobId: 'plain',
      })
      await engine[Symbol.asyncDispose]()
    }
  })

  test('is not made when the password is not given', async () => {
    const plain = fakeHost(starting('plain'))
    const denied = new DeviceError('E_AUTH_CANCEL', 'dismissed', { details: { path: 'pkexec' } })
    const { engine } = engineOf(plain, () => Promise.reject(denied))
    await expect(engine.request('image.start', { task })).rejects.toMatchObject({ code: 'E_AUTH_CANCEL' })
    await engine[Symbol.asyncDispose]()
  })
})
