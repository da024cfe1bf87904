/** Those who fill a pool: worker threads for what must be decoded, fibers of this thread for what is only read. */
import type { ExtentsJob, FillJob, StreamJob, WorkerFailure } from './worker-job.ts'

export interface Crew {
  /** Running totals, `countersEach` numbers a worker, in a row (see `worker-counters.ts`). */
  readonly totals: Float64Array<SharedArrayBuffer>
  /** The posted failure that lies first on the disk. Ask once. */
  firstFailure(): WorkerFailure | null
  /** Call after the ring was stopped. Resolves when nobody works any more; open files may be closed then. */
  stop(): Promise<void>
}

/** A job without what the crew adds for each worker. */
export type CrewJob = JobOf<ExtentsJob> | JobOf<StreamJob>
type JobOf<Job extends FillJob> = Omit<Job, 'counters'>

export function firstOnDisk(failures: readonly WorkerFailure[]): WorkerFailure | null {
  return failures.toSorted((a, b) => a.diskOffset - b.diskOffset)[0] ?? null
}
