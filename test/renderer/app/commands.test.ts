import { describe, expect, it } from 'vitest'
import { menuCommands } from '#shared/contract'
import { commands, menus, runCommand, shortcutText } from '#src/renderer/app/commands.ts'
import { practiceImage, systemDisk, systemImage } from '#test/ui-fixtures'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'

const enabled = ({ reprise }: TestWindow, name: keyof typeof commands) =>
  commands[name].enabled(reprise.mirror.getState(), reprise.view.getState())

describe('the commands', () => {
  it('are all in a menu, once', () => {
    const listed = menus.flatMap((menu) => menu.groups.flat())
    expect([...listed].sort()).toEqual([...menuCommands].sort())
  })

  it('have no shortcut twice', () => {
    const shortcuts = Object.values(commands).flatMap(({ shortcut }) =>
      shortcut ? [shortcutText(shortcut, false)] : [],
    )
    expect(new Set(shortcuts).size).toBe(shortcuts.length)
  })

  it('write their shortcuts as the system does', () => {
    expect(shortcutText({ key: 'r', shift: true }, true)).toBe('⇧⌘R')
    expect(shortcutText({ key: 'r', shift: true }, false)).toBe('Ctrl+Shift+R')
  })

  it('use the selection as source and destination', async () => {
    using window = await openWindow()
    const { reprise } = window
    expect(enabled(window, 'use-as-source')).toBe(false)
    reprise.actions.select('disk:/dev/sdb')
    runCommand(reprise, 'use-as-destination')
    reprise.actions.select(`image:${practiceImage.path}`)
    runCommand(reprise, 'use-as-source')
    await settle()
    expect(reprise.view.getState()).toMatchObject({
      source: { locator: practiceImage.path },
      destination: { locator: '/dev/sdb' },
    })
  })

  it('do nothing where they cannot be used', async () => {
    using window = await openWindow()
    window.double.setDevices([systemDisk])
    await settle()
    window.reprise.actions.select('disk:/dev/nvme0n1')
    expect(enabled(window, 'use-as-destination')).toBe(false)
    expect(enabled(window, 'eject')).toBe(false)
    runCommand(window.reprise, 'use-as-destination')
    expect(window.reprise.view.getState().destination).toBeNull()
  })

  it("come from the host's menu too", async () => {
    using window = await readyWindow()
    const end = window.reprise.onMenu((command) => runCommand(window.reprise, command))
    window.double.sendMenu('restore')
    await settle()
    expect(window.reprise.view.getState().sheet).toEqual({ kind: 'confirm' })
    end()
  })

  it('verify the selected image, else the source, else ask', async () => {
    using window = await openWindow()
    const { reprise, double } = window
    runCommand(reprise, 'verify-image')
    await settle()
    expect(reprise.view.getState().sheet).toMatchObject({ kind: 'files', purpose: 'verify' })
    reprise.actions.closeSheet()
    await reprise.actions.chooseSourceFile(systemImage.path)
    runCommand(reprise, 'verify-image')
    reprise.actions.select(`image:${practiceImage.path}`)
    runCommand(reprise, 'verify-image')
    await settle()
    expect(double.calls.filter((call) => call.name === 'image.start').map((call) => call.input)).toEqual([
      { task: { kind: 'verify', path: systemImage.path } },
      { task: { kind: 'verify', path: practiceImage.path } },
    ])
  })
})
