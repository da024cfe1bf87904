/** A size: a figure and its unit. */
import { Choice, TextInput } from '#renderer/components'
import { sizeUnits, type SizeDraft } from '#renderer/store'

interface Props {
  readonly label: string
  readonly size: SizeDraft
  readonly onChange: (size: SizeDraft) => void
  readonly error?: string | null
  readonly hint?: string
  readonly autoFocus?: boolean
}

const units = sizeUnits.map((unit) => ({ key: unit, label: unit }))

export function SizeField({ label, size, onChange, error = null, hint, autoFocus = false }: Props) {
  return (
    <TextInput
      label={label}
      value={size.figure}
      onChange={(figure) => onChange({ ...size, figure })}
      error={error}
      answers
      hint={hint}
      autoFocus={autoFocus}
      narrow
      beside={
        <Choice
          beside
          label={`Unit of ${label.toLowerCase()}`}
          value={size.unit}
          options={units}
          onChange={(unit) => onChange({ ...size, unit })}
        />
      }
    />
  )
}
