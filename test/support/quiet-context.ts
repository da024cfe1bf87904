/** A job's context that keeps what it is told. */
import type { JobContext } from '#engine/job'
import { silentLogger } from '#shared/log'

export interface QuietContext extends JobContext {
  /** `verifying 1000` at a phase, then the bytes done in it. */
  readonly told: (string | number)[]
}

export function quietContext(signal: AbortSignal = new AbortController().signal): QuietContext {
  const told: (string | number)[] = []
  return {
    told,
    signal,
    log: silentLogger,
    enter: (phase, totalBytes) => void told.push(`${phase} ${totalBytes ?? '?'}`),
    skip: (phase) => void told.push(`skip ${phase}`),
    advance: (doneBytes) => void told.push(doneBytes),
    limitedBy: () => undefined,
    streamed: () => undefined,
  }
}
