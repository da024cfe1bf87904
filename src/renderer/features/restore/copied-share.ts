import type { JobState } from '#shared/model'

/** How much of a restore was copied, 0–1, whatever came of it afterwards: how far the arrow is. Null before it is known. */
export function copiedShare({
  phases,
  progress,
  outcome,
}: Pick<JobState, 'phases' | 'progress' | 'outcome'>): number | null {
  const copied = phases.find(({ phase }) => phase === 'restoring')?.state
  if (outcome?.kind === 'done' || copied === 'done') return 1
  if (outcome?.kind === 'cancelled') return outcome.percent === null ? null : outcome.percent / 100
  return progress?.phase === 'restoring' && progress.percent !== null ? progress.percent / 100 : null
}
