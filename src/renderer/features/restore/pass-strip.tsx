/** How much of a stream came in each pass, a strip a line. The last passes are shown; earlier ones say nothing more. */
import type { StreamProgress } from '#shared/model'
import { describePasses } from '#shared/words'
import { CellStrip } from './cell-strip.tsx'

const shownPasses = 4

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
      <CellStrip marks={marks} />
    </div>
  )
}
