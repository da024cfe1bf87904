import { describe, expect, it } from 'vitest'
import { commands } from '#src/renderer/app/commands.ts'
import { treeOf } from '#src/renderer/features/sidebar/tree-of.ts'
import { aDisk, attachedImage, practiceDisk, practiceImage, sandisk } from '#test/ui-fixtures'
import { createUiDouble } from '#test/ui-double'
import { openWindow, settle } from '#test/ui-window'

describe('the tree of the sidebar', () => {
  it('says of no disk that it is missing before the host was asked', async () => {
    const double = createUiDouble({ devices: [] })
    double.refusing = true
    using window = await openWindow({ double })
    expect(treeOf(window.reprise.mirror.getState(), window.reprise.view.getState())).toEqual([])
  })

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
    commands['show-devices'].run(window.reprise)
    // But where a disk is looked for, it says that none is there.
    window.double.setDevices([practiceDisk])
    await settle()
    expect(names()).toEqual([['external'], ['images', practice, practiceImage.name]])
    commands['show-volumes'].run(window.reprise)
    expect(names()[0]).toEqual(['external'])
    window.double.setDevices([sandisk, blank, attachedImage, practiceDisk])
    await settle()
    commands['show-devices'].run(window.reprise)
    expect(names()).toEqual(devices)
  })
})
