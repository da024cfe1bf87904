import { describe, expect, it } from 'vitest'
import { FormatError, serializeError } from '#shared/errors'
import type { JobState } from '#shared/model'
import { aJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'
import { restoreBlock, sourceProblem } from '#src/renderer/store/index.ts'

/** What finds it deep inside knows no path. */
const damage = (path: string | null) =>
  serializeError(
    new FormatError('E_SRC_CORRUPT', 'wrong', {
      details: {
        format: 'udif',
        field: 'checksum',
        offset: 0,
        table: 'Apple_HFS : 2',
        ...(path === null ? {} : { path }),
      },
    }),
  )
const restore = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 4 })
const verify: JobState = {
  ...restore,
  jobId: 'verify-1',
  kind: 'verify-image',
  plan: null,
  title: systemImage.name,
  startedMs: systemImage.modifiedMs + 1000,
}
const found = (job: JobState, path: string | null = systemImage.path) =>
  ended(job, { kind: 'failed', error: damage(path), target: 'untouched' })
const wrongChecksum = serializeError(
  new FormatError('E_SRC_CORRUPT', 'wrong', {
    details: { format: 'sha256', field: 'SHA-256', offset: 0, path: systemImage.path },
  }),
)
const checksummed = (job: JobState) =>
  ended(job, {
    kind: 'checksummed',
    checksums: {
      path: systemImage.path,
      added: [],
      besides: `${systemImage.path}.sha256`,
      signatureRemoved: false,
      durationMs: 1,
    },
  })
const right = (job: JobState) =>
  ended(job, {
    kind: 'checked',
    verification: { checked: [], nothingToCheck: false, expandedBytes: 1, durationMs: 1 },
  })

const problem = ({ reprise }: TestWindow) =>
  sourceProblem(reprise.mirror.getState(), reprise.view.getState())?.code ?? null
const send = async (window: TestWindow, ...jobs: readonly JobState[]) => {
  for (const job of jobs) window.double.sendJob(job)
  await settle()
}

describe('an image that was found damaged', () => {
  it('by a verify can not be restored', async () => {
    using window = await readyWindow()
    await send(window, found(verify))
    const { mirror, view } = window.reprise
    expect(restoreBlock(mirror.getState(), view.getState())).toMatchObject({
      kind: 'source-failed',
      error: { code: 'E_SRC_CORRUPT' },
    })
  })

  it('by a restore is still that when it is to be tried again', async () => {
    using window = await readyWindow()
    await send(window, found({ ...restore, startedMs: systemImage.modifiedMs + 1000 }))
    expect(problem(window)).toBe('E_SRC_CORRUPT')
  })

  it('can be restored again when the file has changed since, or was found right', async () => {
    using changed = await readyWindow()
    await send(changed, found({ ...verify, startedMs: systemImage.modifiedMs - 1000 }))
    expect(problem(changed)).toBeNull()
    using again = await readyWindow()
    await send(again, found(verify), right({ ...verify, jobId: 'verify-2' }))
    expect(problem(again)).toBeNull()
  })

  it('was not found right by a restore that read only a part of it', async () => {
    if (!restore.plan) throw new Error('a restore has a plan')
    const { plan } = restore
    const volume = {
      step: 'source',
      state: 'ok',
      kind: 'only-volume',
      names: ['Data'],
      partition: 3,
    } as const
    const done = (plan: JobState['plan'], startedMs: number) =>
      ended(
        { ...restore, jobId: `restore-${startedMs}`, plan, startedMs },
        { kind: 'done', summary: aSummary() },
      )
    const later = verify.startedMs + 1000
    using window = await openWindow()
    await window.reprise.actions.chooseSourceFile(systemImage.path)
    await send(
      window,
      found(verify),
      done({ ...plan, checks: [...plan.checks, volume] }, later),
      done({ ...plan, request: { ...plan.request, changedOnly: true } }, later + 1),
    )
    expect(problem(window)).toBe('E_SRC_CORRUPT')
    await send(window, done(plan, later + 2))
    expect(problem(window)).toBeNull()
  })

  it('is known by its path, whatever the error names, which may be a segment or nothing', async () => {
    using window = await readyWindow()
    await send(window, found(verify, null))
    expect(problem(window)).toBe('E_SRC_CORRUPT')
    using segmented = await readyWindow()
    await send(segmented, found(verify, systemImage.path.replace('.dmg', '.002.dmgpart')))
    expect(problem(segmented)).toBe('E_SRC_CORRUPT')
  })

  it('does not count for what only differs from an old SHA-256 beside it, once that was written anew', async () => {
    const differs = (job: JobState) =>
      ended(job, { kind: 'failed', error: wrongChecksum, target: 'untouched' })
    const adding: JobState = { ...verify, jobId: 'adding-1', kind: 'add-checksum-image' }
    using window = await readyWindow()
    await send(window, differs(adding))
    expect(problem(window)).toBeNull()
    await send(window, differs(verify))
    expect(problem(window)).toBe('E_SRC_CORRUPT')
    const startedMs = verify.startedMs + 1000
    await send(window, checksummed({ ...adding, jobId: 'adding-2', startedMs }))
    expect(problem(window)).toBeNull()
    // A raw image is compared with it while it is restored.
    using heeding = await readyWindow()
    const { source } = heeding.reprise.view.getState()
    if (source?.info?.kind !== 'image') throw new Error('the window has an image')
    const raw = {
      ...source.info.image,
      format: 'raw' as const,
      tables: [],
      fileChecksum: { algorithm: 'SHA-256', value: 'ab' },
    }
    heeding.reprise.view.setState({ source: { ...source, info: { ...source.info, image: raw } } })
    await send(heeding, differs(adding))
    expect(problem(heeding)).toBe('E_SRC_CORRUPT')
    using damaged = await readyWindow()
    await send(damaged, found(verify), checksummed({ ...adding, jobId: 'adding-2', startedMs }))
    expect(problem(damaged)).toBe('E_SRC_CORRUPT')
  })

  it('says nothing of another image, though it has the same name', async () => {
    const elsewhere: JobState = { ...verify, source: `/home/bob/${systemImage.name}` }
    using window = await readyWindow()
    await send(window, found(elsewhere, null))
    expect(problem(window)).toBeNull()
    using damaged = await readyWindow()
    await send(damaged, found(verify, null), right({ ...elsewhere, jobId: 'verify-2' }))
    expect(problem(damaged)).toBe('E_SRC_CORRUPT')
  })
})
