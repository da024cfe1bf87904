import { describe, expect, it } from 'vitest'
import { canEject, sidebarGroups, volumeName } from '#src/renderer/store/index.ts'
import {
  aDisk,
  archiveDisk,
  attachedImage,
  aVolume,
  practiceDisk,
  practiceImage,
  sandisk,
  systemDisk,
} from '#test/ui-fixtures'
import { openWindow, settle } from '#test/ui-window'

const ejects = (disk: Parameters<typeof aDisk>[0]) => canEject({ kind: 'disk', disk: aDisk(disk) })

describe('Eject', () => {
  it('is for what can be taken away, removable medium or not', () => {
    expect(ejects({ ...sandisk, removable: false })).toBe(true)
    expect(ejects(attachedImage)).toBe(true)
  })

  it('is not for built-in, busy and system disks, nor for files', () => {
    expect(ejects(archiveDisk)).toBe(false)
    expect(ejects({ ...sandisk, busy: true })).toBe(false)
    expect(ejects({ ...systemDisk, internal: false })).toBe(false)
    expect(ejects(practiceDisk)).toBe(false)
  })
})

describe('the sidebar', () => {
  it('groups disks by where they are, and hides internal ones until they are shown', async () => {
    using window = await openWindow()
    window.double.setDevices([systemDisk, sandisk, attachedImage, practiceDisk])
    await settle()
    const { mirror, view, actions } = window.reprise
    const groups = () => sidebarGroups(mirror.getState(), view.getState())
    expect(groups()).toEqual([
      { name: 'external', disks: ['/dev/sdb'], images: [], streams: [] },
      { name: 'images', disks: ['/dev/loop4', practiceDisk.path], images: [practiceImage.path], streams: [] },
    ])
    actions.toggleInternalDisks()
    expect(groups()[0]).toEqual({ name: 'internal', disks: ['/dev/nvme0n1'], images: [], streams: [] })
  })
})

describe("a volume's name", () => {
  it('is its label, else its type, else its node', () => {
    expect(volumeName(aVolume({ path: '/dev/sda1', label: 'DATA' }))).toBe('DATA')
    expect(volumeName(aVolume({ path: '/dev/sda1', label: ' ', partitionType: 'EFI System' }))).toBe(
      'EFI System',
    )
    expect(volumeName(aVolume({ path: '/dev/sda1' }))).toBe('sda1')
  })
})
