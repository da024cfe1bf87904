import { describe, expect, it } from 'vitest'
import type { RestoreDeps } from '#engine/copy'
import type { MountedVolume } from '#engine/platform'
import { DeviceError } from '#shared/errors'
import type { Volume } from '#shared/model'
import { makeVolume } from '#test/fake-disk'
import { FakeMachine } from '#test/fake-platform'
import { examineSource } from '#src/main/engine/copy/examine-source.ts'
import { disksRead, unmountSource } from '#src/main/engine/copy/source-volumes.ts'

const never = new AbortController().signal

/** A disk with two mounted volumes. */
function bench() {
  const machine = new FakeMachine()
  const volumes = [1, 2].map((index) =>
    makeVolume({
      path: `/dev/sdc${index}`,
      index,
      offset: index * 1024 * 1024,
      sizeBytes: 1024 * 1024,
      mountPoints: [`/media/${index}`],
    }),
  )
  const disk = machine.addDisk({ path: '/dev/sdc', sizeBytes: 4 * 1024 * 1024, volumes })
  return { machine, disk, deps: { platform: machine.platform, io: machine.io } }
}

async function begin(path: string, deps: RestoreDeps) {
  const { source } = await examineSource({ source: path }, deps, never)
  if (source === null) throw new Error('no source')
  return { source, ...(await unmountSource(source, deps, never)) }
}

const mountings = ({ calls }: FakeMachine) => calls.filter((call) => /^(un|re)mount /.test(call))

describe('the volumes of a disk that is read', () => {
  it('are mounted again when the last who reads it is done', async () => {
    const { machine, deps } = bench()
    const told: number[] = []
    using _ = disksRead.onChange(() => told.push(disksRead.now().size))
    const first = await begin('/dev/sdc', deps)
    const second = await begin('/dev/sdc1', deps)
    expect([...disksRead.now()]).toEqual(['/dev/sdc'])
    expect(await first.giveBack(never)).toEqual([])
    expect(mountings(machine)).toEqual(['unmount /dev/sdc'])
    await second.giveBack(never)
    expect(mountings(machine)).toEqual(['unmount /dev/sdc', 'remount /dev/sdc: /media/1 /media/2'])
    expect(told).toEqual([1, 0])
  })

  it('stay unmounted while another program reads the disk, and that is told', async () => {
    const { machine, deps } = bench()
    const { giveBack } = await begin('/dev/sdc', deps)
    machine.openElsewhere = ['reprise (12)']
    expect(await giveBack(never)).toMatchObject([
      { code: 'E_SRC_IN_USE', details: { path: '/dev/sdc1', holders: ['reprise (12)'], left: 'mount' } },
      { code: 'E_SRC_IN_USE', details: { path: '/dev/sdc2', holders: ['reprise (12)'], left: 'mount' } },
    ])
    expect(mountings(machine)).toEqual(['unmount /dev/sdc'])
    expect(disksRead.now().size).toBe(0)
  })

  it('are left to whoever mounts them where the disk was pulled out', async () => {
    const { machine, deps } = bench()
    const gone = new DeviceError('E_NOT_FOUND', 'gone', { details: { path: '/dev/sdc' } })
    const platform = { ...deps.platform, openElsewhere: () => Promise.reject(gone) }
    const { giveBack } = await begin('/dev/sdc', { ...deps, platform })
    expect(await giveBack(never)).toEqual([])
    expect(mountings(machine)).toHaveLength(2)
  })

  it('are mounted again once, however often it is asked for', async () => {
    const { machine, deps } = bench()
    const { giveBack } = await begin('/dev/sdc', deps)
    await Promise.all([giveBack(never), giveBack(never)])
    await giveBack(never)
    expect(mountings(machine)).toHaveLength(2)
  })

  it('are unmounted for who comes while they are being mounted, though they looked unmounted', async () => {
    const { machine, deps } = bench()
    const mounting = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const slow: RestoreDeps = {
      ...deps,
      platform: {
        ...deps.platform,
        remount: async (path: string, before: readonly MountedVolume[]) => {
          begun.resolve()
          await mounting.promise
          return deps.platform.remount(path, before)
        },
      },
    }
    const first = await begin('/dev/sdc', slow)
    const { source } = await examineSource({ source: '/dev/sdc' }, deps, never)
    const done = first.giveBack(never)
    await begun.promise
    const second = unmountSource(source!, slow, never)
    mounting.resolve()
    await done
    const { giveBack } = await second
    expect(mountings(machine)).toEqual([
      'unmount /dev/sdc',
      'remount /dev/sdc: /media/1 /media/2',
      'unmount /dev/sdc',
    ])
    await giveBack(never)
    expect(disksRead.now().size).toBe(0)
  })

  it('let the disk be held alone once they are unmounted, and not while one stays mounted read-only', async () => {
    const { disk, deps } = bench()
    const mount = (...how: readonly Partial<Volume>[]) => {
      const volumes = disk.disk.volumes.map((volume, i) => ({ ...volume, mountPoints: [], ...how[i] }))
      disk.disk = { ...disk.disk, volumes }
    }
    const still = { mountPoints: ['/media/1'], mountedReadOnly: true }
    const written = { mountPoints: ['/media/2'] }
    const release = async (path: string, meanwhile: () => void = () => undefined) => {
      const { source } = await examineSource({ source: path }, deps, never)
      meanwhile()
      const { canBeHeld, giveBack } = await unmountSource(source!, deps, never)
      await giveBack(never)
      return canBeHeld
    }
    mount(still)
    expect(await release('/dev/sdc')).toBe(false)
    expect(await release('/dev/sdc2')).toBe(true)
    // A desktop mounts the other one after the look: all of the disk is unmounted then.
    expect(await release('/dev/sdc', () => mount(still, written))).toBe(true)
    mount(still)
    expect(await release('/dev/sdc1', () => mount({ ...still, mountedReadOnly: false }))).toBe(true)
    mount(still, written)
    expect(await release('/dev/sdc')).toBe(true)
    mount()
    expect(await release('/dev/sdc')).toBe(true)
    expect(await release('/dev/sdc', () => mount(still))).toBe(false)
    expect(await release('/dev/sdc', () => mount())).toBe(true)
    // Opening it says that it isn't there any more.
    await release('/dev/sdc', () => {
      disk.isGone = true
    })
  })

  it('let nobody hold them alone once all of a hybrid disk was mounted read-only beside them', async () => {
    const { disk, deps } = bench()
    const { source } = await examineSource({ source: '/dev/sdc1' }, deps, never)
    const whole = makeVolume({
      path: '/dev/sdc',
      index: 0,
      sizeBytes: disk.disk.sizeBytes,
      mountPoints: ['/media/disc'],
      mountedReadOnly: true,
    })
    disk.disk = { ...disk.disk, volumes: [whole, ...disk.disk.volumes] }
    const { canBeHeld, giveBack } = await unmountSource(source!, deps, never)
    expect(canBeHeld).toBe(false)
    expect(await giveBack(never)).toEqual([])
  })

  it('stay as they are when they cannot be unmounted, and the disk is not read then', async () => {
    const { machine, deps } = bench()
    const busy = new DeviceError('E_DST_BUSY', 'busy', { details: { path: '/dev/sdc', holders: ['vi (7)'] } })
    const refused = { ...deps, platform: { ...deps.platform, unmount: () => Promise.reject(busy) } }
    await expect(begin('/dev/sdc', refused)).rejects.toMatchObject({
      code: 'E_SRC_IN_USE',
      details: { holders: ['vi (7)'] },
    })
    expect([mountings(machine), disksRead.now().size]).toEqual([[], 0])
  })

  it('that cannot be mounted again are told of', async () => {
    const { deps } = bench()
    const refused = {
      ...deps,
      platform: { ...deps.platform, remount: () => Promise.reject(new Error('no')) },
    }
    const { giveBack } = await begin('/dev/sdc', refused)
    expect(await giveBack(never)).toMatchObject([{ message: 'no' }])
    expect(disksRead.now().size).toBe(0)
  })
})
