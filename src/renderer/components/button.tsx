/** The window's push button. `danger` names what destroys; `primary` is the one next step of a panel. */
import { Button as AriaButton, type ButtonProps } from 'react-aria-components'
import './button.css'

interface Props extends Omit<ButtonProps, 'className'> {
  readonly look?: 'plain' | 'primary' | 'danger' | 'quiet'
  /** A square with one picture; needs `aria-label`. */
  readonly icon?: true
}

export function Button({ look = 'plain', icon, ...props }: Props) {
  return <AriaButton {...props} className={`button button-${look}${icon ? ' button-icon' : ''}`} />
}
