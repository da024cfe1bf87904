import { describe, expect, it } from 'vitest'
import { statusText } from '#src/renderer/app/status-text.ts'
import { iconPercent, pageTitle } from '#src/renderer/app/page-title.ts'
import { DeviceError, serializeError } from '#shared/errors'
import { aJob, anImageJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { aClient, aSession, withStream } from '#test/stream-fixtures'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'

const plan = planFor(aRequest(), [sandisk], [systemImage])
const status = ({ reprise }: TestWindow) => statusText(reprise.mirror.getState(), reprise.view.getState())
const title = ({ reprise }: TestWindow) => pageTitle(reprise.mirror.getState(), reprise.view.getState())
const picture = ({ reprise }: TestWindow) => iconPercent(reprise.mirror.getState(), reprise.view.getState())

describe('the status line and the title', () => {
  it('count the disks while nothing is going on', async () => {
    using window = await openWindow()
    expect(status(window)).toEqual({ text: '4 disks', icon: null })
    expect(title(window)).toBe('Reprise')
  })

  it('say Ready', async () => {
    using window = await readyWindow()
    expect(status(window)).toEqual({ text: 'Ready', icon: 'ok' })
  })

  it('tell what limits the speed, and the percent in the title', async () => {
    using window = await openWindow()
    window.double.sendJob(aJob(plan, { phase: 'restoring', percent: 43 }))
    await settle()
    expect(status(window)).toEqual({ text: 'Restoring – limited by destination speed', icon: 'busy' })
    expect(title(window)).toBe('43 % – Restoring – Reprise')
  })

  it('tell who is waited for when nothing moves any more', async () => {
    using window = await openWindow()
    const job = aJob(plan, { phase: 'restoring', percent: 43 })
    const stall = { silentMs: 60_000, awaited: 'destination' } as const
    window.double.sendJob({ ...job, progress: job.progress && { ...job.progress, stall } })
    await settle()
    expect(status(window)).toEqual({ text: "Waiting for 'SanDisk Ultra' to answer", icon: 'busy' })
  })

  it('tell the end as the engine told it', async () => {
    using window = await openWindow()
    const job = aJob(plan, { phase: 'remounting' })
    window.double.sendJob(ended(job, { kind: 'done', summary: aSummary({ verified: false }) }))
    await settle()
    window.reprise.actions.showJob('job-1')
    expect(status(window)).toEqual({ text: 'Restored, not verified', icon: 'done' })
    expect(title(window)).toBe('Done – Reprise')
  })

  it('say that a dropped file is looked for', async () => {
    using window = await openWindow()
    window.double.answer('files.locate', () => new Promise(() => undefined))
    const slice = () => ({ arrayBuffer: async () => new ArrayBuffer(0) })
    void window.reprise.actions.dropFiles('source', [{ name: 'Lab.dmg', size: 1, lastModified: 1, slice }])
    await settle()
    expect(status(window)).toEqual({ text: "Looking for 'Lab.dmg'…", icon: 'busy' })
  })

  it.each([
    [{ phase: 'preparing' }, "Preparing 'ModularSystem'", 'Preparing – ModularSystem – Reprise'],
    [
      { phase: 'waiting' },
      "'ModularSystem' waits for computers: 0 joined",
      'Waiting – ModularSystem – Reprise',
    ],
    [
      { clients: [aClient({ host: 'a', state: 'done' }), aClient({ host: 'b' })] },
      "Streaming 'ModularSystem': 1 of 2 computers done",
      '1 of 2 done – ModularSystem – Reprise',
    ],
    [
      { phase: 'quiet', startedMs: null, clients: [aClient({ host: 'a', state: 'missing' })] },
      "Starting 'ModularSystem': 1 joined",
      'Starting – ModularSystem – Reprise',
    ],
  ] as const)('tell of a stream: %j', async (change, words, titled) => {
    using window = await openWindow()
    window.double.sendSessions([aSession(change)])
    await settle()
    expect(status(window)).toEqual({ text: words, icon: 'busy' })
    expect(title(window)).toBe(titled)
  })

  it('tell of a stream that ended no more, and of several by their number', async () => {
    using window = await openWindow()
    window.double.sendSessions([aSession({ phase: 'ended' })])
    await settle()
    expect(status(window).text).toBe('4 disks')
    window.double.sendSessions([aSession(), aSession({ sessionId: 'b' })])
    await settle()
    expect(status(window).text).toBe('2 streams run')
  })

  it('tell how a restore ended where it is shown, though a stream goes on', async () => {
    using window = await openWindow()
    window.double.sendSessions([aSession()])
    const job = aJob(plan, { phase: 'remounting' })
    window.double.sendJob(ended(job, { kind: 'done', summary: aSummary({}) }))
    await settle()
    window.reprise.actions.showJob('job-1')
    expect(status(window).text).toBe('Restored and verified')
    window.reprise.actions.setTab('multicast')
    expect(status(window).text).toContain('Streaming')
  })

  it('say that a restore waits for its stream', async () => {
    using window = await openWindow()
    const waiting = { joined: 1, wanted: 2, startsInMs: null }
    const job = aJob(plan, { phase: 'restoring', percent: 0 })
    window.double.sendJob(withStream(job, { state: 'waiting', waiting }))
    await settle()
    expect(status(window).text).toBe('Waiting for the stream to start')
  })

  it('say that the host is gone, and not how far it was before', async () => {
    using window = await openWindow()
    window.double.sendJob(aJob(plan, { phase: 'restoring', percent: 43 }))
    await settle()
    expect(picture(window)).toBe(40)
    window.double.lose({ refusing: true })
    await settle()
    expect(status(window)).toEqual({ text: 'Connecting again…', icon: 'busy' })
    expect(title(window)).toBe('Connecting again… – Reprise')
    expect(picture(window)).toBeNull()
  })

  it('have work in the title that failed or was done out of sight, until that was read', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const verify = anImageJob('verify', 'Old.dmg', { phase: 'verifying', percent: 4 }, { jobId: 'verify' })
    view.setState({ startedWork: ['verify'] })
    window.double.sendJob(verify)
    const error = serializeError(new DeviceError('E_IO_READ', 'x', { details: { path: '/images/Old.dmg' } }))
    window.double.sendJob(ended(verify, { kind: 'failed', error, target: 'untouched' }))
    await settle()
    expect(title(window)).toBe('Failed – Old.dmg – Reprise')
    const restore = aJob(plan, { phase: 'restoring', percent: 99 }, { jobId: 'restore' })
    window.double.sendJob(restore)
    await settle()
    expect(title(window)).toBe('99 % – Restoring – Reprise')
    window.double.sendJob(ended(restore, { kind: 'done', summary: aSummary() }))
    await settle()
    expect(title(window)).toBe('Failed – Old.dmg – Reprise')
    actions.closeFailure()
    expect(title(window)).toBe('Done – ModularSystem.dmg → SanDisk Ultra – Reprise')
    actions.closeNotice()
    expect(title(window)).toBe('Reprise')
  })

  it('name in the title what was done last: other work, or the restore in sight', async () => {
    using window = await openWindow()
    const done = (jobId: string, startedMs: number) => {
      const restore = aJob(plan, { phase: 'restoring', percent: 99 }, { jobId, startedMs })
      window.double.sendJob(restore)
      window.double.sendJob(ended(restore, { kind: 'done', summary: aSummary() }))
      return settle()
    }
    await done('aside', 2000)
    expect(title(window)).toBe('Done – ModularSystem.dmg → SanDisk Ultra – Reprise')
    window.reprise.view.setState({ restoreJobId: 'shown' })
    await done('shown', 3000)
    expect(title(window)).toBe('Done – Reprise')
    await done('aside again', 4000)
    expect(title(window)).toBe('Done – ModularSystem.dmg → SanDisk Ultra – Reprise')
  })

  it('say that a restore is stopped which still waits for permission', async () => {
    using window = await readyWindow()
    window.double.answer('restore.start', () => new Promise(() => undefined))
    const { actions } = window.reprise
    actions.openConfirm()
    void actions.confirmRestore(null)
    await settle()
    expect(status(window).text).toBe('Waiting for permission…')
    actions.stopStarting()
    expect(status(window)).toEqual({ text: 'Stopping…', icon: 'busy' })
  })

  it('have a stream that failed in the title, until it was read', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    window.double.sendSessions([aSession()])
    await settle()
    window.double.sendSessions([aSession({ phase: 'failed' })])
    await settle()
    expect(title(window)).toBe('Failed – ModularSystem – Reprise')
    actions.closeFailure()
    expect(title(window)).toBe('Reprise')
    actions.showSession(aSession().sessionId)
    expect(title(window)).toBe('Failed – ModularSystem – Reprise')
    actions.setTab('restore')
    expect(title(window)).toBe('Reprise')
  })

  const error = serializeError(new DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }))
  const failure = { kind: 'failed', error, target: 'incomplete' } as const

  it('have a restore in the title that fails out of sight while a stream runs', async () => {
    using window = await openWindow()
    window.double.sendSessions([aSession()])
    const restore = aJob(plan, { phase: 'restoring', percent: 99 })
    window.double.sendJob(restore)
    window.double.sendJob(ended(restore, failure))
    await settle()
    expect(title(window)).toBe('Failed – ModularSystem.dmg → SanDisk Ultra – Reprise')
    window.reprise.actions.closeFailure()
    expect(title(window)).toBe('Streaming – ModularSystem – Reprise')
  })

  it('have how a restore ended in the title where it is shown, though a stream runs', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    window.double.sendSessions([aSession()])
    window.double.sendJob(ended(aJob(plan, { phase: 'restoring', percent: 99 }), failure))
    await settle()
    actions.showJob('job-1')
    expect(title(window)).toBe('Failed – Reprise')
    actions.setTab('multicast')
    expect(title(window)).toBe('Streaming – ModularSystem – Reprise')
  })

  it('have in the title what was done since a stream rests, and the stream that is at work before the one that rests', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    const done = aClient({ host: 'a', state: 'done' })
    const resting = aSession({ phase: 'quiet', clients: [done] })
    window.double.sendSessions([resting])
    await settle()
    expect(title(window)).toBe('1 of 1 done – ModularSystem – Reprise')
    const restore = aJob(plan, { phase: 'restoring', percent: 99 })
    window.double.sendJob(restore)
    window.double.sendJob(ended(restore, { kind: 'done', summary: aSummary() }))
    await settle()
    expect(title(window)).toBe('Done – ModularSystem.dmg → SanDisk Ultra – Reprise')
    actions.closeNotice()
    expect(title(window)).toBe('1 of 1 done – ModularSystem – Reprise')
    const { settings } = aSession()
    window.double.sendSessions([
      resting,
      aSession({ sessionId: 'b', settings: { ...settings, name: 'Lab' } }),
    ])
    await settle()
    expect(title(window)).toBe('Streaming – Lab – Reprise')
  })

  it('have in the title a stream that starts before what was done and the stream that rests', async () => {
    using window = await openWindow()
    const restore = aJob(plan, { phase: 'restoring', percent: 99 })
    window.double.sendJob(restore)
    window.double.sendJob(ended(restore, { kind: 'done', summary: aSummary() }))
    const starting = aSession({
      sessionId: 'b',
      settings: { ...aSession().settings, name: 'Lab' },
      phase: 'quiet',
      startedMs: null,
      clients: [aClient({ host: 'b', state: 'missing' })],
    })
    window.double.sendSessions([aSession({ phase: 'quiet' }), starting])
    await settle()
    expect(title(window)).toBe('Starting – Lab – Reprise')
  })

  it('name in the title what was done after a failure that was read', async () => {
    using window = await openWindow()
    const { view } = window.reprise
    view.setState({ restoreJobId: 'shown' })
    window.double.sendJob(
      ended(aJob(plan, { phase: 'restoring', percent: 9 }, { jobId: 'shown', startedMs: 2000 }), failure),
    )
    await settle()
    expect(title(window)).toBe('Failed – Reprise')
    const aside = aJob(plan, { phase: 'restoring', percent: 99 }, { jobId: 'aside', startedMs: 3000 })
    window.double.sendJob(aside)
    window.double.sendJob(ended(aside, { kind: 'done', summary: aSummary() }))
    await settle()
    expect(title(window)).toBe('Done – ModularSystem.dmg → SanDisk Ultra – Reprise')
    // A stream in its own panel, which failed last.
    window.double.sendSessions([aSession()])
    window.reprise.actions.showSession(aSession().sessionId)
    await settle()
    window.double.sendSessions([aSession({ phase: 'failed', endedMs: Date.now() + 1e9 })])
    await settle()
    expect(title(window)).toBe('Failed – ModularSystem – Reprise')
  })
})
