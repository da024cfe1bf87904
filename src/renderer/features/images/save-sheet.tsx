/** Where a configuration or a disk in a file is to be written, where no system's panel asks for it. */
import { unreachable } from '#shared/errors'
import { Button, Form, Sheet, TextInput, useSettled } from '#renderer/components'
import {
  useActions,
  useView,
  type SaveConfigurationSheet,
  type SaveDiskSheet,
  type ViewState,
} from '#renderer/store'
import { describeError } from '#shared/words'

type Saving = SaveConfigurationSheet | SaveDiskSheet

const savingSheet = ({ sheet }: ViewState): Saving | null =>
  sheet?.kind === 'save-configuration' || sheet?.kind === 'save-disk' ? sheet : null

const words = {
  'save-configuration': {
    title: 'Save the configuration',
    hint: 'A property list that asr and reprise server take with --config.',
    yes: 'Save',
  },
  contents: {
    title: 'Restore to a disk in a file',
    hint: 'A disk image, made or overwritten when the restore begins.',
    yes: 'Choose',
  },
  file: {
    title: 'Save the image of the stream',
    hint: 'The image as it is streamed, made or replaced when the restore begins.',
    yes: 'Choose',
  },
} as const

export function SaveSheet() {
  const sheet = useView(savingSheet)
  const actions = useActions()
  const replaces = sheet?.problem?.kind === 'exists'
  const settled = useSettled(replaces)
  if (!sheet) return null
  const { title, hint, yes } = words[sheet.kind === 'save-disk' ? sheet.form : sheet.kind]
  const send = () =>
    void (sheet.kind === 'save-disk' ? actions.takeDestinationPlace() : actions.writeConfiguration())
  return (
    <Sheet
      size="form"
      title={title}
      onClose={actions.closeSheet}
      actions={
        <>
          <Button onPress={actions.closeSheet}>Cancel</Button>
          <Button look={replaces ? 'danger' : 'primary'} onPress={() => (!replaces || settled) && send()}>
            {replaces ? 'Replace' : yes}
          </Button>
        </>
      }
    >
      {/* What replaces a file is pressed, not entered. */}
      <Form {...(!replaces && { onSubmit: send })}>
        <TextInput
          label="Save as"
          value={sheet.name}
          onChange={(name) => actions.changeSaving({ name })}
          autoFocus
          error={isAboutFolder(sheet.problem) ? null : problemWords(sheet.problem)}
          answers
          hint={hint}
        />
        <TextInput
          label="In"
          value={sheet.folder}
          placeholder="Path of a folder"
          onChange={(folder) => actions.changeSaving({ folder })}
          error={isAboutFolder(sheet.problem) ? problemWords(sheet.problem) : null}
          answers
          beside={<Button onPress={() => void actions.chooseFolder()}>Choose…</Button>}
        />
      </Form>
    </Sheet>
  )
}

const isAboutFolder = (problem: Saving['problem']) =>
  problem?.kind === 'no-folder' || problem?.kind === 'denied'

function problemWords(problem: Saving['problem']): string | null {
  switch (problem?.kind) {
    case undefined:
      return null
    case 'bad-name':
      return 'Give a name, without / or \\.'
    case 'no-folder':
      return "This folder isn't there. Choose another."
    case 'denied':
      return "This folder can't be written to. Choose another."
    case 'folder':
      return 'A folder has this name. Choose another name.'
    case 'exists':
      return 'A file of this name is there. Replace it?'
    case 'error': {
      const { what, why } = describeError(problem.error)
      return why === null ? what : `${what} ${why}`
    }
    default:
      return unreachable(problem)
  }
}
