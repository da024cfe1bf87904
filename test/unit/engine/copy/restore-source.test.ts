import { describe, expect, it } from 'vitest'
import type { RestoreDeps } from '#engine/copy'
import type { Volume } from '#shared/model'
import { makeVolume } from '#test/fake-disk'
import { FakeMachine } from '#test/fake-platform'
import { bufferSizes } from '#src/main/engine/copy/buffer-sizes.ts'
import { examineSource } from '#src/main/engine/copy/examine-source.ts'
import { openRestoreSource } from '#src/main/engine/copy/restore-source.ts'

const never = new AbortController().signal
const sizes = bufferSizes({ buffers: null, bufferBytes: null, csumBuffers: null, csumBufferBytes: null })

/** A disk with two volumes that aren't mounted. `isAlone`: nobody else reads it. */
async function bench({ isAlone, path = '/dev/sdc' }: { readonly isAlone: boolean; readonly path?: string }) {
  const machine = new FakeMachine()
  const volumes = [1, 2].map((index) =>
    makeVolume({ path: `/dev/sdc${index}`, index, offset: index * 1024 * 1024, sizeBytes: 1024 * 1024 }),
  )
  const disk = machine.addDisk({ path: '/dev/sdc', sizeBytes: 4 * 1024 * 1024, volumes })
  const { platform, io } = machine
  const deps: RestoreDeps = {
    platform,
    io: {
      ...io,
      holdDevice: async (...asked) => ({ ...(await io.holdDevice(...asked)), isAlone }),
    },
  }
  const { source } = await examineSource({ source: path }, deps, never)
  if (source?.kind !== 'device') throw new Error('no source')
  return {
    disk,
    open: () => openRestoreSource(source, { canBeHeld: true }, deps, sizes, never),
    mount: (...how: readonly Partial<Volume>[]) => {
      const now = disk.disk.volumes.map((volume, i) => ({ ...volume, mountPoints: [], ...how[i] }))
      disk.disk = { ...disk.disk, volumes: now }
    },
  }
}

const forWriting = { mountPoints: ['/media/1'], mountedReadOnly: false }
const readOnly = { mountPoints: ['/media/1'], mountedReadOnly: true }

describe('a device that is read beside others, who keep nobody from mounting it', () => {
  it('is refused when it was mounted for writing before it was open', async () => {
    const { open, mount } = await bench({ isAlone: false })
    mount(forWriting)
    await expect(open()).rejects.toMatchObject({
      code: 'E_SRC_IN_USE',
      details: { path: '/dev/sdc', holders: ['what is mounted at /media/1'] },
    })
    mount(readOnly)
    await using source = await open()
    await source.checkUnchanged()
  })

  it('has changed when it is mounted for writing afterwards', async () => {
    const { open, mount } = await bench({ isAlone: false })
    await using source = await open()
    mount(readOnly)
    await source.checkUnchanged()
    mount(forWriting)
    await expect(source.checkUnchanged()).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
      details: { path: '/dev/sdc', when: 'reading' },
    })
  })

  it('has not changed with another volume of its disk, nor where it was pulled out since', async () => {
    const { disk, open, mount } = await bench({ isAlone: false, path: '/dev/sdc2' })
    await using source = await open()
    mount(forWriting)
    await expect(source.checkUnchanged()).resolves.toBeUndefined()
    disk.isGone = true
    await expect(source.checkUnchanged()).resolves.toBeUndefined()
  })

  it('is not looked at where it is held: there nobody mounts it', async () => {
    const { open, mount } = await bench({ isAlone: true })
    await using source = await open()
    mount(forWriting)
    await expect(source.checkUnchanged()).resolves.toBeUndefined()
  })
})
