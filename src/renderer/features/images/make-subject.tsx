/** What an image is made of: another image, nothing, a folder, a device. */
import { unreachable } from '#shared/errors'
import { Button, Choice, FormRow, TextInput, type ChoiceOption } from '#renderer/components'
import {
  sameData,
  useActions,
  useBoth,
  useMirror,
  type DraftProblem,
  type EngineMirror,
  type ImageDraft,
} from '#renderer/store'
import { creatableMaps, type CreatableMap } from '#shared/model'
import { describeFilesystem, describeFormat, describePartitionMap } from '#shared/words'
import { deviceOptions, filesystemsFor } from './make-options.ts'
import { SizeField } from './size-field.tsx'
import { originalSize, problemAbout } from './text.ts'

interface Props {
  readonly draft: ImageDraft
  readonly problem: DraftProblem | null
}

export function MakeSubject({ draft, problem }: Props) {
  switch (draft.work.kind) {
    case 'convert':
      return <Original work={draft.work} />
    case 'blank':
      return <BlankDisk draft={draft} problem={problem} />
    case 'folder':
      return <FolderField draft={draft} problem={problem} />
    case 'device':
      return <DeviceField draft={draft} problem={problem} />
    default:
      return unreachable(draft.work)
  }
}

function Original({ work: { info } }: { readonly work: Extract<ImageDraft['work'], { kind: 'convert' }> }) {
  if (!info) return null
  return (
    <FormRow label="Now">
      <span className="selectable">
        {originalSize(info)}
        <br />
        <span className="secondary">{describeFormat(info.format)}</span>
      </span>
    </FormRow>
  )
}

const maps: readonly ChoiceOption<CreatableMap>[] = creatableMaps.map((map) => ({
  key: map,
  label: describePartitionMap(map),
}))

const platformOf = (mirror: EngineMirror) => mirror.app?.platform ?? 'linux'

function BlankDisk({ draft, problem }: Props) {
  const { changeDraft } = useActions()
  const filesystems = filesystemsFor(useMirror(platformOf))
  return (
    <>
      <SizeField
        label="Size"
        size={draft.size}
        onChange={(size) => changeDraft({ size })}
        error={problemAbout(problem, 'no-size')}
        autoFocus
      />
      <Choice
        label="Partition map"
        value={draft.partitionMap}
        options={maps}
        onChange={(partitionMap) => changeDraft({ partitionMap })}
      />
      <Choice
        label="File system"
        value={draft.filesystem ?? 'none'}
        options={[
          { key: 'none', label: 'None' },
          ...filesystems.map((name) => ({ key: name, label: describeFilesystem(name) })),
        ]}
        onChange={(key) => changeDraft({ filesystem: filesystems.find((name) => name === key) ?? null })}
      />
      <TextInput
        label="Volume name"
        value={draft.volumeName}
        disabled={draft.filesystem === null}
        placeholder="None"
        onChange={(volumeName) => changeDraft({ volumeName })}
      />
    </>
  )
}

function FolderField({ draft, problem }: Props) {
  const actions = useActions()
  return (
    <>
      <TextInput
        label="Folder"
        value={draft.from ?? ''}
        placeholder="Path of the folder"
        onChange={actions.typeFrom}
        error={problemAbout(problem, 'no-from')}
        answers
        hint="All that is in it goes into a file system of its own."
        autoFocus
        beside={<Button onPress={() => void actions.chooseFolder()}>Choose…</Button>}
      />
      <TextInput
        label="Volume name"
        value={draft.volumeName}
        placeholder="As the folder is called"
        onChange={(volumeName) => actions.changeDraft({ volumeName })}
      />
    </>
  )
}

function DeviceField({ draft, problem }: Props) {
  const { chooseDevice } = useActions()
  const options = useBoth(deviceOptions, sameData)
  const missing = problemAbout(problem, 'no-from')
  return (
    <Choice
      label="Device"
      value={options.some((option) => option.key === draft.from) ? draft.from : null}
      placeholder={options.length === 0 ? 'No disk is connected' : 'Choose a disk or a volume'}
      options={options}
      disabled={options.length === 0}
      autoFocus
      onChange={chooseDevice}
      error={missing}
      answers
      hint="Only used blocks are read, where the file system is understood. An administrator's password may be asked for."
    />
  )
}
