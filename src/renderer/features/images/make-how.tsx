/** Where an image is written, and how: name and folder, format, level, segments, password. */
import { Button, Checkbox, Choice, FormRow, TextInput } from '#renderer/components'
import { canBeCut, useActions, type DraftProblem, type ImageDraft } from '#renderer/store'
import { compressionLevels } from '#shared/model'
import { conversionTime } from '#shared/words'
import { formatOptions, levelOptions } from './make-options.ts'
import { SizeField } from './size-field.tsx'
import { problemAbout } from './text.ts'

interface Props {
  readonly draft: ImageDraft
  readonly problem: DraftProblem | null
}

export function MakeHow({ draft, problem }: Props) {
  const { changeDraft, chooseTarget } = useActions()
  const { format } = draft
  const levels = levelOptions(format)
  return (
    <>
      <TextInput
        label="Save as"
        value={draft.name}
        onChange={(name) => changeDraft({ name, named: true })}
        error={problemAbout(problem, 'no-name', 'bad-name', 'is-folder', 'same-file')}
        answers
        autoFocus={draft.work.kind === 'convert'}
      />
      <TextInput
        label="In"
        value={draft.folder}
        placeholder="Path of a folder"
        onChange={(folder) => changeDraft({ folder })}
        error={problemAbout(problem, 'no-folder', 'folder-gone', 'folder-denied')}
        answers
        beside={<Button onPress={() => void chooseTarget()}>Choose…</Button>}
      />
      <Choice
        label="Format"
        value={format}
        options={formatOptions(draft.work.kind)}
        onChange={(chosen) => changeDraft({ format: chosen })}
      />
      {levels.length > 0 && (
        <Choice
          label="Compression"
          value={String(draft.level ?? compressionLevels[format])}
          options={levels}
          onChange={(level) => changeDraft({ level: Number(level) })}
        />
      )}
      {draft.work.kind === 'convert' && draft.work.info && (
        <FormRow label="Takes">{conversionTime(draft.work.info, draft) ?? 'Not known beforehand'}</FormRow>
      )}
      {draft.work.kind === 'convert' && canBeCut(format) && <Segments draft={draft} problem={problem} />}
      <Encryption draft={draft} problem={problem} />
    </>
  )
}

function Segments({ draft, problem }: Props) {
  const { changeDraft } = useActions()
  const { segments } = draft
  return (
    <>
      <FormRow label="">
        <Checkbox
          checked={segments !== null}
          onChange={(on) => changeDraft({ segments: on ? { figure: '4', unit: 'GB' } : null })}
        >
          Cut into segments
        </Checkbox>
      </FormRow>
      {segments && (
        <SizeField
          label="Of at most"
          size={segments}
          onChange={(size) => changeDraft({ segments: size })}
          error={problemAbout(problem, 'no-segments')}
        />
      )}
    </>
  )
}

function Encryption({ draft, problem }: Props) {
  const { changeDraft } = useActions()
  const { encryption } = draft
  return (
    <>
      <FormRow label="">
        <Checkbox
          checked={encryption !== null}
          onChange={(on) => changeDraft({ encryption: on ? { password: '', again: '' } : null })}
        >
          Encrypt (AES-256)
        </Checkbox>
      </FormRow>
      {encryption && (
        <>
          <TextInput
            label="Password"
            type="password"
            value={encryption.password}
            onChange={(password) => changeDraft({ encryption: { ...encryption, password } })}
            error={problemAbout(problem, 'no-password')}
            answers
            autoFocus
          />
          <TextInput
            label="Once more"
            type="password"
            value={encryption.again}
            onChange={(again) => changeDraft({ encryption: { ...encryption, again } })}
            error={problemAbout(problem, 'passwords-differ')}
            answers
            hint="Without the password nobody can open the image. Reprise doesn't keep it."
          />
        </>
      )}
    </>
  )
}
