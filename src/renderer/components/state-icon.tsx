/** What became of something, as a shape first and a colour second. Decoration: the words beside it say the same. */
import { Ban, Check, Circle, CircleCheck, CircleX, Info, TriangleAlert, Minus } from 'lucide-react'
import { Spinner } from './spinner.tsx'
import './state-icon.css'

const shapes = {
  ok: Check,
  done: CircleCheck,
  warning: TriangleAlert,
  failed: CircleX,
  info: Info,
  pending: Circle,
  skipped: Minus,
  stopped: Ban,
} as const

export type IconState = keyof typeof shapes | 'busy'

interface Props {
  readonly state: IconState
  readonly size?: 14 | 18 | 32
}

export function StateIcon({ state, size = 14 }: Props) {
  if (state === 'busy') return <Spinner size={size === 32 ? 18 : size} />
  const Shape = shapes[state]
  return (
    <Shape
      className="state-icon"
      data-state={state}
      size={size}
      strokeWidth={size === 32 ? 1.75 : 2.25}
      aria-hidden
    />
  )
}
