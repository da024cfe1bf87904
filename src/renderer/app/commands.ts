/**
 * The window's commands: one table for the host's menu, the menu bar in the browser and the keyboard. Whether a command
 * can be used is decided here, once. Pure, but for `run`.
 */
import type { MenuCommand } from '#shared/contract'
import {
  canEject,
  findItem,
  itemProblem,
  restoreBlock,
  type EngineMirror,
  type Item,
  type Reprise,
  type ViewState,
} from '#renderer/store'

export interface Shortcut {
  /** As `KeyboardEvent.key`, lower case. */
  readonly key: string
  readonly shift?: true
}

export interface Command {
  readonly label: string
  /** Together with ⌘ on a Mac, with Ctrl elsewhere. */
  readonly shortcut?: Shortcut
  readonly enabled: (mirror: EngineMirror, view: ViewState) => boolean
  /** For what is on or off. */
  readonly checked?: (mirror: EngineMirror, view: ViewState) => boolean
  readonly run: (reprise: Reprise) => void
}

const always = () => true
const connected = (mirror: EngineMirror) => mirror.connection.state === 'open'

const selectedItem = (mirror: EngineMirror, view: ViewState): Item | null =>
  view.selected === null ? null : findItem(mirror, view.images, view.selected)

/** The image that Verify… means: the selected one, else the source. */
function meantImage(mirror: EngineMirror, view: ViewState): string | null {
  const item = selectedItem(mirror, view)
  if (item?.kind === 'image') return item.image.path
  return view.source?.info?.kind === 'image' ? view.source.locator : null
}

const withSelected =
  (run: (reprise: Reprise, id: NonNullable<ViewState['selected']>) => void) => (reprise: Reprise) => {
    const { selected } = reprise.view.getState()
    if (selected !== null) run(reprise, selected)
  }

export const commands: { readonly [command in MenuCommand]: Command } = {
  'open-image': {
    label: 'Open Disk Image…',
    shortcut: { key: 'o' },
    enabled: connected,
    run: ({ actions }) => void actions.chooseImage('open'),
  },
  eject: {
    label: 'Eject',
    shortcut: { key: 'e' },
    enabled: (mirror, view) => {
      const item = selectedItem(mirror, view)
      return item !== null && canEject(item)
    },
    run: withSelected(({ actions }, id) => void actions.eject(id)),
  },
  'get-info': {
    label: 'Get Info',
    shortcut: { key: 'i' },
    enabled: (mirror, view) => selectedItem(mirror, view) !== null,
    run: withSelected(({ actions }, id) => actions.openInfo(id)),
  },
  restore: {
    label: 'Restore…',
    shortcut: { key: 'r', shift: true },
    enabled: (mirror, view) => restoreBlock(mirror, view) === null,
    run: ({ actions }) => actions.openConfirm(),
  },
  'use-as-source': {
    label: 'Use Selection as Source',
    shortcut: { key: '1' },
    enabled: (mirror, view) => selectedItem(mirror, view) !== null,
    run: withSelected(({ actions }, id) => actions.chooseSource(id)),
  },
  'use-as-destination': {
    label: 'Use Selection as Destination',
    shortcut: { key: '2' },
    enabled: (mirror, view) => {
      const item = selectedItem(mirror, view)
      return item !== null && itemProblem(item, view.source) === null
    },
    run: withSelected(({ actions }, id) => actions.chooseDestination(id)),
  },
  'verify-image': {
    label: 'Verify…',
    enabled: connected,
    run: ({ mirror, view, actions }) => {
      const path = meantImage(mirror.getState(), view.getState())
      void (path === null ? actions.chooseImage('verify') : actions.verifyImage(path))
    },
  },
  'toggle-volumes': {
    label: 'Show Volumes',
    enabled: always,
    checked: (_, view) => view.volumesShown,
    run: ({ actions }) => actions.toggleVolumes(),
  },
  'toggle-internal-disks': {
    label: 'Show Internal Disks',
    enabled: always,
    checked: (mirror) => mirror.app?.preferences.showInternalDisks ?? false,
    run: ({ actions }) => actions.toggleInternalDisks(),
  },
  'toggle-sidebar': {
    label: 'Show Sidebar',
    enabled: always,
    checked: (_, view) => view.sidebarShown,
    run: ({ actions }) => actions.toggleSidebar(),
  },
  'show-log': {
    label: 'Show Log',
    shortcut: { key: 'l' },
    enabled: always,
    run: ({ actions }) => actions.showActivity('log'),
  },
  'show-shortcuts': {
    label: 'Keyboard Shortcuts',
    enabled: always,
    run: ({ actions }) => actions.openSheet('shortcuts'),
  },
  about: {
    label: 'About Reprise',
    enabled: always,
    run: ({ actions }) => actions.openSheet('about'),
  },
}

/** The menu bar, in groups. */
export const menus: readonly {
  readonly title: string
  readonly groups: readonly (readonly MenuCommand[])[]
}[] = [
  { title: 'File', groups: [['open-image'], ['get-info', 'eject']] },
  { title: 'Edit', groups: [['use-as-source', 'use-as-destination'], ['restore']] },
  { title: 'Images', groups: [['verify-image']] },
  { title: 'View', groups: [['toggle-volumes', 'toggle-internal-disks', 'toggle-sidebar'], ['show-log']] },
  { title: 'Help', groups: [['show-shortcuts'], ['about']] },
]

/** Does nothing where the command can't be used. */
export function runCommand(reprise: Reprise, name: MenuCommand): void {
  const command = commands[name]
  if (command.enabled(reprise.mirror.getState(), reprise.view.getState())) command.run(reprise)
}

/** `⇧⌘R` on a Mac, `Ctrl+Shift+R` elsewhere. */
export function shortcutText({ key, shift }: Shortcut, mac: boolean): string {
  const name = key.toUpperCase()
  return mac ? `${shift ? '⇧' : ''}⌘${name}` : `Ctrl+${shift ? 'Shift+' : ''}${name}`
}
