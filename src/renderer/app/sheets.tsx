/** The sheet that is open, if one is. */
import { unreachable } from '#shared/errors'
import { Button, Facts, Sheet, type Fact } from '#renderer/components'
import { FilePanel, InfoSheet } from '#renderer/features/images'
import { ConfirmSheet } from '#renderer/features/restore'
import { useActions, useMirror, useView } from '#renderer/store'
import icon from '#assets/icon.svg'
import { commands, shortcutText } from './commands.ts'
import { isMac } from './keyboard.ts'

export function Sheets() {
  const kind = useView((view) => view.sheet?.kind ?? null)
  switch (kind) {
    case 'confirm':
      return <ConfirmSheet />
    case 'files':
      return <FilePanel />
    case 'info':
      return <InfoSheet />
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
  const facts = Object.values(commands).flatMap(({ label, shortcut }) =>
    shortcut ? [{ name: shortcutText(shortcut, isMac), value: label }] : [],
  )
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
