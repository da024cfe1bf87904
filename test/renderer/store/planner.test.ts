import { describe, expect, it } from 'vitest'
import { DeviceError } from '#shared/errors'
import type { Disk } from '#shared/model'
import { createUiDouble } from '#test/ui-double'
import { anImageJob, ended, planFor, sandisk, smallStick, systemDisk, systemImage } from '#test/ui-fixtures'
import { restoreBlock, volumeChoice } from '#src/renderer/store/index.ts'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'

const asked = ({ double }: TestWindow) => double.calls.filter((call) => call.name === 'restore.plan').length
const plan = ({ reprise }: TestWindow) => reprise.view.getState().plan

describe('the planner', () => {
  it('asks once for a burst of changes', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestination('disk:/dev/sdb')
    actions.setOption('verify', false)
    actions.setOption('erase', true)
    await window.planned()
    expect(asked(window)).toBe(1)
    expect(plan(window)).toMatchObject({
      state: 'ready',
      plan: { request: { source: systemImage.path, target: '/dev/sdb', erase: true, verify: false } },
    })
  })

  it('asks which volume of an image goes into a partition, and with the answer only there', async () => {
    const [efi, main] = systemImage.partitions
    const partitions = [efi!, main!, { ...main!, index: 3, label: 'Data' }]
    const image = { ...systemImage, partitions }
    const double = createUiDouble({ devices: [sandisk], images: [image] })
    using window = await openWindow({ double })
    const { actions, mirror, view } = window.reprise
    const choice = () => volumeChoice(mirror.getState(), view.getState())
    const sent = () => double.calls.findLast(({ name }) => name === 'restore.plan')?.input
    await actions.chooseSourceFile(image.path)
    actions.chooseDestination('volume:/dev/sdb2')
    await window.planned()
    expect(choice()).toEqual({ chosen: null, image })
    expect(restoreBlock(mirror.getState(), view.getState())).toEqual({ kind: 'no-volume' })

    actions.choosePartition(3)
    await window.planned()
    expect(sent()).toMatchObject({ target: '/dev/sdb2', sourcePartition: 3 })
    expect(choice()).toMatchObject({ chosen: 3 })

    // Another scan says nothing of where it lies; another image does.
    double.images = [{ ...image, modifiedMs: image.modifiedMs + 1 }]
    await actions.readAgain(image.path)
    expect(choice()).toMatchObject({ chosen: 3 })
    double.images = [
      { ...image, partitions: [efi!, main!, { ...main!, index: 3, offset: main!.offset + 512 }] },
    ]
    await actions.readAgain(image.path)
    await window.planned()
    expect(choice()).toMatchObject({ chosen: null })
    double.images = [image]
    await actions.readAgain(image.path)
    actions.choosePartition(3)
    await window.planned()
    expect(choice()).toMatchObject({ chosen: 3 })

    actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    expect(sent()).not.toHaveProperty('sourcePartition')
    expect(choice()).toBeNull()

    await actions.chooseSourceFile(image.path)
    actions.chooseDestination('volume:/dev/sdb2')
    await window.planned()
    expect(choice()).toMatchObject({ chosen: null })
  })

  it('asks again when the destination disk itself has changed', async () => {
    using window = await readyWindow()
    window.double.setDevices([{ ...sandisk, volumes: [] }])
    await window.planned()
    expect(asked(window)).toBe(2)
    expect(plan(window)).toMatchObject({ plan: { losses: [{ kind: 'partition-map' }] } })
  })

  it('does not ask when another disk has changed', async () => {
    using window = await readyWindow()
    window.double.unplug('/dev/sdc')
    await window.planned()
    expect(asked(window)).toBe(1)
  })

  describe('that was refused', () => {
    /** The destination is in use; `free` lets it go, which nothing tells. */
    const refusedWindow = async () => {
      const window = await openWindow()
      const { double } = window
      const busy = new DeviceError('E_DST_BUSY', 'in use', { details: { path: '/dev/sdb' } })
      double.answer('restore.plan', () => Promise.reject(busy))
      await window.reprise.actions.chooseSourceFile(systemImage.path)
      window.reprise.actions.chooseDestination('disk:/dev/sdb')
      window.reprise.actions.setOption('erase', true)
      await window.planned()
      const free = () =>
        double.answer('restore.plan', async (request) => planFor(request, double.devices, double.images))
      return Object.assign(window, { free })
    }

    it('asks again when any disk has changed, and leaves the answer on the screen meanwhile', async () => {
      using window = await refusedWindow()
      expect(plan(window)).toMatchObject({ state: 'failed' })
      window.free()
      window.double.unplug('/dev/sdc')
      await settle()
      expect(plan(window)).toMatchObject({ state: 'failed' })
      await window.planned()
      expect(plan(window)).toMatchObject({ state: 'ready', plan: { refusal: null } })
      window.double.plug(smallStick)
      await window.planned()
      expect(asked(window)).toBe(2)
    })

    it('asks again when a job has begun or ended, and not while it goes on', async () => {
      using window = await refusedWindow()
      const job = anImageJob('scan', 'Lab 2019.dmg', { phase: 'scanning', percent: 1 })
      window.double.sendJob(job)
      await window.planned()
      expect(asked(window)).toBe(2)
      window.double.sendJob({ ...job, stopping: true })
      await window.planned()
      expect(asked(window)).toBe(2)
      window.free()
      window.double.sendJob(ended(job, { kind: 'cancelled', target: 'untouched', percent: null }))
      await settle()
      window.clock.advance(200)
      await settle()
      expect(plan(window).state).toBe('ready')
    })

    it('asks again when something changed while it was being asked', async () => {
      using window = await refusedWindow()
      const answer = Promise.withResolvers<never>()
      window.double.answer('restore.plan', () => answer.promise)
      window.double.unplug('/dev/sdc')
      await window.planned()
      window.free()
      window.double.plug(smallStick)
      await window.planned()
      expect(asked(window)).toBe(2)
      answer.reject(new Error('odd'))
      await settle()
      window.clock.advance(200)
      await settle()
      expect(plan(window).state).toBe('ready')
    })

    it('waits longer each time, since the asking itself may be what changes the disks', async () => {
      using window = await refusedWindow()
      let size = 0
      window.double.answer('restore.plan', async () => {
        window.double.setDevices([sandisk, { ...smallStick, sizeBytes: (size += 1) }])
        throw new Error('odd')
      })
      window.double.unplug('/dev/sdc')
      for (let seconds = 0; seconds < 60; seconds += 0.1) {
        window.clock.advance(100)
        await settle()
      }
      expect(asked(window)).toBeLessThan(16)
    })

    it('asks again when the person wants it, and says so', async () => {
      using window = await refusedWindow()
      window.free()
      window.reprise.actions.checkAgain()
      expect(plan(window)).toEqual({ state: 'checking', previous: null, refused: true })
      await window.planned()
      expect(plan(window)).toMatchObject({ state: 'ready', plan: { refusal: null } })
    })
  })

  it('asks again when the volume that the image lies on is unmounted, or mounted', async () => {
    const image = { ...systemImage, path: '/media/ann/KINGSTON/System.dmg' }
    const volume = { ...smallStick.volumes[0]!, mountPoints: ['/media/ann/KINGSTON'] }
    const mounted = { ...smallStick, volumes: [volume] }
    const double = createUiDouble({ devices: [systemDisk, mounted, sandisk], images: [image] })
    using window = await openWindow({ double })
    await window.reprise.actions.chooseSourceFile(image.path)
    window.reprise.actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    const askedAfter = async (stick: Disk) => {
      double.setDevices([systemDisk, stick, sandisk])
      await window.planned()
      return asked(window)
    }
    expect(await askedAfter({ ...mounted, volumes: [{ ...volume, usedBytes: 1 }] })).toBe(1)
    expect(await askedAfter(smallStick)).toBe(2)
    expect(await askedAfter(mounted)).toBe(3)
  })

  it('keeps the last answer on the screen while the next is on its way', async () => {
    using window = await readyWindow()
    window.reprise.actions.setOption('clearUnused', true)
    expect(plan(window)).toMatchObject({ state: 'checking', previous: { request: { clearUnused: false } } })
  })

  it('does not show an answer about another disk', async () => {
    using window = await readyWindow()
    window.reprise.actions.chooseDestination('volume:/dev/sdb2')
    expect(plan(window)).toEqual({ state: 'checking', previous: null })
  })

  it('takes only the answer to the last question', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    const first = Promise.withResolvers<void>()
    let aborted = false
    window.double.answer('restore.plan', async (_, signal) => {
      signal.addEventListener('abort', () => {
        aborted = true
        first.reject(new Error('aborted'))
      })
      await first.promise
      throw new Error('never')
    })
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    actions.clearDestination()
    await settle()
    expect(aborted).toBe(true)
    expect(plan(window)).toEqual({ state: 'none' })
  })

  it('makes a new plan before the old one expires', async () => {
    using window = await readyWindow()
    window.clock.advance(8 * 60_000)
    await window.planned()
    expect(asked(window)).toBe(2)
  })

  it('makes a new plan when the computer slept until the old one expired', async () => {
    using window = await readyWindow()
    window.clock.sleep(3_600_000)
    window.clock.advance(10_000)
    await window.planned()
    expect(asked(window)).toBe(2)
  })

  it('makes a new plan before it lets anybody agree to one that expired while the computer slept', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.clock.sleep(3_600_000)
    actions.openConfirm()
    expect(view.getState().sheet).toBeNull()
    await window.planned()
    expect(asked(window)).toBe(2)
    expect(view.getState().sheet).toEqual({ kind: 'confirm' })

    window.clock.sleep(3_600_000)
    await actions.confirmRestore(null)
    expect(plan(window).state).toBe('checking')
    await window.planned()
    expect(asked(window)).toBe(3)
    expect(view.getState().sheet).toEqual({ kind: 'confirm' })
    await actions.confirmRestore(null)
    expect(view.getState().restoreJobId).not.toBeNull()
  })

  it('shows why there is no plan', async () => {
    using window = await openWindow()
    window.double.answer('restore.plan', async () => {
      throw new Error('odd')
    })
    await window.reprise.actions.chooseSourceFile(systemImage.path)
    window.reprise.actions.chooseDestination('disk:/dev/sdb')
    await window.planned()
    expect(plan(window)).toMatchObject({ state: 'failed', error: { code: 'E_BUG' } })
  })

  it('plans anew after the connection was lost and found', async () => {
    using window = await readyWindow()
    window.double.lose()
    await settle()
    expect(plan(window)).toEqual({ state: 'none' })
    window.clock.advance(250)
    await settle()
    await window.planned()
    expect(plan(window).state).toBe('ready')
  })
})
