import { describe, expect, it } from 'vitest'
import { EngineGoneError } from '#shared/errors'
import type { ImageInfo, SourceInfo } from '#shared/model'
import { createUiDouble } from '#test/ui-double'
import { sandisk, smallStick, systemDisk, systemImage } from '#test/ui-fixtures'
import { openWindow, readyWindow, settle } from '#test/ui-window'

describe('the wells', () => {
  it('start empty: no destination is ever preselected', async () => {
    using window = await openWindow()
    const { source, destination, options } = window.reprise.view.getState()
    expect(source).toBeNull()
    expect(destination).toBeNull()
    expect(options.erase).toBe(false)
  })

  it('put a read image into the sidebar', async () => {
    using window = await openWindow()
    await window.reprise.actions.chooseSourceFile(systemImage.path)
    const { source, images } = window.reprise.view.getState()
    expect(source).toMatchObject({ state: 'ready', name: 'ModularSystem.dmg' })
    expect(images.map((image) => image.name)).toContain('ModularSystem.dmg')
  })

  it('keep the name of a file that cannot be read, with the reason', async () => {
    using window = await openWindow()
    await window.reprise.actions.chooseSourceFile('/home/ann/cat.png')
    expect(window.reprise.view.getState().source).toMatchObject({
      name: 'cat.png',
      state: 'failed',
      error: { code: 'E_SRC_FORMAT' },
    })
  })

  it('leave it to the person to read again what the engine died over', async () => {
    using window = await openWindow()
    const details = { exitCode: null, signal: 'SIGSEGV', lastLines: [] }
    window.double.answer('source.inspect', async () => {
      throw new EngineGoneError('E_ENGINE_GONE', 'killed', { details })
    })
    await window.reprise.actions.chooseSourceFile(systemImage.path)
    window.double.sendEngine('gone', null)
    window.double.sendEngine('ready', null)
    await settle()
    expect(window.double.calls.filter(({ name }) => name === 'source.inspect')).toHaveLength(1)
    expect(window.reprise.view.getState().source).toMatchObject({
      state: 'failed',
      locator: systemImage.path,
    })
  })

  it('do not take an answer about a source that was replaced meanwhile', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const slow = actions.chooseSourceFile(systemImage.path)
    actions.chooseSource('disk:/dev/sdb')
    await slow
    expect(view.getState().source?.locator).toBe('/dev/sdb')
  })

  it('show what the last question found out about an image, in whatever order the answers come', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const answers: PromiseWithResolvers<ImageInfo>[] = []
    window.double.answer('image.info', () => {
      const answer = Promise.withResolvers<ImageInfo>()
      answers.push(answer)
      return answer.promise
    })
    await actions.chooseSourceFile(systemImage.path)
    const before = actions.openImage(systemImage.path)
    // It is scanned meanwhile.
    const after = actions.readAgain(systemImage.path)
    await settle()
    const unscanned = { ...systemImage, scan: null }
    answers[1]?.resolve(systemImage)
    await after
    answers[0]?.resolve(unscanned)
    await before
    const { images, source } = view.getState()
    expect(images.find(({ path }) => path === systemImage.path)).toMatchObject({
      state: 'ready',
      info: { scan: systemImage.scan },
    })
    expect(source).toMatchObject({ state: 'ready', info: { image: { scan: systemImage.scan } } })
  })

  it('do not take an older answer about the source than the sidebar has', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const answer = Promise.withResolvers<SourceInfo>()
    window.double.answer('source.inspect', () => answer.promise)
    const chosen = actions.chooseSourceFile(systemImage.path)
    await actions.readAgain(systemImage.path)
    const image = { ...systemImage, scan: null }
    answer.resolve({ kind: 'image', locator: image.path, name: image.name, image })
    await chosen
    const { images, source } = view.getState()
    expect(images.find(({ path }) => path === image.path)?.info?.scan).toEqual(systemImage.scan)
    expect(source).toMatchObject({ state: 'ready', info: { image: { scan: systemImage.scan } } })
  })

  it('put no image into the sidebar that is not wanted any more', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const answer = Promise.withResolvers<SourceInfo>()
    window.double.answer('source.inspect', () => answer.promise)
    const chosen = actions.chooseSourceFile(systemImage.path)
    actions.clearSource()
    answer.resolve({ kind: 'image', locator: systemImage.path, name: systemImage.name, image: systemImage })
    await chosen
    expect(view.getState().images.map(({ path }) => path)).not.toContain(systemImage.path)
  })

  it('refuse a destination that cannot be one', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    actions.chooseDestination('disk:/dev/mmcblk0')
    expect(view.getState().destination).toBeNull()
    await actions.openImage(systemImage.path)
    actions.chooseDestination(`image:${systemImage.path}`)
    expect(view.getState().destination).toBeNull()
  })

  it('let go of a destination that a new source cannot go to, and say why', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    actions.chooseDestination('disk:/dev/sdc')
    actions.setOption('erase', true)
    const chosen = actions.chooseSourceFile(systemImage.path)
    // What is still read decides nothing.
    expect(view.getState()).toMatchObject({ destination: { locator: '/dev/sdc' }, options: { erase: true } })
    await chosen
    expect(view.getState()).toMatchObject({
      source: { state: 'ready' },
      destination: null,
      options: { erase: false },
      notice: { kind: 'destination-left', name: 'Kingston DataTraveler', problem: { kind: 'too-small' } },
    })
    actions.chooseDestination('disk:/dev/sdb')
    expect(view.getState().notice).toBeNull()
  })

  it('let go of a destination that is the new source, or a part of it', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    for (const destination of ['disk:/dev/sdb', 'volume:/dev/sdb2'] as const) {
      actions.clearSource()
      actions.chooseDestination(destination)
      actions.chooseSource('disk:/dev/sdb')
      expect(view.getState()).toMatchObject({
        destination: null,
        notice: { kind: 'destination-left', problem: { kind: 'same' } },
      })
    }
    actions.clearSource()
    actions.chooseDestination('volume:/dev/sdb2')
    actions.chooseSource('volume:/dev/sdb1')
    expect(view.getState().destination).toMatchObject({ locator: '/dev/sdb2' })
  })

  it('let go of a destination that the image outgrew', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.answer('image.info', async () => ({ ...systemImage, sizeBytes: 100e9 }))
    await actions.readAgain(systemImage.path)
    expect(view.getState()).toMatchObject({ destination: null, notice: { name: 'SanDisk Ultra' } })
  })

  it('keep the destination of a restore that starts, or is shown', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.answer('image.info', async () => ({ ...systemImage, sizeBytes: 100e9 }))
    view.setState({ restoreJobId: 'job-1' })
    await actions.readAgain(systemImage.path)
    expect(view.getState()).toMatchObject({
      source: { info: { image: { sizeBytes: 100e9 } } },
      destination: { locator: '/dev/sdb' },
      options: { erase: true },
    })
  })

  it('untick Erase for another destination', async () => {
    using window = await readyWindow()
    window.reprise.actions.chooseDestination('volume:/dev/sdb2')
    expect(window.reprise.view.getState().options.erase).toBe(false)
  })

  it('strike a destination that was unplugged, and untick Erase', async () => {
    using window = await readyWindow()
    window.double.unplug('/dev/sdb')
    await settle()
    const { destination, options, plan } = window.reprise.view.getState()
    expect(destination).toMatchObject({ name: 'SanDisk Ultra', state: 'gone' })
    expect(options.erase).toBe(false)
    expect(plan.state).toBe('none')
  })

  it('do not take a disk back by themselves when it is plugged in again', async () => {
    using window = await readyWindow()
    window.double.unplug('/dev/sdb')
    await settle()
    window.double.plug(sandisk)
    await settle()
    expect(window.reprise.view.getState().destination?.state).toBe('gone')
    window.reprise.actions.chooseDestination('disk:/dev/sdb')
    expect(window.reprise.view.getState().destination?.state).toBe('ready')
  })

  it('strike a destination whose place another disk has taken', async () => {
    using window = await readyWindow()
    window.double.setDevices([{ ...smallStick, path: '/dev/sdb' }])
    await settle()
    expect(window.reprise.view.getState().destination?.state).toBe('gone')
  })

  it('strike an image whose disk was unplugged, though it was unmounted before', async () => {
    const image = { ...systemImage, path: '/media/ann/KINGSTON/System.dmg' }
    const [volume] = smallStick.volumes
    const mounted = { ...smallStick, volumes: [{ ...volume!, mountPoints: ['/media/ann/KINGSTON'] }] }
    using window = await openWindow({
      double: createUiDouble({ devices: [systemDisk, mounted, sandisk], images: [image] }),
    })
    const { actions, view } = window.reprise
    await actions.chooseSourceFile(image.path)
    window.double.setDevices([systemDisk, smallStick])
    await settle()
    expect(view.getState().source?.state).toBe('ready')
    window.double.setDevices([systemDisk])
    await settle()
    expect(view.getState().source).toMatchObject({ name: image.name, state: 'gone' })
    window.double.plug({ ...mounted, path: '/dev/sdd' })
    await settle()
    expect(view.getState().source?.state).toBe('gone')
    await actions.readAgain(image.path)
    window.double.setDevices([...window.double.devices, sandisk])
    await settle()
    expect(view.getState().source?.state).toBe('ready')
  })

  it('strike a volume that is no longer on its disk', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    actions.chooseDestination('volume:/dev/sdb2')
    actions.chooseSource('volume:/dev/sdb1')
    window.double.setDevices([{ ...sandisk, volumes: [] }])
    await settle()
    expect(view.getState().destination?.state).toBe('gone')
    expect(view.getState().source?.state).toBe('gone')
  })

  it('strike a volume whose place on its disk is another one', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    actions.chooseDestination('volume:/dev/sdb2')
    actions.chooseSource('volume:/dev/sdb1')
    const volumes = sandisk.volumes.map((volume) => ({ ...volume, offset: volume.offset + 512 }))
    window.double.setDevices([{ ...sandisk, volumes }])
    await settle()
    expect(view.getState().destination?.state).toBe('gone')
    expect(view.getState().source?.state).toBe('gone')
  })

  it('show a renamed volume by its new name', async () => {
    using window = await openWindow()
    window.reprise.actions.chooseDestination('volume:/dev/sdb2')
    const [efi, untitled] = sandisk.volumes
    window.double.setDevices([{ ...sandisk, volumes: [efi!, { ...untitled!, label: 'PHOTOS' }] }])
    await settle()
    expect(window.reprise.view.getState().destination).toMatchObject({ state: 'ready', name: 'PHOTOS' })
  })

  it('drop the selection when another disk has taken the place of the selected one', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    for (const id of ['disk:/dev/sdb', 'volume:/dev/sdb2'] as const) {
      window.double.setDevices([sandisk])
      await settle()
      actions.select(id)
      window.double.setDevices([{ ...sandisk, name: 'Renamed' }])
      await settle()
      expect(view.getState().selected).toBe(id)
      window.double.setDevices([{ ...sandisk, identity: 'another stick' }])
      await settle()
      expect(view.getState().selected).toBeNull()
    }
  })

  it('drop the selection with the disk', async () => {
    using window = await openWindow()
    window.reprise.actions.select('volume:/dev/sdb2')
    window.double.unplug('/dev/sdb')
    await settle()
    expect(window.reprise.view.getState().selected).toBeNull()
  })
})
