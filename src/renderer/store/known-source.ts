/**
 * What the wells hold once it is known what the source is. A destination that this source can't go to is taken out, by the rule that keeps
 * it from being chosen: nobody has to find out below it why nothing can be restored. Pure.
 */
import { destinationProblem, type DestinationProblem } from './destinations.ts'
import type { DestinationChoice, SourceChoice, ViewState } from './view-state.ts'

type Wells = Pick<ViewState, 'source' | 'destination' | 'options' | 'notice'>

/** A source that is still read decides nothing; nor does any while a restore starts or is shown, which has what was chosen for it. */
export function withSource(view: ViewState, source: SourceChoice | null): Wells {
  const { destination, options, notice, starting, restoreJobId } = view
  const problem = starting === null && restoreJobId === null ? standsAgainst(destination, source) : null
  if (destination === null || problem === null) return { source, destination, options, notice }
  return {
    source,
    destination: null,
    options: { ...options, erase: false },
    notice: { kind: 'destination-left', name: destination.name, problem },
  }
}

/** Only what the source is about: what holds whatever the source is, the preflight tells, and it may pass. */
function standsAgainst(
  destination: DestinationChoice | null,
  source: SourceChoice | null,
): DestinationProblem | null {
  if (!destination?.disk || destination.state === 'gone' || source?.state !== 'ready') return null
  const problem = destinationProblem(destination.disk, destination.volume, source)
  return problem?.kind === 'protected' || problem?.kind === 'busy' ? null : problem
}
