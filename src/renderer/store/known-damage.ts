/**
 * Whether the image in the source well was found damaged: by a scan, a verify or a restore that the engine still knows. It holds until
 * the file changes, or is found right. A courtesy, so that nobody erases a disk for it; the engine finds it again. Pure.
 */
import type { SerializedError } from '#shared/errors'
import { isComparedWithFile, onlyVolumeOf, type JobState } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'
import { differsFromBeside, misfitChecksum } from './misfit-checksum.ts'
import { shownPlan } from './planner.ts'
import type { ViewState } from './view-state.ts'

/** Why the source can't be restored, as far as is known of it: it couldn't be read, or was found damaged. */
export function sourceProblem(mirror: EngineMirror, view: ViewState): SerializedError | null {
  return view.source?.error ?? knownDamage(mirror, view)
}

function knownDamage(mirror: EngineMirror, { source, plan }: ViewState): SerializedError | null {
  if (source?.info?.kind !== 'image') return null
  const path = source.locator
  const planned = shownPlan(plan)?.source
  const seenMs = planned?.kind === 'image' && planned.locator === path ? planned.image.modifiedMs : 0
  const modifiedMs = Math.max(source.info.image.modifiedMs, seenMs)
  for (const jobId of mirror.jobIds) {
    const job = mirror.jobs[jobId]
    // What was found out before the file became what it is says nothing of it.
    if (!job || job.startedMs < modifiedMs) continue
    if (job.source !== path) continue
    if (isFoundRight(job)) return null
    // Only an old file may be wrong: that was written anew since, or it is what a new one was refused for and no restore heeds it.
    const isUnheeded = job.kind === 'add-checksum-image' && !isComparedWithFile(source.info.image)
    if (differsFromBeside(job) && (isUnheeded || !misfitChecksum(mirror, job))) continue
    if (job.outcome?.kind === 'failed' && job.outcome.error.code === 'E_SRC_CORRUPT') return job.outcome.error
  }
  return null
}

/** Read to its end without a fault: of one volume of it, or of what differs, that says nothing. */
const isFoundRight = ({ outcome, plan }: JobState): boolean =>
  outcome?.kind === 'scanned' ||
  outcome?.kind === 'checked' ||
  (outcome?.kind === 'done' && plan !== null && !plan.request.changedOnly && onlyVolumeOf(plan) === null)
