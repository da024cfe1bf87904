import { describe, expect, it } from 'vitest'
import { statusText } from '#src/renderer/app/status-text.ts'
import { pageTitle } from '#src/renderer/app/page-title.ts'
import { aJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'

const plan = planFor(aRequest(), [sandisk], [systemImage])
const status = ({ reprise }: TestWindow) => statusText(reprise.mirror.getState(), reprise.view.getState())
const title = ({ reprise }: TestWindow) => pageTitle(reprise.mirror.getState(), reprise.view.getState())

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

  it('tell the end as the engine told it', async () => {
    using window = await openWindow()
    const job = aJob(plan, { phase: 'remounting' })
    window.double.sendJob(ended(job, { kind: 'done', summary: aSummary({ verified: false }) }))
    await settle()
    window.reprise.actions.showJob('job-1')
    expect(status(window)).toEqual({ text: 'Restored, not verified', icon: 'done' })
    expect(title(window)).toBe('Done – Reprise')
  })

  it('say that the host is gone', async () => {
    using window = await openWindow()
    window.double.lose({ refusing: true })
    await settle()
    expect(status(window)).toEqual({ text: 'Connecting again…', icon: 'busy' })
  })
})
