import { describe, expect, it } from 'vitest'
import { NetworkError, serializeError } from '#shared/errors'
import { describeFetchReason } from '#shared/words'
import { announcement } from '#src/renderer/app/announcements.ts'
import { jobLine } from '#src/renderer/features/activity/text.ts'
import { statusText } from '#src/renderer/app/status-text.ts'
import { phaseNote, sourceFacts } from '#src/renderer/features/restore/text.ts'
import { fetchPercent, jobFetch, shownFetch, sourceFetch } from '#src/renderer/store/index.ts'
import { aJob, anImageJob, aRequest, planFor, sandisk, webImage } from '#test/ui-fixtures'
import { openWindow, settle, type TestWindow } from '#test/ui-window'

const fetch = {
  kind: 'coming' as const,
  locator: 'https://images.example/labs/ModularSystem.dmg',
  doneBytes: 43e6,
  sizeBytes: 120e6,
}
const awaited = {
  kind: 'awaited' as const,
  locator: fetch.locator,
  trouble: serializeError(
    new NetworkError('E_NET', 'refused', {
      details: { address: fetch.locator, host: 'images.example', phase: 'connect', errno: 'ECONNREFUSED' },
    }),
  ),
}
const states = ({ reprise }: TestWindow) => [reprise.mirror.getState(), reprise.view.getState()] as const

/** The source is asked for and not answered; `signals` are those of the requests. */
async function reading(address: string = webImage.path) {
  const window = await openWindow()
  const signals: AbortSignal[] = []
  window.double.answer('source.inspect', (_, signal) => {
    signals.push(signal)
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  })
  window.reprise.actions.openUrl(address)
  await settle()
  return { window, signals }
}

describe('an image that is fetched as a whole before anything is known of it', () => {
  it('says how far it is, in the well and in the status bar', async () => {
    const { window } = await reading()
    using _ = window
    const { source } = window.reprise.view.getState()
    expect(shownFetch(...states(window))).toBeNull()
    window.double.sendFetches([{ ...fetch, locator: 'https://images.example/other.dmg' }, fetch])
    await settle()
    expect(source && sourceFacts(source, sourceFetch(...states(window)))).toBe(
      'Fetching image: 43 MB of 120 MB',
    )
    expect(statusText(...states(window))).toEqual({ text: 'Fetching ModularSystem.dmg', icon: 'busy' })
    expect(fetchPercent(fetch)).toBe(35)
    expect(fetchPercent({ ...fetch, sizeBytes: null })).toBeNull()
    window.double.sendFetches([])
    await settle()
    expect(statusText(...states(window)).text).toBe('Reading image…')
  })

  it('is known however its address is written', async () => {
    const { window } = await reading('https://ann:hush@IMAGES.example:443/labs/ModularSystem.dmg#top')
    using _ = window
    window.double.sendFetches([fetch])
    await settle()
    expect(sourceFetch(...states(window))).toEqual(fetch)
  })

  it.each([
    ['cleared', ({ reprise }: TestWindow) => reprise.actions.clearSource()],
    ['replaced', ({ reprise }: TestWindow) => reprise.actions.chooseSource('disk:/dev/sdb')],
  ])('is no longer fetched when the source is %s', async (_, leave) => {
    const { window, signals } = await reading()
    using __ = window
    window.double.sendFetches([fetch])
    await settle()
    leave(window)
    await settle()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(window.reprise.view.getState().source?.state ?? null).not.toBe('failed')
    expect(sourceFetch(...states(window))).toBeNull()
  })

  it('shows while a restore of it begins, and while a job needs it', async () => {
    using window = await openWindow()
    window.double.sendFetches([fetch])
    const plan = planFor(aRequest({ source: webImage.path }), [sandisk], [webImage])
    await settle()
    expect(shownFetch(...states(window))).toBeNull()
    window.reprise.view.setState({ starting: { plan, stopping: false } })
    expect(shownFetch(...states(window))).toEqual(fetch)
    window.reprise.view.setState({ starting: null })
    const job = anImageJob('verify', webImage.name, { phase: 'validating-source', percent: 0 })
    window.double.sendJob({ ...job, source: webImage.path })
    await settle()
    expect(shownFetch(...states(window))).toEqual(fetch)
    expect(statusText(...states(window)).text).toBe('Fetching ModularSystem.dmg')
  })

  it('says how far a job has fetched it, where its phase is shown', async () => {
    using window = await openWindow()
    window.double.sendFetches([fetch])
    const job = {
      ...anImageJob('verify', webImage.name, { phase: 'validating-source', percent: 0 }),
      source: webImage.path,
    }
    window.double.sendJob(job)
    await settle()
    const shown = jobFetch(window.reprise.mirror.getState(), job)
    expect(jobLine(job, shown)).toBe('Fetching image: 43 MB of 120 MB · 35 %')
    const current = job.phases.find(({ state }) => state === 'current')!
    expect(phaseNote(current, job, shown)).toBe('35 %')
    expect(phaseNote({ ...current, state: 'pending' }, job, shown)).toBe('')
  })
})

describe('an image on a server that is away', () => {
  it('says that it is tried again and why, in the well, the status bar and to a screen reader', async () => {
    const { window, signals } = await reading()
    using _ = window
    const [mirror, view] = states(window)
    const before = { mirror, view }
    window.double.sendFetches([awaited])
    await settle()
    const { source } = window.reprise.view.getState()
    const shown = sourceFetch(...states(window))
    expect(source && sourceFacts(source, shown)).toBe('Waiting for the server…')
    const why = 'The network connection to images.example failed. Nobody answers at that port. Trying again.'
    expect(shown && describeFetchReason(shown)).toBe(why)
    expect(statusText(...states(window))).toEqual({ text: 'Waiting for the server…', icon: 'busy' })
    const [nowMirror, nowView] = states(window)
    const now = { mirror: nowMirror, view: nowView }
    expect(announcement(before, now)).toEqual({ text: why, urgent: false })
    expect(announcement(now, now)).toBeNull()
    window.reprise.actions.clearSource()
    await settle()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(statusText(...states(window)).text).not.toContain('Waiting')
  })

  it('is told of a job too, whose percents stay as they were', async () => {
    using window = await openWindow()
    const plan = planFor(aRequest({ source: webImage.path }), [sandisk], [webImage])
    const job = aJob(plan, { phase: 'restoring', percent: 43 })
    window.double.sendJob(job)
    window.double.sendFetches([awaited])
    await settle()
    const shown = jobFetch(window.reprise.mirror.getState(), job)
    expect(shown).toEqual(awaited)
    expect(jobLine(job, shown)).toContain('Nobody answers at that port. Trying again.')
    const current = job.phases.find(({ state }) => state === 'current')!
    expect(phaseNote(current, job, shown)).toBe('43 %')
    expect(
      jobFetch(window.reprise.mirror.getState(), {
        ...job,
        outcome: { kind: 'cancelled', target: 'empty', percent: 43 },
      }),
    ).toBeNull()
  })
})
