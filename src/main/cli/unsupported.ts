/** Systems on which restoring isn't there yet. */
import { UsageError } from '#shared/errors'
import type { Engines } from './engines.ts'

/** Throws UsageError E_UNSUPPORTED. */
export function refuseWhereUnsupported(engines: Engines): void {
  if (engines.supported) return
  const problem = "Restoring isn't supported on this system yet."
  throw new UsageError('E_UNSUPPORTED', problem, { details: { input: 'system', problem } })
}
