import { describe, expect, it } from 'vitest'
import {
  describeObstacle,
  sourceObstacle,
  type DestinationChoice,
  type Item,
} from '#src/renderer/store/index.ts'
import { FormatError, serializeError, DeviceError, type AppError } from '#shared/errors'
import type { Disk, Volume } from '#shared/model'
import { aDisk, aVolume, sandisk, systemDisk, systemImage } from '#test/ui-fixtures'

const told = (item: Item, destination: DestinationChoice | null = null) => {
  const obstacle = sourceObstacle(item, destination)
  return obstacle && describeObstacle(obstacle)
}
const ofDisk = (disk: Disk): Item => ({ kind: 'disk', disk })
const ofVolume = (disk: Disk, volume: Volume): Item => ({ kind: 'volume', disk, volume })
const ofImage = (error: AppError | null = null): Item => ({
  kind: 'image',
  image: {
    path: systemImage.path,
    name: systemImage.name,
    practice: false,
    state: error ? 'failed' : 'ready',
    info: error ? null : systemImage,
    error: error && serializeError(error),
  },
})
const chosen = (disk: Disk | null, volume: Volume | null, locator: string): DestinationChoice => ({
  kind: volume ? 'volume' : disk ? 'disk' : 'file',
  locator,
  name: 'x',
  state: 'ready',
  disk,
  volume,
})

describe('why something cannot be the source', () => {
  it('has nothing against a disk, also where a volume of it is mounted', () => {
    expect(told(ofDisk(sandisk))).toBeNull()
    expect(told(ofVolume(sandisk, sandisk.volumes[1]!))).toBeNull()
    expect(told(ofImage())).toBeNull()
  })

  it('is that it is the destination, or a part of it', () => {
    const [efi, untitled] = sandisk.volumes
    const disk = chosen(sandisk, null, sandisk.path)
    expect(told(ofDisk(sandisk), disk)).toBe('It is the destination')
    expect(told(ofVolume(sandisk, efi!), disk)).toBe('It is the destination')
    const volume = chosen(sandisk, untitled!, untitled!.path)
    expect(told(ofDisk(sandisk), volume)).toBe('It is the destination')
    expect(told(ofVolume(sandisk, untitled!), volume)).toBe('It is the destination')
    expect(told(ofVolume(sandisk, efi!), volume)).toBeNull()
    expect(told(ofDisk(sandisk), { ...disk, state: 'gone' })).toBeNull()
    expect(told(ofImage(), chosen(null, null, systemImage.path))).toBe('It is the destination')
    const loop = aDisk({ path: '/dev/loop0', backingFile: systemImage.path })
    expect(told(ofImage(), chosen(loop, null, loop.path))).toBe('It is the destination')
  })

  it('is that a job writes to it, not that one reads it', () => {
    expect(told(ofDisk({ ...sandisk, busy: true }))).toBe('In use by a job')
    expect(told(ofDisk({ ...sandisk, busy: true, onlyRead: true }))).toBeNull()
  })

  it('is that this computer runs from it, and has it mounted for writing', () => {
    const [efi, root, swap] = systemDisk.volumes
    expect(told(ofDisk(systemDisk))).toBe('Runs this computer (/)')
    expect(told(ofVolume(systemDisk, root!))).toBe('Runs this computer (/)')
    expect(told(ofVolume(systemDisk, { ...efi!, mountedReadOnly: true }))).toBeNull()
    expect(told(ofVolume(systemDisk, swap!))).toBeNull()
    const used = { ...systemDisk, users: [{ path: swap!.path, by: 'swap' }] }
    expect(told(ofVolume(used, swap!))).toBe('In use by swap')
    expect(told(ofVolume(used, { ...efi!, mountPoints: [] }))).toBeNull()
  })

  it('is what stands on a disk that Reprise runs from, not that it does', () => {
    const stick = {
      ...sandisk,
      protection: { kind: 'program', path: '/media/ann/UNTITLED/reprise' },
    } as const
    expect(told(ofDisk(stick))).toBeNull()
    expect(told(ofDisk({ ...stick, users: [{ path: '/dev/sdb2', by: 'LVM (vg0)' }] }))).toBe(
      'In use by LVM (vg0)',
    )
  })

  it('is that something is built on it, or that there is nothing in it', () => {
    const member = aDisk({ path: '/dev/sdd', protection: { kind: 'in-use', by: 'LVM (vg0)' } })
    expect(told(ofDisk(member))).toBe('In use by LVM (vg0)')
    expect(told(ofVolume(sandisk, aVolume({ path: '/dev/sdb9', sizeBytes: 0 })))).toBe('It holds no medium')
    // Nothing is written to it.
    const locked = aDisk({ path: '/dev/sdd', readOnly: true, protection: { kind: 'read-only' } })
    expect(told(ofDisk(locked))).toBeNull()
  })

  it('is that a file is no image; what could not be reached may be there by now, and a password opens', () => {
    const details = { format: 'raw', field: 'size', offset: 0, found: 0 }
    expect(told(ofImage(new FormatError('E_SRC_FORMAT', 'x', { details })))).toBe("It couldn't be read")
    expect(told(ofImage(new FormatError('E_SRC_ENCRYPTED', 'x', { details })))).toBeNull()
    expect(told(ofImage(new DeviceError('E_NOT_FOUND', 'x', { details: { path: '/x' } })))).toBeNull()
  })
})
