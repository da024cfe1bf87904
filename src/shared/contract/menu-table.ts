/**
 * The menus as one table: Electron's application menu and the window's own menu bar are both drawn from it, so that a
 * command has one name, one place and one shortcut. Whether a command can be used just now, the window knows.
 */

/** Together with ⌘ on a Mac, with Ctrl elsewhere. */
export interface Shortcut {
  /** As `KeyboardEvent.key`, lower case. */
  readonly key: string
  readonly shift?: true
  readonly alt?: true
  /** A browser keeps it for itself, and no page can have it: it works in Electron only. */
  readonly browserKeeps?: true
}

export interface MenuLine {
  readonly label: string
  /** In a menu that can't show what is on: `Show or Hide Sidebar`. */
  readonly tickless?: string
  readonly shortcut?: Shortcut
}

/** A command of the application menu, sent to the window, and back when the window's own menu bar is used. */
export const menuLines = {
  'new-blank-image': { label: 'Blank…', shortcut: { key: 'n', browserKeeps: true } },
  'new-folder-image': { label: 'From Folder…', shortcut: { key: 'n', shift: true, browserKeeps: true } },
  'new-device-image': { label: 'From Device…', shortcut: { key: 'n', alt: true } },
  'open-image': { label: 'Open Disk Image…', shortcut: { key: 'o' } },
  'open-url': { label: 'Open URL…' },
  'get-info': { label: 'Get Info', shortcut: { key: 'i' } },
  eject: { label: 'Eject', shortcut: { key: 'e' } },
  'use-as-source': { label: 'Use Selection as Source', shortcut: { key: '1' } },
  'use-as-destination': { label: 'Use Selection as Destination', shortcut: { key: '2' } },
  restore: { label: 'Restore…', shortcut: { key: 'r', shift: true } },
  'scan-image': { label: 'Scan Image for Restore…', shortcut: { key: 's', shift: true } },
  'show-scan-info': { label: 'Show Scan Info' },
  'verify-image': { label: 'Verify…' },
  'add-checksum': { label: 'Add Checksum…' },
  'convert-image': { label: 'Convert…' },
  'resize-image': { label: 'Resize…' },
  'compact-image': { label: 'Compact' },
  'start-stream': { label: 'Start Stream…' },
  'stop-stream': { label: 'Stop Stream…' },
  'check-network': { label: 'Check Network' },
  'open-configuration': { label: 'Open Configuration…' },
  'save-configuration': { label: 'Save Configuration As…' },
  'show-volumes': { label: 'Show Only Volumes' },
  'show-devices': { label: 'Show All Devices' },
  'toggle-internal-disks': { label: 'Show Internal Disks', tickless: 'Show or Hide Internal Disks' },
  'toggle-sidebar': { label: 'Show Sidebar', tickless: 'Show or Hide Sidebar' },
  'show-log': { label: 'Show Log', shortcut: { key: 'l' } },
  'show-shortcuts': { label: 'Keyboard Shortcuts' },
  about: { label: 'About Reprise' },
} as const satisfies { readonly [command: string]: MenuLine }

export type MenuCommand = keyof typeof menuLines
export const menuCommands = Object.keys(menuLines) as readonly MenuCommand[]

/** A command, or a menu of some. */
export type MenuPlace = MenuCommand | { readonly title: string; readonly commands: readonly MenuCommand[] }

export interface MenuTable {
  readonly title: 'File' | 'Edit' | 'Images' | 'Server' | 'View' | 'Help'
  /** With a line between. */
  readonly groups: readonly (readonly MenuPlace[])[]
}

export const menuTable: readonly MenuTable[] = [
  {
    title: 'File',
    groups: [
      [
        { title: 'New Image', commands: ['new-blank-image', 'new-folder-image', 'new-device-image'] },
        'open-image',
        'open-url',
      ],
      ['get-info', 'eject'],
    ],
  },
  { title: 'Edit', groups: [['use-as-source', 'use-as-destination'], ['restore']] },
  {
    title: 'Images',
    groups: [
      ['scan-image', 'show-scan-info'],
      ['verify-image', 'add-checksum'],
      ['convert-image', 'resize-image', 'compact-image'],
    ],
  },
  {
    title: 'Server',
    groups: [
      ['start-stream', 'stop-stream', 'check-network'],
      ['open-configuration', 'save-configuration'],
    ],
  },
  {
    title: 'View',
    groups: [['show-volumes', 'show-devices'], ['toggle-internal-disks', 'toggle-sidebar'], ['show-log']],
  },
  { title: 'Help', groups: [['show-shortcuts'], ['about']] },
]

/** Every command of a menu, in order. */
export const commandsOf = (groups: MenuTable['groups']): readonly MenuCommand[] =>
  groups.flat().flatMap((place) => (typeof place === 'string' ? [place] : place.commands))
