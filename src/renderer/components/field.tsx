/** Fields of a form: a label at the left, the control at the right, and under it a hint. They line up in a `Form`. */
import { ChevronDown } from 'lucide-react'
import { useId, type ReactNode } from 'react'
import {
  Button,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  TextField,
} from 'react-aria-components'
import './field.css'

/** Enter presses the button of the sheet that `onSubmit` stands for. */
export function Form({
  children,
  onSubmit,
}: {
  readonly children: ReactNode
  readonly onSubmit?: () => void
}) {
  return (
    <form
      className="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit?.()
      }}
    >
      {children}
      {/* Without it Enter in one of several fields would do nothing. */}
      {onSubmit && <button type="submit" tabIndex={-1} className="visually-hidden" aria-hidden="true" />}
    </form>
  )
}

/** A line of a form that is no field: a fact, some buttons. */
export function FormRow({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div className="field">
      <span className="field-label">{label}</span>
      <div className="field-control">{children}</div>
    </div>
  )
}

interface InputProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly type?: 'text' | 'password' | 'url'
  readonly autoFocus?: boolean
  readonly disabled?: boolean
  readonly placeholder?: string
  /** Only so wide as a figure needs. */
  readonly narrow?: boolean
  /** What is wrong with it: read with the field. */
  readonly error?: string | null
  /** That comes when a button was pressed, not while it is typed: it is read out by itself. */
  readonly answers?: true
  readonly hint?: ReactNode
  /** Beside it: a unit, a button. */
  readonly beside?: ReactNode
}

export function TextInput({
  label,
  value,
  onChange,
  type = 'text',
  autoFocus = false,
  disabled = false,
  narrow = false,
  placeholder,
  error = null,
  answers,
  hint,
  beside,
}: InputProps) {
  const id = useId()
  const note = error ?? hint
  return (
    <TextField
      className="field"
      value={value}
      onChange={onChange}
      type={type}
      isDisabled={disabled}
      isInvalid={error !== null}
      // The first thing that a sheet asks for.
      autoFocus={autoFocus}
      autoComplete={type === 'password' ? 'new-password' : 'off'}
      spellCheck="false"
      {...(note ? { 'aria-describedby': id } : {})}
    >
      <Label className="field-label">{label}</Label>
      <div className="field-control">
        <Input
          className={narrow ? 'text-input text-input-narrow' : 'text-input'}
          {...(placeholder === undefined ? {} : { placeholder })}
        />
        {beside}
      </div>
      <Note id={id} error={error} answers={answers} hint={hint} />
    </TextField>
  )
}

interface NoteProps extends Pick<InputProps, 'error' | 'hint'> {
  readonly id: string
  readonly answers: true | undefined
}

/** Under a field: what is wrong with it, else its hint. */
function Note({ id, error, answers, hint }: NoteProps) {
  if (error)
    return (
      // Another element than the hint: what comes into the page as an alert is surely heard as one.
      <p key="error" id={id} role={answers && 'alert'} className="field-note field-error small">
        {error}
      </p>
    )
  return hint ? (
    <p key="hint" id={id} className="field-note secondary small">
      {hint}
    </p>
  ) : null
}

export interface ChoiceOption<Key extends string> {
  readonly key: Key
  readonly label: string
  /** Second line in the list. */
  readonly description?: string
  readonly indented?: true
}

interface ChoiceProps<Key extends string> {
  readonly label: string
  readonly value: Key | null
  readonly options: readonly ChoiceOption<Key>[]
  readonly onChange: (key: Key) => void
  /** Stands beside another field: no label of its own in the form. */
  readonly beside?: true
  readonly autoFocus?: boolean
  readonly disabled?: boolean
  readonly placeholder?: string
  /** What is wrong with it: read with the field. */
  readonly error?: string | null
  /** As of a `TextInput`. */
  readonly answers?: true
  readonly hint?: ReactNode
}

/** One of a few. */
export function Choice<Key extends string>({
  label,
  value,
  options,
  onChange,
  beside,
  autoFocus = false,
  disabled = false,
  placeholder = 'Choose…',
  error = null,
  answers,
  hint,
}: ChoiceProps<Key>) {
  const id = useId()
  const note = error ?? hint
  return (
    <Select
      className={beside ? 'field-beside' : 'field'}
      selectedKey={value}
      onSelectionChange={(key) => onChange(key as Key)}
      isDisabled={disabled}
      autoFocus={autoFocus}
      placeholder={placeholder}
      {...(beside ? { 'aria-label': label } : {})}
      {...(note ? { 'aria-describedby': id } : {})}
    >
      {!beside && <Label className="field-label">{label}</Label>}
      <div className="field-control">
        <Button className="choice">
          <SelectValue className="ellipsis choice-value">
            {({ isPlaceholder, selectedText }) =>
              isPlaceholder ? <span className="secondary">{placeholder}</span> : selectedText
            }
          </SelectValue>
          <ChevronDown size={14} aria-hidden />
        </Button>
      </div>
      <Note id={id} error={error} answers={answers} hint={hint} />
      <Popover className="menu-popover choice-popover" offset={2}>
        <ListBox className="menu choice-list">
          {options.map((option) => (
            <ListBoxItem
              key={option.key}
              id={option.key}
              textValue={option.label}
              className="menu-item"
              data-indented={option.indented}
            >
              <span className="menu-words">
                <span>{option.label}</span>
                {option.description !== undefined && (
                  <span className="menu-description">{option.description}</span>
                )}
              </span>
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  )
}
