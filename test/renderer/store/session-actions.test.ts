import { describe, expect, it } from 'vitest'
import { aSession } from '#test/stream-fixtures'
import { openWindow, settle, type TestWindow } from '#test/ui-window'

const failed = aSession({ phase: 'failed', endedMs: 1 })
const noticeOf = ({ reprise }: TestWindow) => reprise.view.getState().notice

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
      expect(noticeOf(window)).toMatchObject({
        kind: 'stream-failed',
        session: { sessionId: failed.sessionId, phase: 'failed' },
      })
      // What was read and closed doesn't come back.
      window.reprise.actions.closeNotice()
      window.double.sendSessions([{ ...failed, endedMs: 2 }])
      await settle()
      expect(noticeOf(window)).toBeNull()
    }
  })

  it('that fails is not told of twice: where it is shown, or before the page was loaded', async () => {
    using shown = await openWindow()
    shown.reprise.actions.showSession(aSession().sessionId)
    await becomes(shown, failed)
    using later = await openWindow()
    later.double.sendSessions([failed])
    await settle()
    expect([shown, later].map(noticeOf)).toEqual([null, null])
  })

  it('that ends or is taken out is no trouble', async () => {
    using window = await openWindow()
    await becomes(window, { phase: 'ended' })
    window.double.sendSessions([])
    await settle()
    expect(noticeOf(window)).toBeNull()
  })
})
