import { describe, expect, it } from 'vitest'
import { createUiDouble } from '#test/ui-double'
import { anImageJob, ended, practiceImage, sandisk, systemImage, unscannedImage } from '#test/ui-fixtures'
import { openWindow, settle, type TestWindow } from '#test/ui-window'

/** Both wells filled with an image that was never scanned, the tick set, and Restore… pressed. */
async function asked(): Promise<TestWindow> {
  const double = createUiDouble({ devices: [sandisk], images: [practiceImage, systemImage, unscannedImage] })
  const window = await openWindow({ double })
  const { actions } = window.reprise
  await actions.chooseSourceFile(unscannedImage.path)
  actions.chooseDestination('disk:/dev/sdb')
  actions.setOption('erase', true)
  await window.planned()
  actions.openConfirm()
  return window
}

const stateOf = ({ reprise }: TestWindow) => reprise.view.getState()
const running = () => anImageJob('scan', unscannedImage.name, { phase: 'scanning', percent: 40 })

/** The scan is done: the image has its scan now. */
function scanEnds(window: TestWindow) {
  const { scan } = systemImage
  if (!scan) throw new Error('the fixture has a scan')
  window.double.images = window.double.images.map((image) =>
    image.path === unscannedImage.path ? { ...image, scan, inOrder: true } : image,
  )
  window.double.sendJob(
    ended(running(), {
      kind: 'scanned',
      scan: {
        path: unscannedImage.path,
        scan,
        stored: 'reordered',
        inOrder: true,
        signatureRemoved: false,
        sizeBytes: 9.1e9,
        beforeBytes: 3.4e9,
        storedBytes: 3.4e9,
        durationMs: 41_000,
        bytesPerSecond: 222e6,
      },
    }),
  )
}

describe('an image that was never scanned', () => {
  it('is asked about when Restore… is pressed, not before', async () => {
    using window = await asked()
    expect(stateOf(window).sheet).toEqual({ kind: 'not-scanned' })
  })

  it('is asked about no more when another source was chosen, which nothing else waits for', async () => {
    using window = await asked()
    void window.reprise.actions.chooseSourceFile('/elsewhere/other.dmg')
    expect(stateOf(window).sheet).toBeNull()
    await settle()
  })

  it('is asked about no more when the disk was unplugged, for which no answer would do anything', async () => {
    using window = await asked()
    window.double.unplug('/dev/sdb')
    await settle()
    expect(stateOf(window)).toMatchObject({ sheet: null, goOn: null, destination: { state: 'gone' } })
  })

  it('is asked about as long as the disk only changes', async () => {
    using window = await asked()
    window.double.setDevices([{ ...sandisk, busy: true }])
    await window.planned()
    expect(stateOf(window).sheet).toEqual({ kind: 'not-scanned' })
  })

  it('is scanned, and the confirmation comes by itself', async () => {
    using window = await asked()
    await window.reprise.actions.scanAndContinue()
    expect(stateOf(window)).toMatchObject({ sheet: null, goOn: { step: 'scanning', jobId: 'job-1' } })
    expect(window.double.calls).toContainEqual({
      name: 'image.start',
      input: {
        task: { kind: 'scan', path: unscannedImage.path, reorder: true, allowFragmentedCatalog: false },
      },
    })
    window.double.sendJob(running())
    await window.planned()
    expect(stateOf(window).sheet).toBeNull()
    scanEnds(window)
    await window.planned()
    expect(stateOf(window)).toMatchObject({ sheet: { kind: 'confirm' }, goOn: null, notice: null })
    expect(stateOf(window).source?.info).toMatchObject({ image: { inOrder: true } })
  })

  it('is restored without verification where that is chosen', async () => {
    using window = await asked()
    window.reprise.actions.restoreWithoutVerification()
    await window.planned()
    expect(stateOf(window)).toMatchObject({
      sheet: { kind: 'confirm' },
      plan: { state: 'ready', plan: { request: { verify: false } } },
      options: { verify: true, erase: true },
    })
  })

  it.each([
    ['Cancel', async (window: TestWindow) => window.reprise.actions.closeSheet()],
    ['starting over', async (window: TestWindow) => window.reprise.actions.startOver()],
    [
      'another source',
      async (window: TestWindow) => window.reprise.actions.chooseSourceFile(unscannedImage.path),
    ],
    [
      'that restore was started',
      async (window: TestWindow) => {
        await window.reprise.actions.confirmRestore(null)
        expect(stateOf(window)).toMatchObject({
          restoreJobId: 'job-1',
          plan: { plan: { request: { verify: false } } },
        })
        window.reprise.actions.startOver()
      },
    ],
  ])('is to be verified again after %s', async (_, change) => {
    using window = await asked()
    const { actions } = window.reprise
    actions.restoreWithoutVerification()
    await window.planned()
    await change(window)
    await settle()
    actions.chooseDestination('disk:/dev/sdb')
    actions.setOption('erase', true)
    await window.planned()
    expect(stateOf(window)).toMatchObject({
      plan: { state: 'ready', plan: { request: { verify: true } } },
      options: { verify: true },
    })
    actions.openConfirm()
    expect(stateOf(window).sheet).toEqual({ kind: 'not-scanned' })
  })

  it('goes no further when the scan was stopped', async () => {
    using window = await asked()
    await window.reprise.actions.scanAndContinue()
    window.double.sendJob(ended(running(), { kind: 'cancelled', target: 'untouched', percent: 40 }))
    await window.planned()
    expect(stateOf(window)).toMatchObject({ sheet: null, goOn: null })
  })

  it.each([
    ['the tick is taken away', (window: TestWindow) => window.reprise.actions.setOption('erase', false)],
    ['the destination is cleared', (window: TestWindow) => window.reprise.actions.clearDestination()],
    ['the disk is unplugged', (window: TestWindow) => window.double.unplug('/dev/sdb')],
    [
      'another source is chosen',
      (window: TestWindow) => void window.reprise.actions.chooseSourceFile(systemImage.path),
    ],
  ])('goes no further when %s', async (_, change) => {
    using window = await asked()
    await window.reprise.actions.scanAndContinue()
    change(window)
    await settle()
    expect(stateOf(window).goOn).toBeNull()
    scanEnds(window)
    await window.planned()
    expect(stateOf(window).sheet).toBeNull()
  })

  it('does not open the confirmation over another sheet', async () => {
    using window = await asked()
    await window.reprise.actions.scanAndContinue()
    window.reprise.actions.openSheet('about')
    scanEnds(window)
    await window.planned()
    expect(stateOf(window)).toMatchObject({ sheet: { kind: 'about' }, goOn: null })
  })
})

describe('Restore… that is pressed while something is still checked', () => {
  /** As `asked`, but pressed at once. */
  async function pressedEarly(path: string) {
    const double = createUiDouble({
      devices: [sandisk],
      images: [practiceImage, systemImage, unscannedImage],
    })
    const window = await openWindow({ double })
    const { actions } = window.reprise
    await actions.chooseSourceFile(path)
    actions.chooseDestination('disk:/dev/sdb')
    actions.setOption('erase', true)
    actions.openConfirm()
    return window
  }

  it('opens the confirmation as soon as all is known', async () => {
    using window = await pressedEarly(systemImage.path)
    expect(stateOf(window).sheet).toBeNull()
    await window.planned()
    expect(stateOf(window)).toMatchObject({ goOn: null, sheet: { kind: 'confirm' } })
  })

  it('asks about an image that was never scanned', async () => {
    using window = await pressedEarly(unscannedImage.path)
    await window.planned()
    expect(stateOf(window)).toMatchObject({ goOn: null, sheet: { kind: 'not-scanned' } })
  })

  it.each([
    [
      'the connection is lost',
      (window: TestWindow) => window.double.lose(),
      async (window: TestWindow) => {
        window.clock.advance(250)
        await settle()
      },
    ],
    [
      'the part of Reprise that works is gone',
      (window: TestWindow) => window.double.sendEngine('gone', 'it died'),
      async (window: TestWindow) => window.double.sendEngine('ready', null),
    ],
  ])('is forgotten when %s, and asks nobody when it is back', async (_, lose, comeBack) => {
    using window = await pressedEarly(systemImage.path)
    lose(window)
    await settle()
    expect(stateOf(window).goOn).toBeNull()
    await comeBack(window)
    await window.planned()
    expect(stateOf(window)).toMatchObject({ goOn: null, sheet: null, plan: { state: 'ready' } })
  })

  it('is forgotten when the tick is taken away', async () => {
    using window = await pressedEarly(systemImage.path)
    window.reprise.actions.setOption('erase', false)
    await window.planned()
    expect(stateOf(window)).toMatchObject({ goOn: null, sheet: null })
  })
})
