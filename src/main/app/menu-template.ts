/**
 * The application menu: what works now, and nothing else. A command is sent to the window, which knows whether it makes
 * sense at the moment and does nothing if not.
 */
import type { MenuItemConstructorOptions } from 'electron'
import type { MenuCommand } from '#shared/contract'

export interface MenuOptions {
  readonly platform: NodeJS.Platform
  readonly run: (command: MenuCommand) => void
}

type Item = MenuItemConstructorOptions
const separator: Item = { type: 'separator' }

export function menuTemplate({ platform, run }: MenuOptions): Item[] {
  const command = (label: string, name: MenuCommand, accelerator?: string): Item => ({
    id: name,
    label,
    click: () => run(name),
    ...(accelerator === undefined ? {} : { accelerator: `CmdOrCtrl+${accelerator}` }),
  })
  const mac = platform === 'darwin'
  const about = command('About Reprise', 'about')
  const appMenu: Item = {
    label: 'Reprise',
    submenu: [
      about,
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      { role: 'quit' },
    ],
  }
  return [
    ...(mac ? [appMenu] : []),
    {
      label: '&File',
      submenu: [
        command('Open Disk Image…', 'open-image', 'O'),
        separator,
        command('Get Info', 'get-info', 'I'),
        command('Eject', 'eject', 'E'),
        separator,
        mac ? { role: 'close' } : { role: 'quit' },
      ],
    },
    {
      label: '&Edit',
      submenu: [
        { role: 'undo' },
        { role: 'redo' },
        separator,
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
        separator,
        command('Use Selection as Source', 'use-as-source', '1'),
        command('Use Selection as Destination', 'use-as-destination', '2'),
        separator,
        command('Restore…', 'restore', 'Shift+R'),
      ],
    },
    { label: '&Images', submenu: [command('Verify…', 'verify-image')] },
    {
      label: '&View',
      submenu: [
        command('Show or Hide Volumes', 'toggle-volumes'),
        command('Show or Hide Internal Disks', 'toggle-internal-disks'),
        command('Show or Hide Sidebar', 'toggle-sidebar'),
        separator,
        command('Show Log', 'show-log', 'L'),
        separator,
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [command('Keyboard Shortcuts', 'show-shortcuts'), ...(mac ? [] : [separator, about])],
    },
  ]
}
