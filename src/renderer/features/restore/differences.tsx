/** Where a disk isn't what was written: here and there, from some place on, or everywhere is not the same to its owner. */
import type { SerializedError } from '#shared/errors'
import { describeDifferences, differingParts } from '#shared/words'
import { CellStrip } from './cell-strip.tsx'

/** Nothing, unless the error says where. */
export function Differences({ error }: { readonly error: SerializedError }) {
  const parts = differingParts(error)
  if (parts === null) return null
  return (
    <div className="differences">
      <CellStrip marks={parts} rows={2} />
      <p className="secondary small selectable">{describeDifferences(parts)}</p>
    </div>
  )
}
