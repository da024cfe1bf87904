/** How far something is. `percent` null: it moves, but nobody knows how far it has to go. */
import { ProgressBar as AriaProgressBar } from 'react-aria-components'
import './progress-bar.css'

interface Props {
  readonly label: string
  readonly percent: number | null
  /** What a screen reader says: `Restoring, 43 percent, about 6 minutes left`. */
  readonly text: string
  readonly tone?: 'running' | 'failed'
}

export function ProgressBar({ label, percent, text, tone = 'running' }: Props) {
  return (
    <AriaProgressBar
      className="progress"
      aria-label={label}
      valueLabel={text}
      data-tone={tone}
      {...(percent === null ? { isIndeterminate: true } : { value: percent })}
    >
      <div
        className={percent === null ? 'progress-fill progress-unknown' : 'progress-fill'}
        style={percent === null ? undefined : { width: `${percent}%` }}
      />
    </AriaProgressBar>
  )
}
