/**
 * A strip of fifty cells, as asr's marks. What a cell means is told by its shape first: full, half, hollow with a stroke through
 * it, only outlined.
 */
import { partMarks } from '#shared/model'

/** Units of the drawing. */
const pitch = 10
const size = 8

/** Drawn only: who can't see it reads the words beside it. `marks`: see `partMarks`; it may be shorter. */
export function CellStrip({ marks, rows = 1 }: { readonly marks: string; readonly rows?: number }) {
  const columns = Math.ceil(partMarks / rows)
  return (
    <svg viewBox={`0 0 ${columns * pitch} ${rows * pitch}`} aria-hidden="true">
      {Array.from({ length: partMarks }, (_, index) => (
        <g
          key={index}
          transform={`translate(${(index % columns) * pitch + 1} ${Math.floor(index / columns) * pitch + 1})`}
        >
          <Cell mark={marks[index] ?? ' '} />
        </g>
      ))}
    </svg>
  )
}

function Cell({ mark }: { readonly mark: string }) {
  const frame = { width: size, height: size, rx: 1.5 }
  switch (mark) {
    case '.':
      return <rect {...frame} className="cell-received" />
    case 'x':
      return (
        <>
          <rect {...frame} className="cell-missed" />
          <path d={`M1 ${size - 1}L${size - 1} 1`} className="cell-missed" />
        </>
      )
    case '-':
      return (
        <>
          <rect {...frame} className="cell-current" />
          <rect y={size / 2} width={size} height={size / 2} rx={1.5} className="cell-received" />
        </>
      )
    default:
      return <rect {...frame} className="cell-pending" />
  }
}
