/** The speed of the last two minutes as a curve: whether it holds, falls or stutters is seen at once. */
import { curvePath } from '#renderer/components'
import { useMirror } from '#renderer/store'
import { formatRate } from '#shared/units'

const width = 240
const height = 44
/** Figures across the whole width: two minutes. */
const room = 120

const none: readonly number[] = []

export function SpeedCurve({ jobId }: { readonly jobId: string }) {
  const speeds = useMirror((mirror) => mirror.speeds[jobId] ?? none)
  // The room stays while there is nothing to draw yet, so that nothing jumps.
  if (speeds.length < 2) return <div className="speed-curve" />
  const line = curvePath(speeds, { width, height, room })
  const text = `Speed between ${formatRate(Math.min(...speeds))} and ${formatRate(Math.max(...speeds))}`
  return (
    <figure className="speed-curve" role="img" aria-label={text}>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        <path className="speed-area" d={`${line}V${height}H0Z`} />
        <path className="speed-line" d={line} vectorEffect="non-scaling-stroke" />
      </svg>
    </figure>
  )
}
