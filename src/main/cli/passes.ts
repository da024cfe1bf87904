/** The two phases that take time, as every printer sees them: restoring, then verifying. */
import type { JobPhase, JobState } from '#shared/model'

export interface Pass<P extends JobPhase = 'restoring' | 'verifying'> {
  readonly phase: P
  readonly state: 'running' | 'done' | 'broken'
  /** 0–100; null while the size isn't known. 100 only when it is done. */
  readonly percent: number | null
  readonly doneBytes: number
}

/**
 * The passes that have begun, in order. A state is a sample: a pass may begin and end between two of them, so what is
 * done is read from the list of phases and not from having been seen.
 */
export function passesOf(state: JobState): readonly Pass[] {
  const { progress } = state
  return state.phases.flatMap(({ phase, state: phaseState }): readonly Pass[] => {
    if (phase !== 'restoring' && phase !== 'verifying') return []
    const own = progress !== null && progress.phase === phase ? progress : null
    const doneBytes = own?.doneBytes ?? 0
    const percent = own?.percent ?? null
    switch (phaseState) {
      case 'current':
        return [{ phase, state: 'running', percent, doneBytes }]
      case 'done':
        return [{ phase, state: 'done', percent: 100, doneBytes }]
      case 'failed':
        return [{ phase, state: 'broken', percent, doneBytes }]
      case 'skipped': // one that was stopped in the middle counts as skipped, but has progress
        return own === null ? [] : [{ phase, state: 'broken', percent, doneBytes }]
      case 'pending':
      default:
        return []
    }
  })
}
