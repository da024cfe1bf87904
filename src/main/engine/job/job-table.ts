/** The jobs of one engine host: those that run, and the last that ended. */
import { randomUUID } from 'node:crypto'
import type { DisksInUse, JobOutcome, JobState } from '#shared/model'
import { DeviceError } from '#shared/errors'
import type { JobContext } from './job-context.ts'
import { startJob, type Job, type JobDeps, type JobDescription, type JobListener } from './start-job.ts'

interface Uses {
  readonly claims: readonly string[]
  readonly reads: readonly string[]
}

export interface JobTable extends AsyncDisposable {
  /**
   * Start a job. `claims` are the paths it writes to: while it runs, no other may claim one of them (DeviceError
   * E_DST_BUSY). A device is also held exclusively by its handle; for plain files this is what keeps two jobs apart.
   * `reads` are the disks it reads: others may read them, too, but nobody may claim them, and where one is claimed it
   * can't be read (DeviceError E_SRC_IN_USE). Nothing else keeps a writer off a disk that is read.
   */
  start(
    description: Omit<JobDescription, 'jobId'> & Uses,
    run: (context: JobContext) => Promise<JobOutcome>,
  ): Job
  get(jobId: string): Job | null
  /** Running ones and the last that ended, oldest first. */
  list(): readonly JobState[]
  /** The same for what is no job, until it is disposed. Throws as `start` does. */
  use(uses: Uses): Disposable
  /** What running jobs claim and read, and what is read besides: `Disk.busy` is made of it. */
  inUse(): DisksInUse
  /** Every state of every job, from now on. Returns the function that ends it. */
  subscribe(listener: JobListener): () => void
  /** Cancels all, for that reason of their signals, and resolves when all have really stopped. Disposing does so without one. */
  cancelAll(reason?: unknown): Promise<void>
}

/** Ended jobs that are remembered. */
const keptJobs = 50

/** `readBesides`: the disks that are read by what is no job of the table. */
export function createJobTable(
  deps: JobDeps & { readonly readBesides?: () => ReadonlySet<string> },
): JobTable {
  const jobs = new Map<string, Job>()
  /** By job, or by whatever stands for what is none. */
  const running = new Map<string | symbol, Uses>()
  const listeners = new Set<JobListener>()

  const inUse = (): DisksInUse => {
    const uses = [...running.values()]
    return {
      written: new Set(uses.flatMap(({ claims }) => claims)),
      read: new Set([...uses.flatMap(({ reads }) => reads), ...(deps.readBesides?.() ?? [])]),
    }
  }
  const forgetOld = () => {
    const ended = [...jobs.values()].filter((job) => job.state().outcome !== null)
    for (const job of ended.slice(0, Math.max(0, ended.length - keptJobs))) jobs.delete(job.jobId)
  }
  async function cancelAll(reason?: unknown): Promise<void> {
    await Promise.all([...jobs.values()].map((job) => job.cancel(reason)))
  }

  function refuseConflicts({ claims, reads }: Uses): void {
    const { written, read } = inUse()
    for (const path of claims)
      if (written.has(path) || read.has(path))
        throw new DeviceError('E_DST_BUSY', `${path} is being used by another job`, {
          details: { path, holders: ['Reprise'] },
        })
    for (const path of reads)
      if (written.has(path))
        throw new DeviceError('E_SRC_IN_USE', `${path} is being written by another job`, {
          details: { path, holders: ['Reprise'] },
        })
  }

  return {
    start({ claims, reads, ...description }, run) {
      refuseConflicts({ claims, reads })
      const jobId = randomUUID()
      const job = startJob({ ...description, jobId }, run, deps)
      jobs.set(jobId, job)
      running.set(jobId, { claims, reads })
      job.subscribe((state) => {
        if (state.outcome !== null) {
          running.delete(jobId)
          forgetOld()
        }
        for (const listener of listeners) listener(state)
      })
      return job
    },
    use(uses) {
      refuseConflicts(uses)
      const user = Symbol('no job')
      running.set(user, uses)
      return { [Symbol.dispose]: () => void running.delete(user) }
    },
    get: (jobId) => jobs.get(jobId) ?? null,
    list: () => [...jobs.values()].map((job) => job.state()),
    inUse,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    cancelAll,
    [Symbol.asyncDispose]: () => cancelAll(),
  }
}
