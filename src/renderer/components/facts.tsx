/** Names and values, as Get Info panels have them. Values can be selected and copied. */
import type { ReactNode } from 'react'
import './facts.css'

export interface Fact {
  readonly name: string
  readonly value: ReactNode
}

interface Props {
  readonly facts: readonly Fact[]
  /** `columns`: side by side, name over value. */
  readonly layout: 'rows' | 'columns'
}

export function Facts({ facts, layout }: Props) {
  return (
    <dl className={`facts facts-${layout}`}>
      {facts.map(({ name, value }) => (
        <div key={name} data-long={(typeof value === 'string' && value.length > 24) || undefined}>
          <dt>{name}</dt>
          <dd className="selectable">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
