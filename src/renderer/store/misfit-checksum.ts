/** The SHA-256 in the file beside an image (`disk.img.sha256`), where a job found that it isn't the image's. Pure. */
import type { JobState } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'

/** The image was compared with it. */
export const differsFromBeside = ({ outcome }: JobState): boolean =>
  outcome?.kind === 'failed' &&
  outcome.error.code === 'E_SRC_CORRUPT' &&
  outcome.error.details['format'] === 'sha256'

/** The image that needs a new one, by what `job` found or changed; null: none, or it was written since. */
export function misfitChecksum({ jobs }: EngineMirror, job: JobState): string | null {
  const path = misfitPath(job)
  const isWritten = Object.values(jobs).some(
    ({ outcome, startedMs }) =>
      startedMs > job.startedMs &&
      outcome?.kind === 'checksummed' &&
      outcome.checksums.besides === `${path}.sha256`,
  )
  return isWritten ? null : path
}

function misfitPath(job: JobState): string | null {
  const { outcome, source } = job
  if (differsFromBeside(job)) return source
  if (outcome === null || !('outdated' in outcome) || outcome.outdated === undefined) return null
  // Nothing is left that it could be of.
  if ('target' in outcome && outcome.target === 'empty') return null
  return outcome.outdated.replace(/\.sha256$/, '')
}
