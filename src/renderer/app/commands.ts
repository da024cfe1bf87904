/**
 * What the commands of the menus do, for the host's menu, the menu bar in the browser and the keyboard; their names and
 * places are in `menuTable`. Whether a command can be used is decided here, once. Pure, but for `run`.
 */
import { menuLines, type MenuCommand, type MenuLine, type Shortcut } from '#shared/contract'
import {
  canEject,
  draftProblems,
  draftSurroundings,
  findItem,
  imageCan,
  itemProblem,
  canAskToRestore,
  sourceObstacle,
  type EngineMirror,
  type ImageWork,
  type Item,
  type Reprise,
  type ViewState,
} from '#renderer/store'
import { isSessionOver } from '#shared/model'

export interface Command {
  readonly enabled: (mirror: EngineMirror, view: ViewState) => boolean
  /** For what is on or off. */
  readonly checked?: (mirror: EngineMirror, view: ViewState) => boolean
  readonly run: (reprise: Reprise) => void
}

const always = () => true
const connected = (mirror: EngineMirror) => mirror.connection.state === 'open'

const selectedItem = (mirror: EngineMirror, view: ViewState): Item | null =>
  view.selected === null ? null : findItem(mirror, view.images, view.selected)

/** The image that a command of the Images menu means: the selected one, else the source. */
function meantImage(mirror: EngineMirror, view: ViewState): string | null {
  const item = selectedItem(mirror, view)
  if (item?.kind === 'image') return item.image.path
  return view.source?.info?.kind === 'image' ? view.source.locator : null
}

/** Something that is done with the image that is meant; where none is, one is asked for. */
const withImage = (work: ImageWork): Command => ({
  enabled(mirror, view) {
    const path = meantImage(mirror, view)
    return connected(mirror) && (path === null || imageCan(view, path, work))
  },
  run({ mirror, view, actions }) {
    const path = meantImage(mirror.getState(), view.getState())
    void (path === null ? actions.chooseImage(work) : actions.takeImage(work, path))
  },
})

/** The stream that is shown, while it runs; else the newest that does. */
const runningSession = ({ sessions }: EngineMirror, { server }: ViewState) => {
  const running = sessions
    .filter(({ phase }) => !isSessionOver(phase))
    .toSorted((a, b) => b.createdMs - a.createdMs)
  return running.find(({ sessionId }) => sessionId === server.shown) ?? running[0] ?? null
}

const draftIsComplete = (mirror: EngineMirror, view: ViewState) =>
  Object.keys(draftProblems(view.server.draft, draftSurroundings(mirror, view))).length === 0

const withSelected =
  (run: (reprise: Reprise, id: NonNullable<ViewState['selected']>) => void) => (reprise: Reprise) => {
    const { selected } = reprise.view.getState()
    if (selected !== null) run(reprise, selected)
  }

export const commands: { readonly [command in MenuCommand]: Command } = {
  'new-blank-image': { enabled: connected, run: ({ actions }) => actions.openCreate('blank') },
  'new-folder-image': { enabled: connected, run: ({ actions }) => actions.openCreate('folder') },
  'new-device-image': {
    enabled: connected,
    run: ({ actions, view }) => actions.openCreate('device', view.getState().selected),
  },
  'open-url': { enabled: connected, run: ({ actions }) => actions.openSheet('open-url') },
  'open-image': {
    enabled: connected,
    run: ({ actions }) => void actions.chooseImage('open'),
  },
  eject: {
    enabled: (mirror, view) => {
      const item = selectedItem(mirror, view)
      return connected(mirror) && item !== null && canEject(item)
    },
    run: withSelected(({ actions }, id) => void actions.eject(id)),
  },
  'get-info': {
    enabled: (mirror, view) => selectedItem(mirror, view) !== null,
    run: withSelected(({ actions }, id) => actions.openInfo(id)),
  },
  restore: {
    enabled: canAskToRestore,
    run: ({ actions }) => actions.openConfirm(),
  },
  'use-as-source': {
    enabled: (mirror, view) => {
      const item = selectedItem(mirror, view)
      return item !== null && sourceObstacle(item, view.destination) === null
    },
    run: withSelected(({ actions }, id) => actions.chooseSource(id)),
  },
  'use-as-destination': {
    enabled: (mirror, view) => {
      const item = selectedItem(mirror, view)
      return item !== null && itemProblem(item, view.source) === null
    },
    run: withSelected(({ actions }, id) => actions.chooseDestination(id)),
  },
  'scan-image': withImage('scan'),
  'show-scan-info': withImage('scan-info'),
  'verify-image': withImage('verify'),
  'add-checksum': withImage('add-checksum'),
  'convert-image': withImage('convert'),
  'resize-image': withImage('resize'),
  'compact-image': withImage('compact'),
  'start-stream': {
    enabled: connected,
    // Where everything is there it starts; else the form says what is missing.
    run: ({ actions, view }) => {
      const { tab, server } = view.getState()
      if (tab === 'multicast' && server.shown === null) {
        void actions.startStream()
        return
      }
      actions.setTab('multicast')
      actions.newStream()
    },
  },
  'stop-stream': {
    enabled: (mirror, view) => connected(mirror) && runningSession(mirror, view) !== null,
    run: ({ actions, mirror, view }) => {
      const session = runningSession(mirror.getState(), view.getState())
      if (!session) return
      actions.showSession(session.sessionId)
      void actions.stopStream(session.sessionId)
    },
  },
  'check-network': {
    enabled: (mirror, view) => connected(mirror) && draftIsComplete(mirror, view),
    run: ({ actions }) => {
      actions.setTab('multicast')
      actions.newStream()
      void actions.checkNetwork()
    },
  },
  'open-configuration': { enabled: connected, run: ({ actions }) => void actions.chooseConfiguration() },
  'save-configuration': {
    enabled: connected,
    run: ({ actions }) => void actions.saveConfiguration(),
  },
  'show-volumes': {
    enabled: always,
    checked: (_, view) => view.listed === 'volumes',
    run: ({ actions }) => actions.setListed('volumes'),
  },
  'show-devices': {
    enabled: always,
    checked: (_, view) => view.listed === 'devices',
    run: ({ actions }) => actions.setListed('devices'),
  },
  'toggle-internal-disks': {
    enabled: always,
    checked: (mirror) => mirror.app?.preferences.showInternalDisks ?? false,
    run: ({ actions }) => actions.toggleInternalDisks(),
  },
  'toggle-sidebar': {
    enabled: always,
    checked: (_, view) => (view.narrow ? view.sidebarOver : view.sidebarShown),
    run: ({ actions }) => actions.toggleSidebar(),
  },
  'show-log': {
    enabled: always,
    run: ({ actions }) => actions.showActivity('log'),
  },
  'show-shortcuts': {
    enabled: always,
    run: ({ actions }) => actions.openSheet('shortcuts'),
  },
  about: {
    enabled: always,
    run: ({ actions }) => actions.openSheet('about'),
  },
}

/** Does nothing where the command can't be used; nor behind a sheet, which wants an answer first, wherever it comes from. */
export function runCommand(reprise: Reprise, name: MenuCommand): void {
  const view = reprise.view.getState()
  const { enabled, run } = commands[name]
  if (view.sheet === null && enabled(reprise.mirror.getState(), view)) run(reprise)
}

/** A command's shortcut where it works: a browser keeps some for itself. */
export function shortcutOf(name: MenuCommand, host: 'electron' | 'web'): Shortcut | null {
  const { shortcut }: MenuLine = menuLines[name]
  return shortcut && !(host === 'web' && shortcut.browserKeeps) ? shortcut : null
}

/** What of a key that goes down says whether it is a shortcut's. */
export type PressedKey = Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey' | 'altKey'>

/**
 * Whether a key is a shortcut's. That it is held with Ctrl or ⌘ is known. A letter is where it is written, where keyboards write
 * Latin ones; else it is where it is on an American keyboard, as is a digit where its key writes something else.
 */
export function isPressed(shortcut: Shortcut, { key, code, shiftKey, altKey }: PressedKey): boolean {
  if ((shortcut.shift ?? false) !== shiftKey || (shortcut.alt ?? false) !== altKey) return false
  if (key.toLowerCase() === shortcut.key && !altKey) return true
  if (/\d/.test(shortcut.key)) return code === `Digit${shortcut.key}` && !/^[a-z\d]$/i.test(key)
  // With Alt some keyboards write another letter; the key is where it was.
  return code === `Key${shortcut.key.toUpperCase()}` && (altKey || isForeign(key))
}

/** Of a script without the letters of the shortcuts. */
const isForeign = (key: string) => /^\p{L}$/u.test(key) && !/\p{Script=Latin}/u.test(key)

/** `⇧⌘R` on a Mac, `Ctrl+Shift+R` elsewhere. */
export function shortcutText({ key, shift, alt }: Shortcut, mac: boolean): string {
  const name = key.toUpperCase()
  return mac
    ? `${alt ? '⌥' : ''}${shift ? '⇧' : ''}⌘${name}`
    : `Ctrl+${alt ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${name}`
}
