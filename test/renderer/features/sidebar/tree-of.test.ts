import { describe, expect, it } from 'vitest'
import { commands } from '#src/renderer/app/commands.ts'
import { treeOf } from '#src/renderer/features/sidebar/tree-of.ts'
import { aDisk, attachedImage, practiceDisk, practiceImage, sandisk } from '#test/ui-fixtures'
import { openWindow, settle } from '#test/ui-window'

describe('the tree of the sidebar', () => {
  it('lists all devices, or only volumes, beside the Practice disk and the images', async () => {
    using window = await openWindow()
    const blank = aDisk({ path: '/dev/sdd', name: 'Blank' })
    window.double.setDevices([sandisk, blank, attachedImage, practiceDisk])
    await settle()
    const { mirror, view } = window.reprise
    const names = () =>
      treeOf(mirror.getState(), view.getState()).map(({ name, rows }) => [
        name,
        ...rows.map((row) => [row.name, ...row.volumes.map((volume) => volume.name)].join(' > ')),
      ])
    const practice = `${practiceDisk.name} > ${practiceDisk.volumes.map(({ label }) => label).join(' > ')}`
    const devices = [
      ['external', 'SanDisk Ultra > EFI > UNTITLED', 'Blank'],
      ['images', 'notes.img > Notes', practice, practiceImage.name],
    ]
    expect(names()).toEqual(devices)
    commands['show-volumes'].run(window.reprise)
    expect(commands['show-volumes'].checked?.(mirror.getState(), view.getState())).toBe(true)
    expect(names()).toEqual([
      ['external', 'EFI', 'UNTITLED'],
      ['images', 'Notes', practice, practiceImage.name],
    ])
    // A group without a row isn't there.
    window.double.setDevices([blank, { ...practiceDisk, volumes: [] }])
    await settle()
    expect(names()).toEqual([['images', practiceDisk.name, practiceImage.name]])
    window.double.setDevices([sandisk, blank, attachedImage, practiceDisk])
    await settle()
    commands['show-devices'].run(window.reprise)
    expect(names()).toEqual(devices)
  })
})
