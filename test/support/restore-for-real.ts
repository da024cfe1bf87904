/** A whole restore on this machine's real devices, by the engine's own doors: plan, job, outcome. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createSystemIo, planRestore, runRestore, type RestoreDeps } from '#engine/copy'
import { startJob, type Job } from '#engine/job'
import { createPlatform } from '#engine/platform'
import { createLogger, type LogLine } from '#shared/log'
import type { JobOutcome, JobState, RestorePlan, RestoreRequest, RestoreSummary } from '#shared/model'
import { restoreRequest } from '#test/restore-request'

export interface RealRestore {
  readonly plan: RestorePlan
  readonly outcome: JobOutcome
  readonly states: readonly JobState[]
  readonly lines: readonly LogLine[]
}

export interface RealHooks {
  /** At each state, before the engine goes on. */
  readonly during?: (state: JobState, job: Job) => void
  /** After the plan, before the job. */
  readonly between?: (plan: RestorePlan) => void | Promise<void>
  readonly deps?: Partial<RestoreDeps>
}

export async function restoreForReal(
  change: Pick<RestoreRequest, 'source' | 'target'> & Partial<RestoreRequest>,
  hooks: RealHooks = {},
): Promise<RealRestore> {
  const lines: LogLine[] = []
  const log = createLogger((line) => lines.push(line), Date.now)
  const platform = createPlatform({ log })
  const deps: RestoreDeps = { platform, io: createSystemIo(platform), ...hooks.deps }
  const plan = await planRestore(restoreRequest(change), deps)
  await hooks.between?.(plan)
  const job = startJob(
    { jobId: 'test', kind: 'restore', title: 'test', plan },
    (context) => runRestore(plan, deps, context),
    { log },
  )
  const states: JobState[] = []
  job.subscribe((state) => {
    states.push(state)
    hooks.during?.(state, job)
  })
  const { outcome } = await job.ended
  if (outcome === null) throw new Error('a job ended without an outcome')
  return { plan, outcome, states, lines }
}

/** The summary of a restore that is done; else an error that says how it ended. */
export function summaryOf({ outcome }: RealRestore): RestoreSummary {
  if (outcome.kind === 'done') return outcome.summary
  throw new Error(`the restore ended as ${JSON.stringify(outcome, null, 2)}`)
}

/** SHA-256 of the first `lengthBytes` bytes of a file or device. */
export async function sha256(path: string, lengthBytes: number): Promise<string> {
  const hash = createHash('sha256')
  if (lengthBytes > 0)
    for await (const chunk of createReadStream(path, { end: lengthBytes - 1 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
