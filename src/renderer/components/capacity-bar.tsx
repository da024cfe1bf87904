/** A disk drawn as one bar of its partitions, with a legend: the picture Disk Utility made familiar. */
import { formatBytes } from '#shared/units'
import type { Segment } from './segments.ts'
import './capacity-bar.css'

interface Props {
  readonly segments: readonly Segment[]
  /** More names than this are counted. */
  readonly legend?: number
}

export function CapacityBar({ segments, legend = 4 }: Props) {
  if (segments.length === 0) return null
  const named = segments.length > legend ? segments.slice(0, legend - 1) : segments
  const more = segments.length - named.length
  return (
    <div className="capacity">
      <div className="capacity-bar" role="img" aria-label={segments.map(spoken).join(', ')}>
        {segments.map((segment) => (
          <div
            key={segment.key}
            className="capacity-segment"
            data-color={segment.color}
            style={{ flexGrow: segment.sizeBytes }}
          >
            {segment.usedBytes !== null && (
              <div
                className="capacity-unused"
                style={{ width: `${100 - (100 * segment.usedBytes) / Math.max(1, segment.sizeBytes)}%` }}
              />
            )}
          </div>
        ))}
      </div>
      <ul className="capacity-legend" aria-hidden="true">
        {named.map((segment) => (
          <li key={segment.key}>
            <i data-color={segment.color} />
            <span className="ellipsis">{segment.name}</span>
            <span className="secondary">{size(segment)}</span>
          </li>
        ))}
        {more > 0 && <li className="secondary">{`and ${more} more`}</li>}
      </ul>
    </div>
  )
}

const size = (segment: Segment) =>
  segment.usedBytes === null
    ? formatBytes(segment.sizeBytes)
    : `${formatBytes(segment.usedBytes)} of ${formatBytes(segment.sizeBytes)}`

const spoken = (segment: Segment) =>
  `${segment.name} ${size(segment)}${segment.usedBytes === null ? '' : ' used'}`
