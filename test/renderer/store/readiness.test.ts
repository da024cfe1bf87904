import { describe, expect, it } from 'vitest'
import { serializeError, UsageError } from '#shared/errors'
import type { TargetInfo } from '#shared/model'
import { frontJob, restoreBlock, restoreStage } from '#src/renderer/store/index.ts'
import { aJob, aRequest, ended, planFor, sandisk, smallStick, systemImage } from '#test/ui-fixtures'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'

const aFileTarget: TargetInfo = {
  kind: 'file',
  path: '/home/ann/Lab.img',
  name: 'Lab.img',
  sizeBytes: null,
  bus: 'file',
  identity: 'file:/home/ann/Lab.img',
  mountPoints: [],
  disk: null,
}
const block = ({ reprise }: TestWindow) =>
  restoreBlock(reprise.mirror.getState(), reprise.view.getState())?.kind ?? null
const stage = ({ reprise }: TestWindow) => restoreStage(reprise.mirror.getState(), reprise.view.getState())

describe('Restore…', () => {
  it('asks for one thing after the other', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    expect(block(window)).toBe('no-source')
    const reading = actions.chooseSourceFile(systemImage.path)
    expect(block(window)).toBe('source-reading')
    await reading
    expect(block(window)).toBe('no-destination')
    actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    expect(block(window)).toBe('no-erase')
    actions.setOption('erase', true)
    expect(block(window)).toBe('checking')
    await window.planned()
    expect(block(window)).toBeNull()
  })

  it('asks for the tick where it would overwrite a file, which is not impossible', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    const details = { input: 'erase', path: '/home/ann/Lab.img', sizeBytes: 9 }
    const refusal = serializeError(new UsageError('E_DST_EXISTS', 'it exists', { details }))
    window.double.answer('restore.plan', async (request) => ({
      ...planFor(request, [sandisk], [systemImage]),
      checks: [{ step: 'target', state: 'failed', kind: 'error', error: refusal }],
      refusal,
    }))
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestinationFile('/home/ann/Lab.img')
    await window.planned()
    expect(block(window)).toBe('no-erase')
  })

  it('asks for no tick where the destination is a new file', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    window.double.answer('restore.plan', async (request) => ({
      ...planFor(request, [sandisk], [systemImage]),
      target: aFileTarget,
      checks: [],
      losses: [],
      refusal: null,
    }))
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestinationFile('/home/ann/Lab.img')
    // Before the answer nobody knows whether the tick is needed.
    expect(block(window)).toBe('checking')
    await window.planned()
    expect(block(window)).toBeNull()
    actions.openConfirm()
    expect(view.getState()).toMatchObject({ sheet: { kind: 'confirm' }, options: { erase: false } })
  })

  it('says that it is impossible rather than ask for the tick', async () => {
    using window = await readyWindow()
    window.reprise.actions.setOption('erase', false)
    // Another, smaller card in the same reader.
    window.double.setDevices([{ ...sandisk, sizeBytes: 8e9 }])
    await window.planned()
    expect(block(window)).toBe('refused')
  })

  it('is closed while the engine or the host is gone', async () => {
    using window = await readyWindow()
    window.double.sendEngine('gone', null)
    await settle()
    expect(block(window)).toBe('engine-gone')
    window.double.lose({ refusing: true })
    await settle()
    expect(block(window)).toBe('offline')
  })

  it('is closed where restoring is not supported', async () => {
    using window = await openWindow()
    window.double.app = { ...window.double.app, supported: false }
    window.double.lose()
    await settle()
    window.clock.advance(250)
    await settle()
    expect(block(window)).toBe('unsupported')
  })
})

describe('the Restore tab', () => {
  const plan = planFor(aRequest(), [sandisk, smallStick], [systemImage])
  const job = aJob(plan, { phase: 'restoring', percent: 5 })

  it('goes from composing through starting and running to the end, and back', async () => {
    using window = await readyWindow()
    const { actions } = window.reprise
    const release = window.double.holdStart()
    expect(stage(window)).toBe('compose')
    actions.openConfirm()
    const confirmed = actions.confirmRestore(null)
    expect(stage(window)).toBe('starting')
    release()
    await confirmed
    window.double.sendJob(job)
    await settle()
    expect(stage(window)).toBe('running')
    window.double.sendJob(ended(job, { kind: 'cancelled', target: 'empty', percent: 5 }))
    await settle()
    expect(stage(window)).toBe('ended')
    actions.startOver()
    expect(stage(window)).toBe('compose')
  })

  it('lets the status bar tell of another job that runs', async () => {
    using window = await openWindow()
    const { mirror, view } = window.reprise
    window.double.sendJob(ended({ ...job, jobId: 'old' }, { kind: 'cancelled', target: 'empty', percent: 5 }))
    window.double.sendJob({ ...job, jobId: 'other' })
    await settle()
    window.reprise.actions.showJob('old')
    expect(frontJob(mirror.getState(), view.getState())?.jobId).toBe('other')
  })
})
