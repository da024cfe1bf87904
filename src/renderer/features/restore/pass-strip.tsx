/**
 * How much of a stream came in each pass: fifty cells a line, as asr's marks. What a cell means is told by its shape
 * first: full, half, hollow with a stroke through it, only outlined. The last passes are shown; earlier ones say nothing more.
 */
import type { StreamProgress } from '#shared/model'
import { describePasses } from '#shared/words'

const shownPasses = 4
const cells = 50
/** Units of the drawing. */
const pitch = 10
const size = 8
const high = 10

export function PassStrip({ stream }: { readonly stream: StreamProgress }) {
  const { passes } = stream
  const first = Math.max(0, passes.length - shownPasses)
  const shown = passes.length === 0 ? [''] : passes.slice(first)
  return (
    <section className="passes" aria-label="Passes">
      {shown.map((marks, index) => (
        <Pass key={first + index} number={first + index + 1} marks={marks} />
      ))}
      <p className="secondary small">{describePasses(stream)}</p>
    </section>
  )
}

function Pass({ number, marks }: { readonly number: number; readonly marks: string }) {
  const count = (mark: string) => marks.split(mark).length - 1
  const text = `Pass ${number}: ${count('.') * 2} percent received, ${count('x') * 2} percent missed`
  return (
    <div className="pass" role="img" aria-label={text}>
      <span aria-hidden="true">{number}</span>
      <svg viewBox={`0 0 ${cells * pitch} ${high}`} aria-hidden="true">
        {Array.from({ length: cells }, (_, index) => (
          <Cell key={index} at={index * pitch + 1} mark={marks[index] ?? ' '} />
        ))}
      </svg>
    </div>
  )
}

function Cell({ at, mark }: { readonly at: number; readonly mark: string }) {
  const frame = { x: at, y: 1, width: size, height: size, rx: 1.5 }
  switch (mark) {
    case '.':
      return <rect {...frame} className="cell-received" />
    case 'x':
      return (
        <>
          <rect {...frame} className="cell-missed" />
          <path d={`M${at + 1} ${size}l${size - 2}-${size - 2}`} className="cell-missed" />
        </>
      )
    case '-':
      return (
        <>
          <rect {...frame} className="cell-current" />
          <rect x={at} y={1 + size / 2} width={size} height={size / 2} rx={1.5} className="cell-received" />
        </>
      )
    default:
      return <rect {...frame} className="cell-pending" />
  }
}
