import { describe, expect, it } from 'vitest'
import { commandsOf, menuCommands, menuTable } from '#shared/contract'
import { commands, isPressed, runCommand, shortcutOf, shortcutText } from '#src/renderer/app/commands.ts'
import { createUiDouble } from '#test/ui-double'
import { practiceImage, sandisk, systemDisk, systemImage } from '#test/ui-fixtures'
import { aSession } from '#test/stream-fixtures'
import { openWindow, readyWindow, settle, type TestWindow } from '#test/ui-window'

const enabled = ({ reprise }: TestWindow, name: keyof typeof commands) =>
  commands[name].enabled(reprise.mirror.getState(), reprise.view.getState())

describe('the commands', () => {
  it('are all in a menu, once', () => {
    const listed = menuTable.flatMap((menu) => commandsOf(menu.groups))
    expect([...listed].sort()).toEqual([...menuCommands].sort())
  })

  it('have no shortcut twice', () => {
    for (const host of ['electron', 'web'] as const) {
      const shortcuts = menuCommands.flatMap((name) => shortcutOf(name, host) ?? [])
      const written = shortcuts.map((shortcut) => shortcutText(shortcut, false))
      expect(new Set(written).size).toBe(written.length)
    }
  })

  it('write their shortcuts as the system does', () => {
    expect(shortcutText({ key: 'r', shift: true }, true)).toBe('⇧⌘R')
    expect(shortcutText({ key: 'r', shift: true }, false)).toBe('Ctrl+Shift+R')
    expect(shortcutText({ key: 'n', alt: true }, true)).toBe('⌥⌘N')
  })

  it("leave a browser's own keys to the browser", () => {
    expect(shortcutOf('new-blank-image', 'electron')).toMatchObject({ key: 'n' })
    expect(shortcutOf('new-blank-image', 'web')).toBeNull()
    expect(shortcutOf('new-folder-image', 'web')).toBeNull()
    expect(shortcutOf('new-device-image', 'web')).toMatchObject({ key: 'n', alt: true })
  })

  it('of the Server menu open the form first, stop what runs, and check what is complete', async () => {
    using window = await openWindow()
    const { reprise } = window
    expect([enabled(window, 'stop-stream'), enabled(window, 'check-network')]).toEqual([false, false])
    runCommand(reprise, 'start-stream')
    await settle()
    expect(reprise.view.getState().tab).toBe('multicast')
    await reprise.actions.takeImage('stream', systemImage.path)
    expect(enabled(window, 'check-network')).toBe(true)
    runCommand(reprise, 'start-stream')
    await settle()
    expect(window.double.calls.map(({ name }) => name)).toContain('session.start')
    window.double.sendSessions([aSession({ phase: 'waiting' })])
    await settle()
    expect(enabled(window, 'stop-stream')).toBe(true)
    runCommand(reprise, 'stop-stream')
    await settle()
    expect(window.double.calls.at(-1)).toMatchObject({ name: 'session.stop', input: { when: 'now' } })
  })

  it('that ask the engine for something wait for a connection', async () => {
    using window = await openWindow()
    window.double.sendSessions([aSession({ phase: 'waiting' })])
    await settle()
    window.reprise.actions.select('disk:/dev/sdb')
    expect([enabled(window, 'eject'), enabled(window, 'stop-stream')]).toEqual([true, true])
    window.double.lose({ refusing: true })
    await settle()
    expect([enabled(window, 'eject'), enabled(window, 'stop-stream')]).toEqual([false, false])
  })

  it('restore what is still being checked, as the button does: it is asked about as soon as it is', async () => {
    using window = await openWindow({ double: createUiDouble({ devices: [sandisk], images: [systemImage] }) })
    const { actions, view } = window.reprise
    await actions.chooseSourceFile(systemImage.path)
    actions.chooseDestination('disk:/dev/sdb')
    expect(enabled(window, 'restore')).toBe(false)
    actions.setOption('erase', true)
    expect(view.getState().plan.state).toBe('checking')
    expect(enabled(window, 'restore')).toBe(true)
    actions.setTab('multicast')
    runCommand(window.reprise, 'restore')
    expect(view.getState()).toMatchObject({ tab: 'restore', sheet: null })
    await window.planned()
    expect(view.getState().sheet).toEqual({ kind: 'confirm' })
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
    reprise.actions.select('disk:/dev/sdb')
    expect(enabled(window, 'use-as-source')).toBe(false)
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

  it("of the host's menu do nothing behind a sheet, as keys don't", async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    const end = window.reprise.onMenu((command) => runCommand(window.reprise, command))
    actions.openCreate('blank')
    const before = view.getState()
    for (const name of menuCommands) window.double.sendMenu(name)
    await settle()
    expect(view.getState()).toEqual(before)
    actions.closeSheet()
    window.double.sendMenu('show-log')
    await settle()
    expect(view.getState().tab).toBe('activity')
    end()
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

describe('a shortcut', () => {
  /** The commands whose shortcut it is. */
  const meant = (key: string, code: string, held: { shiftKey?: boolean; altKey?: boolean } = {}) =>
    menuCommands.filter((name) => {
      const shortcut = shortcutOf(name, 'web')
      return shortcut && isPressed(shortcut, { key, code, shiftKey: false, altKey: false, ...held })
    })

  it.each([
    ['an American keyboard', 'o', 'KeyO', 'open-image'],
    ['with the capitals locked', 'O', 'KeyO', 'open-image'],
    ['a Dvorak keyboard, where it is written', 'o', 'KeyS', 'open-image'],
    ['a Russian keyboard', 'щ', 'KeyO', 'open-image'],
    ['a Greek keyboard', 'ι', 'KeyI', 'get-info'],
    ['a French keyboard', '&', 'Digit1', 'use-as-source'],
    ['a French keyboard', 'é', 'Digit2', 'use-as-destination'],
    ['a Thai keyboard', '/', 'Digit2', 'use-as-destination'],
  ] as const)('is found on %s: %s', (_, key, code, name) => expect(meant(key, code)).toEqual([name]))

  it('with other keys held is found there, too', () => {
    expect(meant('R', 'KeyR', { shiftKey: true })).toEqual(['restore'])
    expect(meant('К', 'KeyR', { shiftKey: true })).toEqual(['restore'])
    expect(meant('ñ', 'KeyN', { altKey: true })).toEqual(['new-device-image'])
  })

  it.each([
    ['a letter that is somewhere else', 'z', 'KeyE'],
    ['a letter of its own, of a Turkish keyboard', 'ğ', 'KeyE'],
    ['a dot, of a Dvorak keyboard', '.', 'KeyE'],
    ['a digit that is somewhere else', '3', 'Digit2'],
    ['an arrow', 'End', 'Numpad1'],
  ])('is not %s', (_, key, code) => expect(meant(key, code)).toEqual([]))

  it('is none where other keys are held', () => {
    expect(meant('O', 'KeyO', { shiftKey: true })).toEqual([])
    expect(meant('щ', 'KeyO', { altKey: true })).toEqual([])
  })
})
