/** Whether Restore… can be pressed, and if not, why; and which act the Restore tab is in. Pure. */
import type { SerializedError } from '#shared/errors'
import type { JobState, RestorePlan } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'
import { sourceProblem } from './known-damage.ts'
import { shownPlan } from './planner.ts'
import { refusalOf, wantsErase } from './refusal.ts'
import type { ViewState } from './view-state.ts'

export type RestoreBlock =
  | { readonly kind: 'offline' | 'engine-gone' | 'unsupported' }
  /** A restore starts, or one is shown: the wells aren't in sight. */
  | { readonly kind: 'job-shown' }
  | { readonly kind: 'no-source' | 'source-reading' | 'source-gone' }
  | { readonly kind: 'source-failed'; readonly error: SerializedError }
  | {
      readonly kind:
        'no-destination' | 'destination-gone' | 'no-volume' | 'no-erase' | 'checking' | 'scanning'
    }
  | { readonly kind: 'refused'; readonly error: SerializedError }

/** Null when everything is there. The first thing to do comes first. */
export function restoreBlock(mirror: EngineMirror, view: ViewState): RestoreBlock | null {
  if (mirror.connection.state !== 'open') return { kind: 'offline' }
  if (mirror.app?.supported === false) return { kind: 'unsupported' }
  if (mirror.engine.state === 'gone') return { kind: 'engine-gone' }
  if (restoreStage(mirror, view) !== 'compose') return { kind: 'job-shown' }
  const { source, destination, plan } = view
  if (!source) return { kind: 'no-source' }
  if (source.state === 'reading') return { kind: 'source-reading' }
  if (source.state === 'gone') return { kind: 'source-gone' }
  const problem = sourceProblem(mirror, view)
  if (problem) return { kind: 'source-failed', error: problem }
  if (!destination) return { kind: 'no-destination' }
  if (destination.state === 'gone') return { kind: 'destination-gone' }
  if (view.goOn?.step === 'scanning') return { kind: 'scanning' }
  const refusal = refusalOf(plan)
  if (refusal?.code === 'E_SRC_MULTIVOL') return { kind: 'no-volume' }
  if (refusal) return { kind: 'refused', error: refusal }
  // Whether a file needs the tick isn't known before the answer.
  const isUnknown = destination.kind === 'file' && plan.state === 'checking' && shownPlan(plan) === null
  if (!view.options.erase && !isUnknown && !isNewFile(view)) return { kind: 'no-erase' }
  return plan.state === 'ready' ? null : { kind: 'checking' }
}

/** Both wells hold what is there, and that it may be erased stands: a question about the restore, or a step towards it, still has one. */
export const isComposed = ({
  source,
  destination,
  options,
}: Pick<ViewState, 'source' | 'destination' | 'options'>): boolean =>
  source?.state === 'ready' &&
  destination?.state === 'ready' &&
  (options.erase || destination.kind === 'file')

/** The destination is a file that isn't there yet, as far as is known: there is nothing to erase. */
export function isNewFile({ destination, plan }: Pick<ViewState, 'destination' | 'plan'>): boolean {
  const shown = shownPlan(plan)
  if (destination?.kind !== 'file' || shown?.target?.kind !== 'file') return false
  return !shown.target.exists && shown.losses.length === 0 && !errorsOf(shown).some(wantsErase)
}

const errorsOf = ({ checks, refusal }: RestorePlan): readonly SerializedError[] => [
  ...checks.flatMap((check) => (check.kind === 'error' ? [check.error] : [])),
  ...(refusal ? [refusal] : []),
]

/** Restore… can be pressed: everything is there, or is only still being checked, which is waited for then. */
export const canAskToRestore = (mirror: EngineMirror, view: ViewState): boolean => {
  const block = restoreBlock(mirror, view)
  return block === null || block.kind === 'checking'
}

/** Where in the window the next thing to do is. */
export type NextStep = 'source' | 'destination' | 'options' | 'restore'

export function nextStep(mirror: EngineMirror, view: ViewState): NextStep {
  const { source, destination } = view
  if (!source || source.state === 'gone' || sourceProblem(mirror, view)) return 'source'
  if (!destination || destination.state === 'gone') return 'destination'
  return restoreBlock(mirror, view) === null ? 'restore' : 'options'
}

/** The source has to be scanned before it can be restored as it is asked for. */
export const needsScan = (plan: RestorePlan): boolean =>
  plan.request.verify &&
  (plan.refusal?.code === 'E_SRC_NOSCAN' ||
    plan.checks.some((check) => check.kind === 'error' && check.error.code === 'E_SRC_NOSCAN'))

/** What the Restore tab shows. */
export type Stage = 'compose' | 'starting' | 'running' | 'ended'

export function restoreStage(mirror: EngineMirror, view: ViewState): Stage {
  if (view.starting) return 'starting'
  const job = restoreJob(mirror, view)
  if (!job) return 'compose'
  return job.outcome ? 'ended' : 'running'
}

export const restoreJob = (mirror: EngineMirror, view: ViewState): JobState | null =>
  (view.restoreJobId === null ? undefined : mirror.jobs[view.restoreJobId]) ?? null

/**
 * The job that the status bar and the title tell of: the one on the Restore tab while it runs, else the newest that
 * runs.
 */
export function frontJob(mirror: EngineMirror, view: ViewState): JobState | null {
  const shown = restoreJob(mirror, view)
  if (shown && !shown.outcome) return shown
  for (const jobId of mirror.jobIds) {
    const job = mirror.jobs[jobId]
    if (job && !job.outcome) return job
  }
  return null
}
