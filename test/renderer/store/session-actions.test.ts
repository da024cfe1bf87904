import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import { aClient, aSession } from '#test/stream-fixtures'
import { aJob, aRequest, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { openWindow, settle, type TestWindow } from '#test/ui-window'

const failed = aSession({ phase: 'failed', endedMs: 1 })
const restore = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 43 })
const failedRestore = ended(restore, {
  kind: 'failed',
  error: serializeError(new DeviceError('E_IO_WRITE', 'write failed', { details: { path: '/dev/sdb' } })),
  target: 'incomplete',
})
const failuresOf = ({ reprise }: TestWindow) => reprise.view.getState().failures

/** The stream runs, then it is as `now`. */
async function becomes(window: TestWindow, now: Parameters<typeof aSession>[0]) {
  window.double.sendSessions([aSession()])
  await settle()
  window.double.sendSessions([aSession(now)])
  await settle()
}

describe('a stream', () => {
  it('that fails is told of where another tab is in sight, or another stream', async () => {
    for (const look of [
      ({ reprise }: TestWindow) => reprise.actions.setTab('restore'),
      ({ reprise }: TestWindow) => reprise.actions.setTab('activity'),
      ({ reprise }: TestWindow) => reprise.actions.newStream(),
      ({ reprise }: TestWindow) => reprise.actions.showSession('another'),
    ]) {
      using window = await openWindow()
      window.reprise.actions.showSession(aSession().sessionId)
      look(window)
      await becomes(window, failed)
      expect(failuresOf(window)).toMatchObject([
        { kind: 'stream-failed', sessions: [{ sessionId: failed.sessionId, phase: 'failed' }] },
      ])
      // What was read and closed doesn't come back.
      window.reprise.actions.closeFailure()
      window.double.sendSessions([{ ...failed, endedMs: 2 }])
      await settle()
      expect(failuresOf(window)).toEqual([])
    }
  })

  it('that fails is not told of twice: where it is shown, or before the page was loaded', async () => {
    using shown = await openWindow()
    shown.reprise.actions.showSession(aSession().sessionId)
    await becomes(shown, failed)
    using later = await openWindow()
    later.double.sendSessions([failed])
    await settle()
    expect([shown, later].map(failuresOf)).toEqual([[], []])
  })

  it('that fails is told of when it was read how a restore failed', async () => {
    using window = await openWindow()
    window.double.sendJob(restore)
    await settle()
    window.double.sendJob(failedRestore)
    await becomes(window, failed)
    expect(failuresOf(window)[0]).toMatchObject({ kind: 'worked', job: { jobId: restore.jobId } })
    window.reprise.actions.closeFailure()
    expect(failuresOf(window)).toMatchObject([{ kind: 'stream-failed' }])
  })

  it('that fails with others is told of with them', async () => {
    using window = await openWindow()
    const other = aSession({ sessionId: 'another' })
    window.double.sendSessions([aSession(), other])
    await settle()
    window.double.sendSessions([failed, { ...other, phase: 'failed', endedMs: 1 }])
    await settle()
    expect(failuresOf(window)).toMatchObject([
      { sessions: [{ sessionId: failed.sessionId }, { sessionId: 'another' }] },
    ])
  })

  it('that fails with others for a reason of its own is told of apart', async () => {
    using window = await openWindow()
    const gone = (path: string) =>
      serializeError(new DeviceError('E_SRC_GONE', 'gone', { details: { path } }))
    const streams = ['a.dmg', 'b.dmg', 'a.dmg'].map((imageName, index) =>
      aSession({ sessionId: `${index}`, imageName, error: gone(`/media/ann/KINGSTON/${imageName}`) }),
    )
    window.double.sendSessions(streams.map((stream) => ({ ...stream, error: null })))
    await settle()
    window.double.sendSessions(streams.map((stream) => ({ ...stream, phase: 'failed', endedMs: 1 })))
    await settle()
    expect(failuresOf(window)).toMatchObject([
      { sessions: [{ sessionId: '0' }, { sessionId: '2' }] },
      { sessions: [{ sessionId: '1' }] },
    ])
  })

  it('that ends or is taken out is no trouble', async () => {
    using window = await openWindow()
    await becomes(window, { phase: 'ended' })
    window.double.sendSessions([])
    await settle()
    expect(failuresOf(window)).toEqual([])
  })
})

describe('a stream that is shown', () => {
  it('is so no longer when another window took it out of the list', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const session = aSession({ phase: 'ended' })
    window.double.sendSessions([session])
    await settle()
    actions.showSession(session.sessionId)
    expect(view.getState().server.shown).toBe(session.sessionId)
    window.double.sendSessions([])
    await settle()
    expect(view.getState().server.shown).toBeNull()
  })
})

describe('a client', () => {
  const { sessionId } = aSession()
  const client = aClient({ host: 'lab-04' })
  const disconnects = ({ double }: TestWindow) =>
    double.calls.filter(({ name }) => name === 'session.disconnect').map(({ input }) => input)

  it('is disconnected only after a second yes', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    window.double.sendSessions([aSession({ clients: [client] })])
    await settle()
    actions.askDisconnect(sessionId, client.clientId)
    await settle()
    expect(view.getState().sheet).toMatchObject({ kind: 'disconnect-client', clientId: client.clientId })
    actions.closeSheet()
    await actions.disconnectClient()
    expect(disconnects(window)).toEqual([])
    actions.askDisconnect(sessionId, client.clientId)
    await actions.disconnectClient()
    expect(disconnects(window)).toEqual([{ sessionId, clientId: client.clientId }])
    expect(view.getState().sheet).toBeNull()
  })
})

describe('what became of a client', () => {
  it('is asked of the engine, and is nothing where that doesn’t know any more', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    const change = { atMs: 1, state: 'joined', standing: 'well', lossPercent: 0 } as const
    window.double.answer('session.clientLog', async () => [change])
    expect(await actions.clientLog('a', 'b')).toEqual([change])
    window.double.answer('session.clientLog', () => Promise.reject(new Error('no such session')))
    expect(await actions.clientLog('a', 'b')).toEqual([])
  })
})
