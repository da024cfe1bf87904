import { describe, expect, it } from 'vitest'
import { DeviceError, FormatError, serializeError } from '#shared/errors'
import type { ImageInfo, ImageTask, JobOutcome, JobState } from '#shared/model'
import { deviceOptions } from '#src/renderer/features/images/make-options.ts'
import { misfitChecksum } from '#src/renderer/store/index.ts'
import { createUiDouble } from '#test/ui-double'
import {
  anImageJob,
  ended,
  imageJobs,
  lockedImage,
  practiceDisk,
  practiceImage,
  sandisk,
  smallStick,
  sparseImage,
  systemDisk,
  systemImage,
  unscannedImage,
} from '#test/ui-fixtures'
import { openWindow, settle, tabMemory, type TestWindow } from '#test/ui-window'

const doubleWithImages = () =>
  createUiDouble({
    devices: [sandisk, practiceDisk],
    images: [practiceImage, systemImage, unscannedImage, lockedImage, sparseImage],
    passwords: { [lockedImage.path]: 'sesame' },
  })

const withImages = () => openWindow({ double: doubleWithImages() })

const sheetOf = ({ reprise }: TestWindow) => reprise.view.getState().sheet
const tasksOf = ({ double }: TestWindow) =>
  double.calls
    .filter(({ name }) => name === 'image.start')
    .map(({ input }) => (input as { readonly task: ImageTask }).task)

describe('an image that is read only when it is asked for', () => {
  it.each(['convert', 'resize', 'scan', 'scan-info', 'verify'] as const)(
    'pushes away nothing that was opened or selected meanwhile: %s',
    async (work) => {
      using window = await withImages()
      const { actions, view } = window.reprise
      const taken = actions.takeImage(work, systemImage.path)
      actions.openSheet('about')
      actions.select(`disk:${sandisk.path}`)
      await taken
      await settle()
      expect(view.getState()).toMatchObject({
        sheet: { kind: 'about' },
        selected: `disk:${sandisk.path}`,
        tab: 'restore',
      })
      expect(tasksOf(window)).toEqual([])
      // It is there now, and asked again does it.
      actions.closeSheet()
      await actions.takeImage('scan-info', systemImage.path)
      expect(sheetOf(window)).toMatchObject({ kind: 'scan-info' })
    },
  )

  it('brings nobody to Activity who went elsewhere meanwhile', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    const taken = actions.takeImage('verify', systemImage.path)
    actions.setTab('multicast')
    await taken
    expect(view.getState().tab).toBe('multicast')
    expect(tasksOf(window)).toEqual([{ kind: 'verify', path: systemImage.path }])
  })
})

describe('converting', () => {
  it('asks before it replaces, and says so to the engine', async () => {
    using window = await withImages()
    const { actions } = window.reprise
    await actions.takeImage('convert', systemImage.path)
    actions.changeDraft({ name: 'old.dmg', named: true })
    window.double.targets = { '/home/ann/Images/old.dmg': { kind: 'file', sizeBytes: 1, freeBytes: 9 } }
    await actions.startDraft()
    expect(sheetOf(window)).toMatchObject({ kind: 'replace', path: '/home/ann/Images/old.dmg' })
    expect(tasksOf(window)).toEqual([])
    actions.closeSheet()
    expect(sheetOf(window)).toMatchObject({ kind: 'make', draft: { name: 'old.dmg' } })
    await actions.startDraft()
    await actions.replaceTarget()
    expect(tasksOf(window)).toMatchObject([{ kind: 'convert', erase: true }])
    expect(window.reprise.view.getState()).toMatchObject({ sheet: null, tab: 'activity', activity: 'jobs' })
  })

  it('does not ask again about what the system’s panel has asked', async () => {
    using window = await withImages()
    const { actions } = window.reprise
    const path = '/srv/new/old.dmg'
    window.double.answer('image.chooseTarget', async () => ({ kind: 'chosen', path, replace: true }))
    window.double.targets = { [path]: { kind: 'file', sizeBytes: 1, freeBytes: 9 } }
    await actions.takeImage('convert', systemImage.path)
    await actions.chooseTarget()
    expect(sheetOf(window)).toMatchObject({ draft: { folder: '/srv/new', name: 'old.dmg' } })
    await actions.startDraft()
    expect(tasksOf(window)).toMatchObject([{ target: path, erase: true }])
  })

  it('never asks to erase where nothing lies', async () => {
    using window = await withImages()
    await window.reprise.actions.takeImage('convert', systemImage.path)
    await window.reprise.actions.startDraft()
    expect(tasksOf(window)).toMatchObject([{ erase: false }])
  })

  it.each(['no-folder', 'denied', 'folder'] as const)(
    'stays at the sheet when the place is %s',
    async (kind) => {
      using window = await withImages()
      const { actions } = window.reprise
      window.double.answer('target.inspect', async () => ({ kind, sizeBytes: 0, freeBytes: null }))
      await actions.takeImage('convert', systemImage.path)
      await actions.startDraft()
      expect(sheetOf(window)).toMatchObject({ kind: 'make', problem: { kind: expect.any(String) as string } })
      expect(tasksOf(window)).toEqual([])
    },
  )

  it('comes back from our own panel with the folder that was chosen', async () => {
    using window = await withImages()
    const { actions } = window.reprise
    await actions.takeImage('convert', systemImage.path)
    actions.changeDraft({ format: 'raw' })
    await actions.chooseTarget()
    expect(sheetOf(window)).toMatchObject({ kind: 'files', purpose: 'target' })
    actions.chooseListed('/srv/images')
    expect(sheetOf(window)).toMatchObject({
      kind: 'make',
      draft: { folder: '/srv/images', name: 'ModularSystem converted.img', format: 'raw' },
    })
  })
})

describe('a SHA-256 beside an image that is not the image’s any more', () => {
  const { path } = sparseImage
  const besides = `${path}.sha256`
  const resized: JobOutcome = {
    kind: 'resized',
    resize: { path, beforeBytes: 1, afterBytes: 2, storedBytes: 1, storedBeforeBytes: 1 },
    outdated: besides,
  }
  const details = { format: 'sha256', field: 'SHA-256', offset: 0, path }
  const error = serializeError(new FormatError('E_SRC_CORRUPT', 'wrong', { details }))
  const differs: JobOutcome = { kind: 'failed', error, target: 'untouched' }
  const checksummed: JobOutcome = {
    kind: 'checksummed',
    checksums: { path, added: [], besides, signatureRemoved: false, durationMs: 1 },
  }
  const jobOf = (task: 'resize' | 'add-checksum', outcome: JobOutcome, change: Partial<JobState> = {}) =>
    ended(
      anImageJob(task, 'Scratch', { phase: 'scanning', percent: 100 }, { source: path, ...change }),
      outcome,
    )

  it.each([jobOf('resize', resized), jobOf('add-checksum', differs)])(
    'is written anew when that was asked for and confirmed',
    async (job) => {
      using window = await withImages()
      const { actions, mirror } = window.reprise
      window.double.sendJob(job)
      await settle()
      expect(misfitChecksum(mirror.getState(), job)).toBe(path)
      actions.askReplaceChecksum(path)
      expect(sheetOf(window)).toEqual({ kind: 'replace-checksum', path })
      expect(tasksOf(window)).toEqual([])
      await actions.replaceChecksum()
      expect(tasksOf(window)).toEqual([{ kind: 'add-checksum', path, replace: true }])
      expect(window.reprise.view.getState()).toMatchObject({ sheet: null, tab: 'activity' })
    },
  )

  it('is offered no more when it was, and not where nothing is left of the image', async () => {
    using window = await withImages()
    const job = jobOf('resize', resized)
    const later = { jobId: 'later', startedMs: job.startedMs + 1 }
    window.double.sendJob(job)
    window.double.sendJob(jobOf('add-checksum', checksummed, later))
    await settle()
    const mirror = window.reprise.mirror.getState()
    expect(misfitChecksum(mirror, job)).toBeNull()
    expect(misfitChecksum(mirror, jobOf('add-checksum', differs, { startedMs: later.startedMs + 1 }))).toBe(
      path,
    )
    const gone: JobOutcome = { kind: 'cancelled', target: 'empty', percent: 4, outdated: besides }
    expect(misfitChecksum(mirror, jobOf('resize', gone, { startedMs: later.startedMs + 1 }))).toBeNull()
  })
})

describe('an image on a web server', () => {
  it('hands the password on once, and forgets it', async () => {
    const address = 'https://lab.example/System.dmg'
    using window = await openWindow({
      double: createUiDouble({ images: [practiceImage, { ...systemImage, path: address }] }),
    })
    const asked: string[] = []
    window.double.answer('source.inspect', async ({ source }) => {
      asked.push(source)
      return { kind: 'image', locator: address, name: 'System.dmg', image: { ...systemImage, path: address } }
    })
    window.reprise.actions.openUrl('https://ann:hush@lab.example/System.dmg')
    await settle()
    expect(asked).toEqual(['https://ann:hush@lab.example/System.dmg'])
    const view = window.reprise.view.getState()
    expect(view).toMatchObject({ source: { locator: address, state: 'ready' }, selected: `image:${address}` })
    expect(JSON.stringify(view)).not.toContain('hush')
  })
})

describe('an encrypted image', () => {
  it('asks for its password, says when it is wrong, and goes on when it is right', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    await actions.chooseSourceFile(lockedImage.path)
    expect(sheetOf(window)).toMatchObject({ kind: 'password', path: lockedImage.path, purpose: 'source' })
    await actions.unlock('barley')
    expect(sheetOf(window)).toMatchObject({ sending: { state: 'failed', error: { code: 'E_SRC_PASSWORD' } } })
    await actions.unlock('sesame')
    await settle()
    expect(view.getState()).toMatchObject({ sheet: null, source: { state: 'ready' } })
  })

  it('goes on with what was asked of it', async () => {
    using window = await withImages()
    const { actions } = window.reprise
    await actions.takeImage('convert', lockedImage.path)
    expect(sheetOf(window)).toMatchObject({ kind: 'password', purpose: 'convert' })
    await actions.unlock('sesame')
    await settle()
    expect(sheetOf(window)).toMatchObject({ kind: 'make', draft: { work: { path: lockedImage.path } } })
  })

  it('does not push a sheet away that is open', async () => {
    using window = await withImages()
    window.reprise.actions.openSheet('about')
    await window.reprise.actions.openImage(lockedImage.path)
    expect(sheetOf(window)).toEqual({ kind: 'about' })
  })
})

describe('work that has ended', () => {
  const resize = {
    path: sparseImage.path,
    beforeBytes: 20e9,
    afterBytes: 40e9,
    storedBytes: 1,
    storedBeforeBytes: 1,
  }

  it('is told where nobody watches, and its image is opened', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    await actions.takeImage('convert', systemImage.path)
    await actions.startDraft()
    actions.setTab('restore')
    const [converted] = imageJobs()
    if (!converted) throw new Error('no fixture')
    window.double.sendJob({ ...converted, jobId: 'job-1' })
    await settle()
    expect(view.getState().notice).toMatchObject({ kind: 'worked', job: { jobId: 'job-1' } })
    expect(view.getState().images.map(({ name }) => name)).toContain('ModularSystem 2.dmg')
  })

  it('and failed is told of until it was read', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    await actions.takeImage('convert', systemImage.path)
    await actions.startDraft()
    actions.setTab('restore')
    const [converted] = imageJobs()
    if (!converted) throw new Error('no fixture')
    const error = serializeError(new DeviceError('E_IO_WRITE', 'write failed', { details: { path: '/' } }))
    window.double.sendJob({
      ...converted,
      jobId: 'job-1',
      outcome: { kind: 'failed', error, target: 'untouched' },
    })
    await settle()
    expect(view.getState()).toMatchObject({
      failures: [{ kind: 'worked', job: { jobId: 'job-1' } }],
    })
  })

  it.each(['after the page was loaded anew', 'while it was'] as const)(
    'and failed is told of, too, %s',
    async (when) => {
      const memory = tabMemory()
      const double = doubleWithImages()
      const [converted] = imageJobs()
      if (!converted) throw new Error('no fixture')
      const running: JobState = { ...converted, jobId: 'job-1', endedMs: null, outcome: null }
      const error = serializeError(new DeviceError('E_IO_WRITE', 'write failed', { details: { path: '/' } }))
      const failed: JobState = {
        ...converted,
        jobId: 'job-1',
        outcome: { kind: 'failed', error, target: 'untouched' },
      }
      {
        using before = await openWindow({ memory, double })
        await before.reprise.actions.takeImage('convert', systemImage.path)
        await before.reprise.actions.startDraft()
        before.reprise.actions.setTab('restore')
        double.sendJob(running)
        double.sendJob({ ...running, jobId: 'another' })
        await settle()
      }
      const ends = () => {
        double.sendJob(failed)
        double.sendJob({ ...failed, jobId: 'another' })
      }
      if (when === 'while it was') ends()
      using after = await openWindow({ memory, double })
      if (when !== 'while it was') ends()
      await settle()
      const told = () => after.reprise.view.getState().failures
      expect(told()).toMatchObject([{ kind: 'worked', job: { jobId: 'job-1' } }])
      // Once.
      using later = await openWindow({ memory, double })
      expect(later.reprise.view.getState().failures).toEqual([])
    },
  )

  it('is not told of work that another window started', async () => {
    using window = await withImages()
    const [converted] = imageJobs()
    if (!converted) throw new Error('no fixture')
    window.double.sendJob({ ...converted, jobId: 'another' })
    await settle()
    expect(window.reprise.view.getState().notice).toBeNull()
  })

  it('is read again wherever the image is shown', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    await actions.chooseSourceFile(sparseImage.path)
    window.double.images = window.double.images.map((image) =>
      image.path === sparseImage.path ? { ...image, sizeBytes: 40e9 } : image,
    )
    const running = anImageJob('resize', sparseImage.name, { phase: 'resizing', percent: 50 })
    window.double.sendJob(ended(running, { kind: 'resized', resize }))
    await settle()
    expect(view.getState().source?.info).toMatchObject({ image: { sizeBytes: 40e9 } })
    expect(view.getState().images.find(({ path }) => path === sparseImage.path)?.info?.sizeBytes).toBe(40e9)
  })

  it('is read again for the source well, too, when it ended while there was no connection', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    await actions.chooseSourceFile(sparseImage.path)
    const running = anImageJob('resize', sparseImage.name, { phase: 'resizing', percent: 50 })
    window.double.sendJob(running)
    await settle()
    window.double.lose()
    await settle()
    window.double.images = window.double.images.map((image) =>
      image.path === sparseImage.path ? { ...image, sizeBytes: 40e9 } : image,
    )
    window.double.sendJob(ended(running, { kind: 'resized', resize }))
    window.clock.advance(250)
    await settle()
    expect(view.getState().source).toMatchObject({ state: 'ready', info: { image: { sizeBytes: 40e9 } } })
    expect(view.getState().images.find(({ practice }) => practice)?.path).toBe(practiceImage.path)
  })
})

/** Work of another tab has made the image that lies at `path`. */
function madeAnew(window: TestWindow, path: string, change: Partial<ImageInfo> = {}, jobId = 'another') {
  const { double } = window
  double.images = double.images.map((image) => (image.path === path ? { ...image, ...change } : image))
  const [converted] = imageJobs()
  if (converted?.outcome?.kind !== 'converted') throw new Error('no fixture')
  const outcome = { ...converted.outcome, conversion: { ...converted.outcome.conversion, target: path } }
  double.sendJob({ ...converted, jobId, outcome })
}

describe('an image that is made anew where another was', () => {
  const later = { sizeBytes: 40e9, modifiedMs: systemImage.modifiedMs + 60_000 }

  it('is what the source well, the sidebar and the plan tell of', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    const plans = () => window.double.calls.filter(({ name }) => name === 'restore.plan').length
    const before = plans()
    madeAnew(window, systemImage.path, later)
    await window.planned()
    expect(view.getState().source).toMatchObject({ state: 'ready', info: { image: later } })
    expect(view.getState().images.find(({ path }) => path === systemImage.path)?.info).toMatchObject(later)
    expect(plans()).toBe(before + 1)
  })

  it('can be the source again, though the one before could not be read', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    const path = '/home/ann/Images/Broken.dmg'
    await actions.chooseSourceFile(path)
    expect(view.getState().source?.state).toBe('failed')
    window.double.images = [...window.double.images, { ...systemImage, path, name: 'Broken.dmg' }]
    actions.setTab('activity')
    madeAnew(window, path)
    await settle()
    expect(view.getState()).toMatchObject({
      tab: 'activity',
      source: { locator: path, name: 'Broken.dmg', state: 'ready', error: null, info: { kind: 'image' } },
    })
  })

  it('is no longer taken for what was there, when it is encrypted now', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    const open = window.double.images
    window.double.answer('source.inspect', async ({ source }) => ({
      kind: 'image',
      locator: source,
      name: lockedImage.name,
      image: open.find(({ path }) => path === source)!,
    }))
    await actions.chooseSourceFile(lockedImage.path)
    expect(view.getState().source?.state).toBe('ready')
    madeAnew(window, lockedImage.path)
    await settle()
    expect(view.getState()).toMatchObject({
      sheet: null,
      source: { state: 'failed', info: null, error: { code: 'E_SRC_ENCRYPTED' } },
    })
  })

  it('says nothing of an image that is not shown', async () => {
    using window = await withImages()
    madeAnew(window, systemImage.path, later)
    await settle()
    expect(window.reprise.view.getState().images.map(({ path }) => path)).toEqual([practiceImage.path])
  })
})

describe('an encrypted image that was made here', () => {
  it('is listed as locked, and asks nobody for its password', async () => {
    using window = await withImages()
    const { actions, view } = window.reprise
    await actions.takeImage('convert', systemImage.path)
    await actions.startDraft()
    actions.setTab('multicast')
    madeAnew(window, lockedImage.path, {}, 'job-1')
    await settle()
    expect(view.getState()).toMatchObject({
      tab: 'multicast',
      sheet: null,
      selected: `image:${lockedImage.path}`,
      notice: { kind: 'worked' },
    })
    const listed = view.getState().images.find(({ path }) => path === lockedImage.path)
    expect(listed).toMatchObject({ state: 'failed', error: { code: 'E_SRC_ENCRYPTED' } })
  })
})

describe('an image of a device', () => {
  const gone = { kind: 'make', draft: { from: null, name: 'Untitled.dmg' }, problem: { kind: 'no-from' } }

  it('isn’t made of the disk that takes its place: one has to be chosen again', async () => {
    using window = await withImages()
    const { actions } = window.reprise
    actions.openCreate('device', 'disk:/dev/sdb')
    window.double.unplug('/dev/sdb')
    await settle()
    expect(sheetOf(window)).toMatchObject(gone)
    window.double.plug({ ...smallStick, path: '/dev/sdb' })
    await settle()
    expect(sheetOf(window)).toMatchObject(gone)
    await actions.startDraft()
    expect(tasksOf(window)).toEqual([])
    actions.chooseDevice('/dev/sdb')
    expect(sheetOf(window)).toMatchObject({
      draft: { from: '/dev/sdb', name: 'Kingston DataTraveler.dmg' },
      problem: null,
    })
  })

  it('isn’t made of another volume of the same number, either', async () => {
    using window = await withImages()
    window.reprise.actions.openCreate('device')
    window.reprise.actions.chooseDevice('/dev/sdb2')
    expect(sheetOf(window)).toMatchObject({ draft: { from: '/dev/sdb2', name: 'UNTITLED.dmg' } })
    const volumes = sandisk.volumes.map((volume) => ({ ...volume, offset: volume.offset + 512 }))
    window.double.setDevices([{ ...sandisk, volumes }])
    await settle()
    expect(sheetOf(window)).toMatchObject(gone)
  })

  it('is given up when the disk goes while it is begun, or while a folder is looked for', async () => {
    using window = await withImages()
    const { actions } = window.reprise
    window.double.answer('image.start', async (_, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      throw signal.reason
    })
    actions.openCreate('device', 'disk:/dev/sdb')
    const starting = actions.startDraft()
    await settle()
    window.double.unplug('/dev/sdb')
    await starting
    expect(sheetOf(window)).toMatchObject({ ...gone, starting: false })
    window.double.plug(sandisk)
    await settle()
    actions.chooseDevice('/dev/sdb')
    await actions.chooseTarget()
    expect(sheetOf(window)).toMatchObject({ kind: 'files', purpose: 'target' })
    window.double.unplug('/dev/sdb')
    await settle()
    expect(sheetOf(window)).toMatchObject(gone)
  })

  it('goes on being made of a disk that is only in use now', async () => {
    using window = await withImages()
    window.reprise.actions.openCreate('device', 'disk:/dev/sdb')
    window.double.setDevices([{ ...sandisk, busy: true }])
    await settle()
    expect(sheetOf(window)).toMatchObject({ draft: { from: '/dev/sdb' }, problem: null })
  })

  it('can be chosen though it is hidden, where it is chosen already', async () => {
    using window = await withImages()
    const { actions, mirror, view } = window.reprise
    window.double.setDevices([sandisk, systemDisk])
    await settle()
    const keys = () => deviceOptions(mirror.getState(), view.getState()).map(({ key }) => key)
    actions.openCreate('device', 'disk:/dev/sdb')
    expect(keys()).not.toContain(systemDisk.path)
    actions.openCreate('device', `disk:${systemDisk.path}`)
    expect(keys()).toContain(systemDisk.path)
  })
})

describe('Enter twice', () => {
  it.each(['scan', 'resize'] as const)('starts one job: %s', async (work) => {
    using window = await withImages()
    const { actions } = window.reprise
    await actions.takeImage(work, work === 'scan' ? unscannedImage.path : sparseImage.path)
    const send = () =>
      work === 'scan'
        ? actions.startScan({ reorder: true, allowFragmentedCatalog: false })
        : actions.startResize(40e9)
    await Promise.all([send(), send()])
    expect(tasksOf(window).map(({ kind }) => kind)).toEqual([work])
  })
})

describe('a request that takes its time', () => {
  it.each([
    ['~/Pictures', 'Pictures.dmg'],
    ['/home/ann/Pictures/', 'Pictures.dmg'],
    ['~', 'Untitled.dmg'],
    ['/', 'Untitled.dmg'],
  ])('is called after the folder that was typed: %s', async (typed, name) => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    actions.openCreate('folder')
    actions.typeFrom(typed)
    expect(view.getState().sheet).toMatchObject({ draft: { from: typed, name } })
    actions.changeDraft({ name: 'Mine.dmg', named: true })
    actions.typeFrom('')
    expect(view.getState().sheet).toMatchObject({ draft: { from: null, name: 'Mine.dmg' } })
  })

  it('is given up with the sheet', async () => {
    using window = await withImages()
    const { actions } = window.reprise
    const given = Promise.withResolvers<void>()
    window.double.answer('image.start', async (_, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      given.resolve()
      throw signal.reason
    })
    actions.openCreate('device', 'disk:/dev/sdb')
    const starting = actions.startDraft()
    await settle()
    expect(sheetOf(window)).toMatchObject({ kind: 'make', starting: true, draft: { from: '/dev/sdb' } })
    actions.closeSheet()
    await given.promise
    await starting
    expect(sheetOf(window)).toMatchObject({ kind: 'make', starting: false, problem: null })
  })
})
