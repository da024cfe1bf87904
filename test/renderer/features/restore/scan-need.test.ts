import { describe, expect, it } from 'vitest'
import { scanNeed } from '#src/renderer/features/restore/scan-need.ts'
import { createUiDouble } from '#test/ui-double'
import { anImageJob, sandisk, systemImage, unscannedImage } from '#test/ui-fixtures'
import { openWindow, settle } from '#test/ui-window'

describe('a source that needs a scan', () => {
  it('is being scanned only while a job scans it, and not another image', async () => {
    using window = await openWindow({
      double: createUiDouble({ devices: [sandisk], images: [systemImage, unscannedImage] }),
    })
    const { actions, mirror, view } = window.reprise
    const need = () => scanNeed(mirror.getState(), view.getState())
    await actions.chooseSourceFile(unscannedImage.path)
    actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    expect(need()).toBe('scan')
    const scanning = (jobId: string, { path, name }: typeof systemImage) =>
      anImageJob('scan', name, { phase: 'scanning', percent: 5 }, { jobId, source: path })
    window.double.sendJob(scanning('other', systemImage))
    await settle()
    expect(need()).toBe('scan')
    window.double.sendJob(scanning('own', unscannedImage))
    await settle()
    expect(need()).toBe('scanning')
  })
})
