import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError, UsageError } from '#shared/errors'
import type { JobOutcome } from '#shared/model'
import {
  aJob,
  aRequest,
  aSummary,
  ended,
  planFor,
  practiceDisk,
  practiceImage,
  sandisk,
  systemImage,
} from '#test/ui-fixtures'
import { canAskToRestore, canResetPractice, restoreBlock } from '#src/renderer/store/index.ts'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'

const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 43 })
const started = ({ double }: TestWindow) => double.calls.filter((call) => call.name === 'restore.start')
const failure = serializeError(
  new DeviceError('E_IO_WRITE', 'write failed', { details: { path: '/dev/sdb', errno: 'EIO' } }),
)

async function confirmed(): Promise<TestWindow> {
  const window = await readyWindow()
  window.reprise.actions.openConfirm()
  await window.reprise.actions.confirmRestore(null)
  window.double.sendJob(job)
  await settle()
  return window
}

describe('a restore', () => {
  it('cannot be confirmed before everything is there', async () => {
    using window = await openWindow()
    window.reprise.actions.openConfirm()
    expect(window.reprise.view.getState().sheet).toBeNull()
    await window.reprise.actions.confirmRestore(null)
    expect(started(window)).toEqual([])
  })

  it('starts the plan that was confirmed, with what was typed, once', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    const { plan } = view.getState()
    actions.openConfirm()
    await Promise.all([actions.confirmRestore('SanDisk Ultra'), actions.confirmRestore('SanDisk Ultra')])
    expect(plan.state === 'ready' && started(window)).toEqual([
      {
        name: 'restore.start',
        input: { planId: plan.state === 'ready' && plan.plan.planId, typed: 'SanDisk Ultra' },
      },
    ])
  })

  it('takes the tick back once it has started, and remembers the disk', async () => {
    using window = await confirmed()
    expect(window.reprise.view.getState()).toMatchObject({
      restoreJobId: 'job-1',
      options: { erase: false },
      sheet: null,
      starting: null,
    })
    expect(window.double.app.preferences.knownDisks).toEqual([sandisk.identity])
  })

  it('leaves the preferences as another window has changed them meanwhile', async () => {
    using window = await readyWindow()
    const { double, reprise } = window
    const { preferences } = double.app
    const theirs = { ...preferences, showInternalDisks: true, knownDisks: ['theirs'] }
    double.app = { ...double.app, preferences: theirs }
    reprise.actions.openConfirm()
    await reprise.actions.confirmRestore(null)
    reprise.actions.closeNetworkWarning()
    await settle()
    expect(double.app.preferences).toEqual({
      ...theirs,
      networkWarned: true,
      knownDisks: ['theirs', sandisk.identity],
    })
  })

  it('goes back to Ready without a word when the password prompt is dismissed', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.answer('restore.start', async () => {
      throw new DeviceError('E_AUTH_CANCEL', 'dismissed', { details: { path: '/dev/sdb' } })
    })
    actions.openConfirm()
    await actions.confirmRestore(null)
    await window.planned()
    expect(view.getState()).toMatchObject({
      notice: null,
      starting: null,
      destination: { name: 'SanDisk Ultra', state: 'ready' },
      plan: { state: 'ready' },
    })
  })

  it('says why it was not started, and plans anew', async () => {
    using window = await readyWindow()
    const { actions, mirror, view } = window.reprise
    const used = view.getState().plan
    window.double.answer('restore.start', async () => {
      throw new UsageError('E_NOT_CONFIRMED', 'expired', { details: { input: 'plan' } })
    })
    actions.openConfirm()
    // That it is ready is said once: of the new plan, not of the one that is used up.
    const ready = new Set<unknown>()
    const end = view.subscribe((now) => {
      if (!now.starting && restoreBlock(mirror.getState(), now) === null) ready.add(now.plan)
    })
    await actions.confirmRestore(null)
    await window.planned()
    end()
    expect([...ready]).toEqual([view.getState().plan])
    expect(view.getState().notice).toMatchObject({ kind: 'error', error: { code: 'E_NOT_CONFIRMED' } })
    expect(view.getState().plan).toMatchObject({ state: 'ready' })
    expect(view.getState().plan).not.toEqual(used)
    expect(view.getState()).toMatchObject({
      destination: { name: 'SanDisk Ultra', state: 'ready' },
      options: { erase: true },
    })
  })

  it.each([
    new DeviceError('E_DENIED', 'wrong password', { details: { path: 'pkexec' } }),
    new DeviceError('E_AUTH_NOAGENT', 'nobody to ask', { details: { path: 'pkexec' } }),
    new UsageError('E_UNSUPPORTED', 'not here', { details: { input: 'elevation', problem: 'x' } }),
  ])('leaves what was chosen where permission to write was not given: $code', async (error) => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.answer('restore.start', async () => {
      throw error
    })
    actions.openConfirm()
    await actions.confirmRestore(null)
    await window.planned()
    expect(view.getState()).toMatchObject({
      notice: { kind: 'error', error: { code: error.code } },
      destination: { name: 'SanDisk Ultra', state: 'ready' },
      options: { erase: true },
      plan: { state: 'ready' },
    })
  })

  it.each([
    new DeviceError('E_DENIED', 'no', { details: { path: '/dev/sdb' } }),
    new DeviceError('E_DST_CHANGED', 'another disk', { details: { path: '/dev/sdb' } }),
    new UsageError('E_DST_SMALL', 'small', { details: { input: 'target' } }),
  ])('has the disk chosen and ticked again when its start failed: $code', async (error) => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.answer('restore.start', async () => {
      throw error
    })
    actions.openConfirm()
    await actions.confirmRestore(null)
    await window.planned()
    expect(view.getState()).toMatchObject({
      notice: { kind: 'error', error: { code: error.code } },
      source: { name: 'ModularSystem.dmg' },
      destination: null,
      options: { erase: false },
      plan: { state: 'none' },
    })
  })

  it('is checked no more when its start failed after a long wait for permission', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    const start = Promise.withResolvers<never>()
    window.double.answer('restore.start', () => start.promise)
    actions.openConfirm()
    const confirming = actions.confirmRestore(null)
    await settle()
    window.clock.advance(8 * 60_000)
    start.reject(new DeviceError('E_DST_CHANGED', 'another disk', { details: { path: '/dev/sdb' } }))
    await confirming
    await window.planned()
    expect(view.getState()).toMatchObject({ destination: null, plan: { state: 'none' } })
  })

  it('leaves what was chosen while another one was to start', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.answer('restore.start', async () => {
      actions.chooseDestinationFile('/home/ann/copy.img')
      throw new DeviceError('E_DENIED', 'no', { details: { path: '/dev/sdb' } })
    })
    actions.openConfirm()
    await actions.confirmRestore(null)
    expect(view.getState()).toMatchObject({ destination: { locator: '/home/ann/copy.img' }, starting: null })
  })

  it('has only the tick made again when nobody knows whether it began', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.holdStart()
    actions.openConfirm()
    const confirmed = actions.confirmRestore(null)
    await settle()
    window.double.lose()
    await confirmed
    expect(view.getState()).toMatchObject({
      notice: { kind: 'error', error: { code: 'E_HOST_LOST' } },
      destination: { name: 'SanDisk Ultra', state: 'ready' },
      options: { erase: false },
    })
  })

  it('can be given up while permission is asked for', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.holdStart()
    actions.openConfirm()
    const confirming = actions.confirmRestore(null)
    await settle()
    actions.stopStarting()
    expect(view.getState().starting?.stopping).toBe(true)
    await confirming
    expect(view.getState()).toMatchObject({ starting: null, notice: null, restoreJobId: null })
  })

  it('is not asked about again while it starts', async () => {
    using window = await readyWindow()
    const { actions, mirror, view } = window.reprise
    const release = window.double.holdStart()
    actions.openConfirm()
    const confirming = actions.confirmRestore(null)
    await settle()
    expect(canAskToRestore(mirror.getState(), view.getState())).toBe(false)
    actions.openConfirm()
    expect(view.getState().sheet).toBeNull()
    release()
    await confirming
    expect(started(window)).toHaveLength(1)
  })

  it('is not asked about over another one that is shown, whose wells are not in sight', async () => {
    using window = await readyWindow()
    const { actions, mirror, view } = window.reprise
    window.double.sendJob(ended(job, { kind: 'done', summary: aSummary() }))
    await settle()
    actions.showJob('job-1')
    expect(canAskToRestore(mirror.getState(), view.getState())).toBe(false)
    actions.openConfirm()
    expect(view.getState().sheet).toBeNull()
  })

  it('is stopped all the same when Stop and the start crossed', async () => {
    using window = await readyWindow()
    const { actions } = window.reprise
    window.double.answer('restore.start', async (_, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      window.double.sendJob(job)
      return { jobId: 'job-1' }
    })
    actions.openConfirm()
    const confirming = actions.confirmRestore(null)
    await settle()
    actions.stopStarting()
    await confirming
    expect(window.double.calls).toContainEqual({ name: 'job.cancel', input: { jobId: 'job-1' } })
  })

  describe('tried again after a failure or a stop', () => {
    const tryAgain = async (window: TestWindow, outcome: JobOutcome) => {
      window.double.sendJob(ended(job, outcome))
      await settle()
      window.reprise.actions.startOver()
      await window.planned()
      return window.reprise.view.getState()
    }
    const stopped: JobOutcome = { kind: 'cancelled', target: 'empty', percent: 43 }

    it('keeps the disk after a stop, plans anew, and waits for the tick', async () => {
      using window = await confirmed()
      const asked = () => window.double.calls.filter((call) => call.name === 'restore.plan').length
      const before = asked()
      expect(await tryAgain(window, stopped)).toMatchObject({
        restoreJobId: null,
        source: { name: 'ModularSystem.dmg' },
        destination: { name: 'SanDisk Ultra', state: 'ready' },
        options: { erase: false },
      })
      expect(asked()).toBe(before + 1)
    })

    it('takes the source of the job that is shown, whatever was chosen since', async () => {
      using window = await confirmed()
      const { actions } = window.reprise
      actions.chooseSource('volume:/dev/sdc1')
      actions.showJob('job-1')
      expect(await tryAgain(window, stopped)).toMatchObject({
        source: { name: 'ModularSystem.dmg' },
        destination: { name: 'SanDisk Ultra' },
      })
    })

    it('asks for a disk again where another one lies at its place', async () => {
      using window = await confirmed()
      window.double.setDevices([{ ...sandisk, identity: 'usb:other:61505273856' }])
      await settle()
      expect((await tryAgain(window, stopped)).destination).toBeNull()
    })

    it('asks for a disk again that was away meanwhile', async () => {
      using window = await confirmed()
      window.double.unplug('/dev/sdb')
      window.double.plug(sandisk)
      await settle()
      expect((await tryAgain(window, stopped)).destination).toBeNull()
    })

    it('asks for the disk again after a failure', async () => {
      using window = await confirmed()
      const outcome = { kind: 'failed', error: failure, target: 'empty' } as const
      expect(await tryAgain(window, outcome)).toMatchObject({
        source: { name: 'ModularSystem.dmg' },
        destination: null,
      })
    })
  })

  it('leaves the source and asks for the destination again after it is done', async () => {
    using window = await confirmed()
    window.double.sendJob(ended(job, { kind: 'done', summary: aSummary() }))
    await settle()
    window.reprise.actions.startOver()
    expect(window.reprise.view.getState()).toMatchObject({
      restoreJobId: null,
      destination: null,
      source: { name: 'ModularSystem.dmg' },
    })
  })

  it('leaves a running job in Activity when something new is chosen', async () => {
    using window = await confirmed()
    window.reprise.actions.clearSource()
    expect(window.reprise.view.getState().restoreJobId).toBeNull()
    expect(window.reprise.mirror.getState().jobs['job-1']?.outcome).toBeNull()
    window.reprise.actions.showJob('job-1')
    expect(window.reprise.view.getState()).toMatchObject({ tab: 'restore', restoreJobId: 'job-1' })
  })

  it('does not take the disk of another restore over when something new is chosen', async () => {
    using window = await confirmed()
    window.reprise.actions.chooseSource('volume:/dev/sdc1')
    expect(window.reprise.view.getState()).toMatchObject({ restoreJobId: null, destination: null })
  })

  it('that fails in the background clears its disk from a restore that is being composed', async () => {
    using window = await confirmed()
    const { actions, view } = window.reprise
    actions.clearSource()
    actions.chooseDestination('volume:/dev/sdb2')
    expect(view.getState().destination).not.toBeNull()
    window.double.sendJob(ended(job, { kind: 'failed', error: failure, target: 'incomplete' }))
    await settle()
    expect(view.getState().destination).toBeNull()
  })

  it('that is done while another one is composed is told of', async () => {
    using window = await confirmed()
    const { actions, view } = window.reprise
    const outcome = { kind: 'done', summary: aSummary() } as const
    actions.clearSource()
    window.double.sendJob(ended(job, outcome))
    await settle()
    expect(view.getState().notice).toMatchObject({ kind: 'worked', job: { jobId: 'job-1', outcome } })
    // What was read and closed doesn't come back.
    actions.closeNotice()
    window.double.sendJob({ ...ended(job, outcome), endedMs: 2 })
    await settle()
    expect(view.getState()).toMatchObject({ notice: null, failures: [] })
  })

  it('that fails while another one is composed is told of until it was read, whatever comes meanwhile', async () => {
    using window = await confirmed()
    const { actions, view } = window.reprise
    const other = { ...job, jobId: 'another' }
    const failed: JobOutcome = { kind: 'failed', error: failure, target: 'incomplete' }
    actions.clearSource()
    window.double.sendJob(other)
    window.double.sendJob(ended(job, failed))
    window.double.sendJob(ended(other, { kind: 'done', summary: aSummary() }))
    await settle()
    await actions.eject('disk:/dev/sdc')
    expect(view.getState()).toMatchObject({
      notice: { kind: 'ejected' },
      failures: [{ kind: 'worked', job: { jobId: 'job-1', outcome: failed } }],
    })
    actions.closeFailure()
    window.double.sendJob({ ...ended(job, failed), endedMs: 2 })
    await settle()
    expect(view.getState().failures).toEqual([])
  })

  it('that fails after another one is told of when that was read', async () => {
    using window = await confirmed()
    const { actions, view } = window.reprise
    const failed: JobOutcome = { kind: 'failed', error: failure, target: 'incomplete' }
    actions.clearSource()
    for (let each = 1; each < 20; each += 1) {
      const next = { ...job, jobId: `job-${each}` }
      window.double.sendJob(next)
      window.double.sendJob(ended(next, failed))
    }
    await settle()
    const told = () => view.getState().failures.map((each) => each.kind === 'worked' && each.job.jobId)
    // Nobody closes as many as there may be; the one that is being read stays.
    expect(told()).toEqual(['job-1', 'job-16', 'job-17', 'job-18', 'job-19'])
    actions.closeFailure()
    expect(told()[0]).toBe('job-16')
  })

  it('that ends is told of where its tab is not in sight', async () => {
    using window = await confirmed()
    const { actions, view } = window.reprise
    actions.setTab('activity')
    window.double.sendJob(ended(job, { kind: 'failed', error: failure, target: 'incomplete' }))
    await settle()
    expect(view.getState().failures).toMatchObject([{ kind: 'worked', job: { jobId: 'job-1' } }])
  })

  it('that ends is not told of twice: where it is shown, where it was stopped, or before the page was loaded', async () => {
    using shown = await confirmed()
    shown.double.sendJob(ended(job, { kind: 'failed', error: failure, target: 'incomplete' }))
    using stopped = await confirmed()
    stopped.reprise.actions.clearSource()
    stopped.double.sendJob(ended(job, { kind: 'cancelled', target: 'incomplete', percent: 43 }))
    using later = await openWindow()
    later.double.sendJob(ended(job, { kind: 'done', summary: aSummary() }))
    await settle()
    for (const { reprise } of [shown, stopped, later])
      expect(reprise.view.getState()).toMatchObject({ notice: null, failures: [] })
  })

  it('that fails leaves the disk of another restore alone', async () => {
    using window = await confirmed()
    const { actions, view } = window.reprise
    actions.clearSource()
    actions.chooseDestination('disk:/dev/sdc')
    window.double.sendJob(ended(job, { kind: 'failed', error: failure, target: 'incomplete' }))
    await settle()
    expect(view.getState().destination?.name).toBe('Kingston DataTraveler')
  })

  it('is not planned again while it runs, and is after it ended', async () => {
    using window = await confirmed()
    const asked = () => window.double.calls.filter((call) => call.name === 'restore.plan').length
    const before = asked()
    window.double.setDevices([{ ...sandisk, busy: true }, practiceDisk])
    await window.planned()
    expect(asked()).toBe(before)
    window.double.setDevices([sandisk])
    await settle()
    window.reprise.actions.startOver()
    window.reprise.actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    expect(asked()).toBe(before + 1)
  })

  it('is left when so many jobs have ended since that it is forgotten', async () => {
    using window = await confirmed()
    const { reprise, double } = window
    const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring' })
    const outcome = { kind: 'done', summary: aSummary() } as const
    double.sendJob(ended(job, outcome))
    await settle()
    for (let index = 0; index < 100; index += 1) double.sendJob(ended({ ...job, jobId: `${index}` }, outcome))
    await settle()
    expect(reprise.view.getState().restoreJobId).toBeNull()
  })

  it('is left when the host was started anew and knows nothing of it', async () => {
    using window = await confirmed()
    window.double.answer('state.get', async () => ({
      devices: window.double.devices,
      jobs: [],
      sessions: [],
      streams: [],
      nowMs: 0,
    }))
    window.double.lose()
    await settle()
    window.clock.advance(250)
    await settle()
    expect(window.reprise.view.getState().restoreJobId).toBeNull()
  })

  it('shows that it is stopping as soon as the engine says so', async () => {
    using window = await confirmed()
    await window.reprise.actions.stop('job-1')
    expect(window.reprise.mirror.getState().jobs['job-1']?.stopping).toBe(true)
  })
})

describe('the practice restore', () => {
  describe('made as new', () => {
    const anew = {
      ...practiceDisk,
      identity: 'file practice anew',
      partitionMap: 'none' as const,
      volumes: [],
    }

    it('keeps the Practice disk chosen, unticked, and reads the Practice image again', async () => {
      using window = await openWindow()
      const { actions, view } = window.reprise
      actions.setUpPractice()
      await settle()
      actions.setOption('erase', true)
      actions.select(`disk:${practiceDisk.path}`)
      await window.planned()
      const image = { ...practiceImage, modifiedMs: practiceImage.modifiedMs + 1 }
      window.double.answer('practice.reset', async () => {
        window.double.images = [image]
        window.double.setDevices([sandisk, anew])
        return null
      })
      const states: unknown[] = []
      using ends = new DisposableStack()
      ends.defer(view.subscribe(({ destination }) => states.push(destination?.state)))
      await actions.resetPractice()
      await window.planned()
      expect(view.getState()).toMatchObject({
        source: { state: 'ready', info: { image } },
        destination: { state: 'ready', disk: anew },
        options: { erase: false },
        selected: `disk:${practiceDisk.path}`,
        plan: { state: 'ready', plan: { target: { disk: anew } } },
      })
      expect(new Set(states)).toEqual(new Set(['ready']))
    })

    it('makes a new plan of the Practice image for another disk', async () => {
      using window = await openWindow()
      await window.reprise.actions.chooseSourceFile(practiceImage.path)
      window.reprise.actions.chooseDestination('disk:/dev/sdb')
      await window.planned()
      await window.reprise.actions.resetPractice()
      await window.planned()
      expect(window.double.calls.filter(({ name }) => name === 'restore.plan')).toHaveLength(2)
    })

    it('is not offered while a job uses one of them', async () => {
      using window = await openWindow()
      const { mirror } = window.reprise
      expect(canResetPractice(mirror.getState())).toBe(true)
      window.double.setDevices([sandisk, { ...practiceDisk, busy: true }])
      await settle()
      expect(canResetPractice(mirror.getState())).toBe(false)
      window.double.setDevices([sandisk, practiceDisk])
      const reading = { ...job, source: practiceImage.path }
      window.double.sendJob(reading)
      await settle()
      expect(canResetPractice(mirror.getState())).toBe(false)
      window.double.sendJob(ended(reading, { kind: 'cancelled', target: 'untouched', percent: null }))
      await settle()
      expect(canResetPractice(mirror.getState())).toBe(true)
    })
  })

  it('fills both wells, leaves the tick to the person, and is not offered again', async () => {
    using window = await openWindow()
    window.reprise.actions.setUpPractice()
    await settle()
    expect(window.reprise.view.getState()).toMatchObject({
      source: { locator: practiceImage.path, state: 'ready' },
      destination: { locator: practiceDisk.path, name: 'Practice disk' },
      options: { erase: false },
    })
    expect(window.double.app.preferences.practiceOffered).toBe(true)
  })
})
