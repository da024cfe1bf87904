/** A tick box with its sentence; an explanation may follow under it, and belongs to it for screen readers. */
import type { ReactNode } from 'react'
import { Checkbox as AriaCheckbox } from 'react-aria-components'
import './checkbox.css'

interface Props {
  readonly children: ReactNode
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
  readonly disabled?: boolean
  /** Id of the text that explains it. */
  readonly describedBy?: string
}

export function Checkbox({ children, checked, onChange, disabled = false, describedBy }: Props) {
  return (
    <AriaCheckbox
      className="checkbox"
      isSelected={checked}
      onChange={onChange}
      isDisabled={disabled}
      {...(describedBy === undefined ? {} : { 'aria-describedby': describedBy })}
    >
      <span className="checkbox-box" aria-hidden="true">
        <svg viewBox="0 0 16 16" width="12" height="12">
          <path d="m3.5 8.5 3 3 6-7" />
        </svg>
      </span>
      <span>{children}</span>
    </AriaCheckbox>
  )
}
