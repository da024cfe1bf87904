/** A job's context that keeps what it is told. */
import type { JobContext } from '#engine/job'
import { silentLogger } from '#shared/log'
import type { StreamProgress } from '#shared/model'

export interface QuietContext extends JobContext {
  /** `verifying 1000` at a phase, then the bytes done in it. */
  readonly told: (string | number)[]
  /** Of a stream, in the order it was told. */
  readonly streams: (StreamProgress | null)[]
  /** Whether it was told that the image isn't what it was. */
  wasChanged(): boolean
}

export function quietContext(signal: AbortSignal = new AbortController().signal): QuietContext {
  const told: (string | number)[] = []
  const streams: (StreamProgress | null)[] = []
  let isChanged = false
  return {
    told,
    streams,
    signal,
    log: silentLogger,
    enter: (phase, totalBytes) => void told.push(`${phase} ${totalBytes ?? '?'}`),
    skip: (phase) => void told.push(`skip ${phase}`),
    advance: (doneBytes) => void told.push(doneBytes),
    limitedBy: () => undefined,
    stalled: () => undefined,
    streamed: (progress) => void streams.push(progress),
    changed: () => void (isChanged = true),
    wasChanged: () => isChanged,
  }
}
