import { describe, expect, it } from 'vitest'
import { DeviceError, NetworkError, UsageError, serializeError } from '#shared/errors'
import { announcement } from '#src/renderer/app/announcements.ts'
import type { Moment } from '#src/renderer/app/moment.ts'
import type { Cover } from '#src/renderer/app/unheard.ts'
import type { JobState, SessionClient, ToldEnds } from '#shared/model'
import { aJob, anImageJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { aClient, aSession, badChecks, goodChecks, interfaces } from '#test/stream-fixtures'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'

const plan = planFor(aRequest(), [sandisk], [systemImage])
const moment = ({ reprise }: TestWindow): Moment => ({
  mirror: reprise.mirror.getState(),
  view: reprise.view.getState(),
})

/** All that is said from now on. */
function listenTo(window: TestWindow, cover: Cover = 'none'): readonly string[] {
  const heard: string[] = []
  let last = moment(window)
  const look = () => {
    const before = last
    last = moment(window)
    const said = announcement(before, last, cover)
    if (said !== null) heard.push(said.text)
  }
  window.reprise.mirror.subscribe(look)
  window.reprise.view.subscribe(look)
  return heard
}

/** What is said while the job goes through `states`, one after the other. */
async function saidOf(...states: readonly JobState[]): Promise<(string | null)[]> {
  using window = await openWindow()
  const said: (string | null)[] = []
  for (const state of states) {
    const before = moment(window)
    window.double.sendJob(state)
    await settle()
    said.push(announcement(before, moment(window))?.text ?? null)
  }
  return said
}

describe('what a screen reader says by itself', () => {
  it('names each phase once', async () => {
    expect(
      await saidOf(
        aJob(plan, { phase: 'unmounting' }),
        aJob(plan, { phase: 'unmounting' }),
        aJob(plan, { phase: 'restoring', percent: 0 }),
      ),
    ).toEqual(['Unmounting', null, 'Restoring'])
  })

  it('tells once that a disk stopped responding, and again when it happens again', async () => {
    const at = (seconds: number | null): JobState => {
      const job = aJob(plan, { phase: 'restoring', percent: 30 })
      const stall = seconds === null ? null : { silentMs: seconds * 1000, awaited: 'destination' as const }
      return { ...job, progress: job.progress && { ...job.progress, stall } }
    }
    const words =
      "'SanDisk Ultra' hasn't answered for 60 seconds. Check the cable and the port. This goes on when it answers."
    expect(await saidOf(at(null), at(60), at(61), at(null), at(60))).toEqual([
      'Restoring',
      words,
      null,
      null,
      words,
    ])
  })

  it('tells the percent at the quarters only', async () => {
    const at = (percent: number) => aJob(plan, { phase: 'restoring', percent })
    expect(await saidOf(at(0), at(10), at(26), at(27), at(49), at(80), at(99))).toEqual([
      'Restoring',
      null,
      '25 percent',
      null,
      null,
      '75 percent',
      null,
    ])
  })

  it('tells of streams that were put in another order, and of nothing when one comes or ends', async () => {
    using window = await openWindow()
    const named = (name: string) =>
      aSession({ sessionId: name, settings: { ...aSession().settings, name }, phase: 'waiting' })
    const [lab, kiosk] = [named('Lab'), named('Kiosk')]
    const said: (string | null)[] = []
    for (const sessions of [[lab, kiosk], [kiosk, lab], [lab], [kiosk, lab]]) {
      const before = moment(window)
      window.double.sendSessions(sessions)
      await settle()
      said.push(announcement(before, moment(window))?.text ?? null)
    }
    expect(said).toEqual([null, 'Order: Kiosk, Lab', null, null])
  })

  it('tells of a stream: its phases, the first computer, and that all are done', async () => {
    using window = await openWindow()
    const said: (string | null)[] = []
    const client = aClient({ host: 'a', state: 'joined' })
    const other = aClient({ host: 'b', state: 'done' })
    for (const session of [
      aSession({ phase: 'preparing' }),
      aSession({ phase: 'waiting' }),
      aSession({ phase: 'waiting', clients: [client] }),
      aSession({ clients: [client] }),
      aSession({ clients: [client], position: 0.9 }),
      aSession({ clients: [{ ...client, state: 'done' }, other] }),
      aSession({ clients: [client, other] }),
      aSession({ clients: [{ ...client, state: 'failed' }, other] }),
      aSession({ phase: 'ended', clients: [{ ...client, state: 'done' }] }),
    ]) {
      const before = moment(window)
      window.double.sendSessions([session])
      await settle()
      said.push(announcement(before, moment(window))?.text ?? null)
    }
    expect(said).toEqual([
      null,
      'ModularSystem: Waiting',
      'ModularSystem: the first computer has joined',
      'ModularSystem: Streaming',
      null,
      'ModularSystem: All computers are done',
      null,
      'ModularSystem: 1 of 2 computers is done, 1 failed',
      'ModularSystem: Ended',
    ])
  })

  it('tells of each computer once that it failed in a stream, however often it tries again', async () => {
    using window = await openWindow()
    const told: ToldEnds = new Map()
    const first = aClient({ host: 'a', state: 'failed' })
    const done = aClient({ host: 'b', state: 'done' })
    const again = (clientId: string, state: SessionClient['state']) => ({ ...first, clientId, state })
    const said: (string | null)[] = []
    for (const clients of [
      [done, { ...first, state: 'receiving' } as const],
      [done, first],
      [done, first, again('c', 'receiving')],
      [done, first, again('c', 'failed')],
      [done, first, again('d', 'receiving')],
      [done, first, again('d', 'done')],
      [done, first, again('d', 'done'), again('e', 'receiving')],
      [done, first, again('d', 'done'), again('e', 'failed')],
    ]) {
      const before = moment(window)
      window.double.sendSessions([aSession({ clients })])
      await settle()
      said.push(announcement(before, moment(window), 'none', told)?.text ?? null)
    }
    expect(said).toEqual([
      null,
      'ModularSystem: 1 of 2 computers is done, 1 failed',
      null,
      null,
      null,
      'ModularSystem: 2 of 3 computers are done, 1 failed',
      null,
      'ModularSystem: 2 of 4 computers are done, 2 failed',
    ])
  })

  it('says nothing of the rests of a stream between one computer and the next', async () => {
    using window = await openWindow()
    const client = aClient({ host: 'a', state: 'receiving' })
    const other = aClient({ host: 'b', state: 'joined' })
    const said: (string | null)[] = []
    for (const session of [
      aSession({ phase: 'waiting', startedMs: null, clients: [client] }),
      aSession({ phase: 'quiet', startedMs: null, clients: [other] }),
      aSession({ phase: 'streaming', clients: [client] }),
      aSession({ phase: 'quiet', clients: [] }),
      aSession({ phase: 'streaming', clients: [other] }),
      aSession({ phase: 'quiet', clients: [other] }),
      aSession({ phase: 'ended', clients: [other] }),
    ]) {
      const before = moment(window)
      window.double.sendSessions([session])
      await settle()
      said.push(announcement(before, moment(window))?.text ?? null)
    }
    expect(said.slice(1)).toEqual([
      'ModularSystem: Starting',
      'ModularSystem: Streaming',
      null,
      'ModularSystem: the first computer has joined',
      null,
      'ModularSystem: Ended',
    ])
  })

  it('tells once of computers that lose too much, however the figures move, and again when it comes back after a while', async () => {
    using window = await openWindow()
    const lose = async (loss: number) => {
      window.clock.advance(500)
      window.double.sendSessions([aSession({ clients: [aClient({ host: 'a', loss })] })])
      await settle()
    }
    await lose(0.1)
    const heard = listenTo(window)
    for (let count = 0; count < 20; count += 1) await lose(0.16 + ((count * 7) % 20) / 100)
    const words =
      'ModularSystem: some computers lose more than they can make up for. A lower data rate would help.'
    // It holds back, and tries a little more again.
    await lose(0.1)
    await lose(0.3)
    expect(heard).toEqual([words])
    for (let count = 0; count < 61; count += 1) await lose(0.1)
    await lose(0.3)
    expect(heard).toEqual([words, words])
  })

  it('advises no lower data rate where there is none', async () => {
    using window = await openWindow()
    const { settings } = aSession()
    const slowest = { ...settings, configuration: { ...settings.configuration, dataRate: 10_000 } }
    const lose = async (loss: number) => {
      window.double.sendSessions([aSession({ settings: slowest, clients: [aClient({ host: 'a', loss })] })])
      await settle()
    }
    await lose(0.1)
    const heard = listenTo(window)
    await lose(0.3)
    expect(heard).toEqual(['ModularSystem: some computers lose more than they can make up for.'])
  })

  it('says that it is stopping', async () => {
    const job = aJob(plan, { phase: 'restoring', percent: 3 })
    expect(await saidOf(job, { ...job, stopping: true }, { ...job, stopping: true })).toEqual([
      'Restoring',
      'Stopping at a safe point',
      null,
    ])
  })

  it('interrupts for success, not for Cancel, and leaves a failure to its own alert', async () => {
    using window = await openWindow()
    const job = aJob(plan, { phase: 'restoring', percent: 43 })
    const endWith = async (jobId: string, outcome: NonNullable<JobState['outcome']>) => {
      window.double.sendJob({ ...job, jobId })
      await settle()
      const before = moment(window)
      window.double.sendJob(ended({ ...job, jobId }, outcome))
      await settle()
      return announcement(before, moment(window))
    }
    expect(await endWith('a', { kind: 'done', summary: aSummary() })).toEqual({
      text: 'ModularSystem.dmg → SanDisk Ultra: Restored and verified.',
      urgent: true,
    })
    const left = { path: '/dev/sdb', left: 'eject' }
    const warnings = [serializeError(new DeviceError('E_DST_BUSY', 'busy', { details: left }))]
    const undone = "'SanDisk Ultra' wasn't ejected. Eject it before you disconnect it."
    expect(await endWith('d', { kind: 'done', summary: aSummary({ warnings }) })).toEqual({
      text: `ModularSystem.dmg → SanDisk Ultra: Restored and verified. ${undone}`,
      urgent: true,
    })
    expect(
      await endWith('e', { kind: 'cancelled', target: 'incomplete', percent: 43, warnings }),
    ).toMatchObject({ text: expect.stringMatching(new RegExp(`restore it again\\. ${undone}$`)) })
    expect(await endWith('b', { kind: 'cancelled', target: 'empty', percent: 43 })).toEqual({
      text: "ModularSystem.dmg → SanDisk Ultra: Stopped at 43 %. 'SanDisk Ultra' was erased: it is empty, valid and unmounted.",
      urgent: false,
    })
    const error = serializeError(new DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }))
    expect(await endWith('c', { kind: 'failed', error, target: 'empty' })).toBeNull()
  })

  it('says of work on an image that failed which it was, and why', async () => {
    using window = await openWindow()
    const job = anImageJob('verify', 'Old.dmg', { phase: 'verifying', percent: 4 })
    window.double.sendJob(job)
    await settle()
    const before = moment(window)
    const error = serializeError(new DeviceError('E_IO_READ', 'x', { details: { path: '/images/Old.dmg' } }))
    window.double.sendJob(ended(job, { kind: 'failed', error, target: 'untouched' }))
    await settle()
    const said = announcement(before, moment(window))
    expect(said?.urgent).toBe(true)
    expect(said?.text).toMatch(/^Old\.dmg: .*couldn't be read/)
  })

  it('tells of all that ends at once, also beside a failure that no alert tells of', async () => {
    using window = await openWindow()
    const running = ['a', 'b', 'c'].map((jobId) =>
      aJob(plan, { phase: 'restoring', percent: 43 }, { jobId, title: `${jobId}.dmg` }),
    )
    for (const job of running) window.double.sendJob(job)
    await settle()
    const before = moment(window)
    const [a, b, c] = running
    const error = serializeError(new DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }))
    const jobs = {
      a: ended(a!, { kind: 'done', summary: aSummary() }),
      b: ended(b!, { kind: 'cancelled', target: 'incomplete', percent: 43 }),
      c: ended(c!, { kind: 'failed', error, target: 'incomplete' }),
    }
    const now = { ...before, mirror: { ...before.mirror, jobs } }
    expect(announcement(before, now)).toEqual({
      text: expect.stringMatching(/^b\.dmg: Stopped at 43 %\. .+ a\.dmg: Restored and verified\.$/),
      urgent: true,
    })
    expect(announcement(before, now, 'panel-and-notices')).toEqual({
      text: expect.stringMatching(/^c\.dmg: 'SanDisk.+ b\.dmg: Stopped .+ a\.dmg: Restored and verified\.$/),
      urgent: true,
    })
  })

  it('interrupts for a failure that waits for another one to be read, which no alert tells', async () => {
    using window = await openWindow()
    const failNext = async (send: () => void) => {
      const before = moment(window)
      send()
      await settle()
      return announcement(before, moment(window))
    }
    const error = serializeError(new DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }))
    const failRestore = (jobId: string) => {
      const job = aJob(plan, { phase: 'restoring', percent: 43 }, { jobId })
      window.double.sendJob(job)
      window.double.sendJob(ended(job, { kind: 'failed', error, target: 'incomplete' }))
    }
    expect(await failNext(() => failRestore('a'))).toBeNull()
    for (let count = 0; count < 6; count += 1) {
      expect(await failNext(() => failRestore(`b${count}`))).toEqual({
        text: expect.stringMatching(
          /^ModularSystem\.dmg → SanDisk Ultra: 'SanDisk Ultra' couldn't be written\./,
        ),
        urgent: true,
      })
    }
    window.double.sendSessions([aSession()])
    await settle()
    expect(
      await failNext(() => window.double.sendSessions([aSession({ phase: 'failed', endedMs: 1 })])),
    ).toEqual({ text: 'ModularSystem: The stream failed.', urgent: true })
    const { actions, view } = window.reprise
    expect(await failNext(() => actions.closeFailure())).toBeNull()
    const verify = ended(anImageJob('verify', 'Old.dmg', { phase: 'verifying', percent: 4 }), {
      kind: 'failed',
      error,
      target: 'untouched',
    })
    const addVerify = () =>
      view.setState(({ failures }) => ({ failures: [...failures, { kind: 'worked', job: verify }] }))
    expect(await failNext(addVerify)).toBeNull()
  })

  it('interrupts once for what fails under a sheet, where no alert is heard', async () => {
    using window = await openWindow()
    const job = aJob(plan, { phase: 'restoring', percent: 43 }, { jobId: 'a' })
    window.double.sendJob(job)
    window.double.sendSessions([aSession()])
    await settle()
    const heard: (string | null)[] = []
    let last = moment(window)
    const look = () => {
      const before = last
      last = moment(window)
      const said = announcement(before, last, 'panel-and-notices')
      if (said !== null) heard.push(`${said.urgent ? 'urgent' : 'polite'}: ${said.text}`)
    }
    window.reprise.mirror.subscribe(look)
    window.reprise.view.subscribe(look)
    const error = serializeError(new DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }))
    window.double.sendJob(ended(job, { kind: 'failed', error, target: 'incomplete' }))
    window.double.sendSessions([aSession({ phase: 'failed', endedMs: 1 })])
    await settle()
    expect(window.reprise.view.getState().failures).toHaveLength(2)
    expect(heard).toEqual([
      expect.stringMatching(
        /^urgent: ModularSystem\.dmg → SanDisk Ultra: 'SanDisk Ultra' couldn't be written\./,
      ),
      'urgent: ModularSystem: The stream failed.',
    ])
  })

  it('tells under a sheet of all restores that fail at once', async () => {
    using window = await openWindow()
    const error = serializeError(new DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }))
    const jobs = ['a', 'b'].map((jobId) =>
      aJob(plan, { phase: 'restoring', percent: 43 }, { jobId, title: `${jobId}.dmg` }),
    )
    for (const job of jobs) window.double.sendJob(job)
    await settle()
    const before = moment(window)
    const failed = jobs.map((job) => ended(job, { kind: 'failed', error, target: 'incomplete' }))
    const now = {
      ...before,
      mirror: { ...before.mirror, jobs: Object.fromEntries(failed.map((job) => [job.jobId, job])) },
    }
    expect(announcement(before, now, 'panel-and-notices')?.text).toMatch(
      /b\.dmg: 'SanDisk.* a\.dmg: 'SanDisk/,
    )
  })

  it('tells under a sheet once of what a notice warns of', async () => {
    using window = await openWindow()
    const before = moment(window)
    window.reprise.view.setState({ notice: { kind: 'not-one-file' } })
    const now = moment(window)
    const words = 'One file at a time. Drop a single disk image on the well.'
    expect(announcement(before, now, 'panel-and-notices')).toEqual({ text: words, urgent: true })
    expect(announcement(now, moment(window), 'panel-and-notices')).toBeNull()
    expect(announcement(before, now)).toBeNull()
    const job = ended(aJob(plan, { phase: 'restoring', percent: 99 }), { kind: 'done', summary: aSummary() })
    for (const told of [{ kind: 'ejected', name: 'x' } as const, { kind: 'worked', job } as const]) {
      window.reprise.view.setState({ notice: told })
      expect(announcement(now, moment(window), 'panel-and-notices')).toBeNull()
    }
  })

  it('tells under the sidebar only of what fails in the panel, as the notices are heard', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    const error = serializeError(new DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }))
    const failNext = async (send: () => void) => {
      await settle()
      const before = moment(window)
      send()
      await settle()
      return announcement(before, moment(window), 'panel')?.text ?? null
    }
    const failRestore = (jobId: string) => {
      const job = aJob(plan, { phase: 'restoring', percent: 43 }, { jobId })
      window.double.sendJob(job)
      return failNext(() =>
        window.double.sendJob(ended(job, { kind: 'failed', error, target: 'incomplete' })),
      )
    }
    const failStream = () => {
      window.double.sendSessions([aSession()])
      return failNext(() => window.double.sendSessions([aSession({ phase: 'failed', endedMs: 1 })]))
    }
    const restoreWords = /^ModularSystem\.dmg → SanDisk Ultra: 'SanDisk Ultra' couldn't be written\./
    expect(await failStream()).toBeNull()
    // It waits until the first was read.
    expect(await failRestore('a')).toMatch(restoreWords)
    window.reprise.view.setState({ restoreJobId: 'b', tab: 'restore' })
    expect(await failRestore('b')).toMatch(restoreWords)
    actions.showSession(aSession().sessionId)
    expect(await failStream()).toBe('ModularSystem: The stream failed.')
  })

  it('tells under a sheet once that the host is gone, that it stays away, and that the engine is', async () => {
    using window = await openWindow()
    const heard = listenTo(window, 'panel-and-notices')
    const told = [listenTo(window, 'panel'), listenTo(window)]
    window.double.sendEngine('gone', 'E_ENGINE_GONE')
    await settle()
    window.double.lose({ refusing: true })
    for (let tries = 0; tries < 10; tries += 1) {
      await settle()
      window.clock.advance(4000)
    }
    expect(heard).toEqual([
      'The part of Reprise that does the work stopped. It is being started again.',
      'The connection to Reprise was lost. A running job goes on by itself. Connecting again…',
      expect.stringMatching(/^Reprise can't be reached\. If it still runs/),
    ])
    expect(told).toEqual([[], []])
  })

  it.each([
    ['panel', 1],
    ['panel-and-notices', 1],
    ['none', 0],
  ] as const)('tells that the source can’t be read, where %s is covered: %d times', async (cover, times) => {
    using window = await openWindow()
    const { actions } = window.reprise
    const gone = new DeviceError('E_SRC_GONE', 'x', { details: { path: systemImage.path } })
    window.double.answer('source.inspect', () => Promise.reject(gone))
    const heard = listenTo(window, cover)
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    expect(heard.filter((words) => words.startsWith("'ModularSystem.dmg' is gone."))).toHaveLength(times)
  })

  it.each([
    ['panel', 2],
    ['panel-and-notices', 2],
    ['none', 0],
  ] as const)(
    'tells that a stream can’t be started, and its network not be checked, where %s is covered: %d times',
    async (cover, times) => {
      using window = await openWindow()
      const { actions } = window.reprise
      window.double.interfaces = interfaces
      await actions.takeImage('stream', systemImage.path)
      await settle()
      const taken = new NetworkError('E_MC_PORT', 'taken', {
        details: { address: '', phase: 'start', port: 7800 },
      })
      window.double.answer('session.start', () => Promise.reject(taken))
      window.double.answer('multicast.check', () => Promise.reject(taken))
      const heard = listenTo(window, cover)
      await actions.startStream()
      await actions.checkNetwork()
      expect(heard.filter((words) => words.includes('7800'))).toHaveLength(times)
    },
  )

  it('tells of the wells, and of a wait for permission, while other work runs', async () => {
    using window = await readyWindow()
    window.double.sendJob(anImageJob('verify', 'Old.dmg', { phase: 'verifying', percent: 4 }))
    await settle()
    const before = moment(window)
    const starting = { plan: { ...plan, needsPrivilege: true }, stopping: false }
    expect(announcement(before, { ...before, view: { ...before.view, starting } })?.text).toBe(
      'Waiting for permission',
    )
    window.double.unplug('/dev/sdb')
    await settle()
    expect(announcement(before, moment(window))?.text).toBe('SanDisk Ultra was disconnected')
  })

  it('tells once that a start is stopped', async () => {
    using window = await readyWindow()
    window.double.answer('restore.start', () => new Promise(() => undefined))
    const { actions } = window.reprise
    const heard = listenTo(window)
    actions.openConfirm()
    void actions.confirmRestore(null)
    await settle()
    actions.stopStarting()
    actions.stopStarting()
    expect(heard).toEqual(['Waiting for permission', 'Stopping'])
  })

  it('leaves a disk that a running restore ejects to that restore', async () => {
    using window = await readyWindow()
    const { actions } = window.reprise
    actions.openConfirm()
    await actions.confirmRestore(null)
    const jobId = window.reprise.view.getState().restoreJobId!
    window.double.sendJob(aJob(plan, { phase: 'remounting', percent: 100 }, { jobId }))
    await settle()
    const before = moment(window)
    window.double.unplug('/dev/sdb')
    await settle()
    expect(announcement(before, moment(window))).toBeNull()
  })

  it('says when everything is ready, and not again while nothing else is', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestination('disk:/dev/sdb')
    actions.setOption('erase', true)
    const heard = listenTo(window)
    const ready = 'Ready to restore ModularSystem.dmg to SanDisk Ultra'
    await window.planned()
    expect(heard).toEqual([ready])
    // The plan is renewed by now.
    const asked = window.double.calls.filter(({ name }) => name === 'restore.plan').length
    window.clock.advance(8 * 60_000)
    await window.planned()
    expect(window.double.calls.filter(({ name }) => name === 'restore.plan').length).toBeGreaterThan(asked)
    expect(heard).toEqual([ready])
    actions.setOption('erase', false)
    await window.planned()
    actions.setOption('erase', true)
    await window.planned()
    expect(heard).toEqual([ready, ready])
  })

  it('does not say that everything is ready when the start is refused', async () => {
    using window = await readyWindow()
    const { actions } = window.reprise
    window.double.answer('restore.start', async () => {
      throw new DeviceError('E_DST_CHANGED', 'x', { details: { path: '/dev/sdb' } })
    })
    const heard = listenTo(window)
    actions.openConfirm()
    await actions.confirmRestore(null)
    expect(heard).toEqual(['Waiting for permission'])
    await window.planned()
    expect(heard).toEqual(['Waiting for permission'])
  })

  it('says why a restore is refused, and what to do, once for each reason and destination', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    let refusal: DeviceError | null = new DeviceError('E_DST_READONLY', 'x', {
      details: { path: '/dev/sdb' },
    })
    window.double.answer('restore.plan', async (request) => ({
      ...planFor({ ...request, erase: true }, window.double.devices, [systemImage]),
      refusal: refusal && serializeError(refusal),
    }))
    await actions.chooseSourceFile(systemImage.path)
    const heard = listenTo(window)
    actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    const locked = "'SanDisk Ultra' is write-protected. Check the lock switch on the card or its adapter."
    expect(heard).toEqual([locked])
    // It grows old, an option changes, the disk does: the answer is the same.
    window.clock.advance(8 * 60_000)
    await window.planned()
    actions.setOption('erase', true)
    await window.planned()
    window.double.setDevices(
      window.double.devices.map((disk) => (disk.path === '/dev/sdb' ? { ...disk, busy: true } : disk)),
    )
    await window.planned()
    expect(heard).toEqual([locked])
    refusal = new DeviceError('E_DST_BUSY', 'x', { details: { path: '/dev/sdb' } })
    actions.setOption('verify', false)
    await window.planned()
    const busy = "'SanDisk Ultra' is in use. Close what is using it and try again."
    expect(heard).toEqual([locked, busy])
    refusal = null
    actions.setOption('verify', true)
    await window.planned()
    expect(heard.at(-1)).toBe('Ready to restore ModularSystem.dmg to SanDisk Ultra')
  })

  it('leaves what is asked about later to that', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    await actions.chooseSourceFile(systemImage.path)
    const heard = listenTo(window)
    actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    expect(window.reprise.view.getState().plan).toMatchObject({
      plan: { refusal: { code: 'E_NEEDS_ERASE' } },
    })
    expect(heard).toEqual([])
  })

  it('says that the source needs a scan, not that all is ready', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    const unscanned = serializeError(
      new UsageError('E_SRC_NOSCAN', 'x', { details: { input: 'source', path: systemImage.path } }),
    )
    window.double.answer('restore.plan', async (request) => ({
      ...planFor(request, [sandisk], [systemImage]),
      refusal: request.verify ? unscanned : null,
    }))
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestination('disk:/dev/sdb')
    const heard = listenTo(window)
    await window.planned()
    actions.setOption('erase', true)
    await window.planned()
    actions.setOption('verify', false)
    await window.planned()
    const words = "ModularSystem.dmg needs a scan: without one the copy can't be verified."
    expect(heard).toEqual([words, words, 'Ready to restore ModularSystem.dmg to SanDisk Ultra'])
  })

  it('says when the destination is unplugged', async () => {
    using window = await readyWindow()
    const before = moment(window)
    window.double.unplug('/dev/sdb')
    await settle()
    expect(announcement(before, moment(window))?.text).toBe('SanDisk Ultra was disconnected')
  })
})

describe('what Check Network found', () => {
  it.each([
    ['that all is right', goodChecks, ['Network check: all right']],
    [
      'each line that is wrong',
      badChecks,
      [expect.stringMatching(/^Network check: Port: .+7800.+ Test packet: .+/)],
    ],
  ])('is said: %s', async (_, checks, words) => {
    using window = await openWindow()
    const { actions } = window.reprise
    window.double.interfaces = interfaces
    window.double.checks = checks
    actions.setTab('multicast')
    await actions.takeImage('stream', systemImage.path)
    await settle()
    const heard = listenTo(window)
    await actions.checkNetwork()
    expect(heard).toEqual(words)
    // Told once, whatever else is changed then.
    actions.setTab('restore')
    expect(heard).toEqual(words)
  })
})
