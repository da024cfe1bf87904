/** A field of several lines. What is to be said of it stands elsewhere, and is named by its id. */
import { Label, TextArea, TextField } from 'react-aria-components'
import './field.css'

interface Props {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly rows: number
  readonly placeholder?: string
  readonly invalid?: boolean
  /** Id of the hint, or of what is wrong. */
  readonly describedBy: string
}

export function TextLines({
  label,
  value,
  onChange,
  rows,
  placeholder,
  invalid = false,
  describedBy,
}: Props) {
  return (
    <TextField
      className="field"
      value={value}
      onChange={onChange}
      isInvalid={invalid}
      autoComplete="off"
      spellCheck="false"
      aria-describedby={describedBy}
    >
      <Label className="field-label">{label}</Label>
      <TextArea
        className="text-input text-lines"
        rows={rows}
        wrap="off"
        {...(placeholder === undefined ? {} : { placeholder })}
      />
    </TextField>
  )
}
