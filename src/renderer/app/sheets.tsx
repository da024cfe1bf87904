/** The sheet that is open, if one is. */
import { unreachable } from '#shared/errors'
import { useDeferredValue } from 'react'
import { Button, Facts, isMac, Sheet, type Fact } from '#renderer/components'
import {
  FilePanel,
  InfoSheet,
  MakeImageSheet,
  OpenUrlSheet,
  PasswordSheet,
  ReplaceChecksumSheet,
  ReplaceSheet,
  ResizeSheet,
  SaveSheet,
  ScanInfoSheet,
  ScanSheet,
} from '#renderer/features/images'
import { ClientSheet, DisconnectSheet, RateSheet, StopSheet } from '#renderer/features/multicast'
import { ConfirmSheet, NotScannedSheet } from '#renderer/features/restore'
import { useActions, useMirror, useView, type ViewState } from '#renderer/store'
import icon from '#assets/icon.svg'
import { menuCommands, menuLines, type MenuCommand } from '#shared/contract'
import { shortcutOf, shortcutText } from './commands.ts'

const sheetKind = (view: ViewState) => view.sheet?.kind ?? null

export function Sheets() {
  // A sheet is the largest thing that comes at once: drawn in pieces, it never holds up the page for long.
  const kind = useDeferredValue(useView(sheetKind))
  switch (kind) {
    case 'confirm':
      return <ConfirmSheet />
    case 'not-scanned':
      return <NotScannedSheet />
    case 'make':
      return <MakeImageSheet />
    case 'replace':
      return <ReplaceSheet />
    case 'replace-checksum':
      return <ReplaceChecksumSheet />
    case 'scan':
      return <ScanSheet />
    case 'scan-info':
      return <ScanInfoSheet />
    case 'resize':
      return <ResizeSheet />
    case 'open-url':
      return <OpenUrlSheet />
    case 'password':
      return <PasswordSheet />
    case 'files':
      return <FilePanel />
    case 'info':
      return <InfoSheet />
    case 'stop-stream':
      return <StopSheet />
    case 'stream-rate':
      return <RateSheet />
    case 'stream-client':
      return <ClientSheet />
    case 'disconnect-client':
      return <DisconnectSheet />
    case 'save-configuration':
    case 'save-disk':
      return <SaveSheet />
    case 'shortcuts':
      return <ShortcutsSheet />
    case 'about':
      return <AboutSheet />
    case null:
      return null
    default:
      return unreachable(kind)
  }
}

/** `New Image from Folder…`: the names of a menu in a menu don't stand alone. */
const shortcutLabel = (command: MenuCommand): string => {
  const { label } = menuLines[command]
  return command.startsWith('new-') ? `New Image: ${label}` : label
}

const moreKeys: readonly Fact[] = [
  { name: 'F6', value: 'Next region of the window (with Shift: the one before)' },
  {
    name: 'Enter',
    value: 'On a row: Get Info. On its drag handle: begin to drag, then Tab to a well, and Enter',
  },
  { name: 'Shift+F10', value: "The selected row's menu" },
  { name: 'Esc', value: 'Close the sheet or the menu, give up a drag' },
]

function ShortcutsSheet() {
  const { closeSheet } = useActions()
  const host = useMirror((mirror) => mirror.app?.host ?? 'web')
  const facts = menuCommands.flatMap((command) => {
    const shortcut = shortcutOf(command, host)
    return shortcut ? [{ name: shortcutText(shortcut, isMac), value: shortcutLabel(command) }] : []
  })
  return (
    <Sheet title="Keyboard Shortcuts" onClose={closeSheet} actions={<Done />}>
      <Facts layout="rows" facts={[...facts, ...moreKeys]} />
    </Sheet>
  )
}

function AboutSheet() {
  const app = useMirror((mirror) => mirror.app)
  const { closeSheet } = useActions()
  return (
    <Sheet
      title={
        <span className="about-title">
          <img src={icon} alt="" width={56} height={56} />
          <span>
            Reprise
            <span className="secondary about-version">Version {app?.version ?? ''}</span>
          </span>
        </span>
      }
      onClose={closeSheet}
      actions={<Done />}
    >
      <p>Puts a disk image on a disk, reads it back, and compares.</p>
      <p className="secondary">Free software under the MIT licence. Nothing is sent anywhere.</p>
    </Sheet>
  )
}

function Done() {
  const { closeSheet } = useActions()
  return (
    <Button autoFocus onPress={closeSheet}>
      Done
    </Button>
  )
}
