/** The restore itself: confirm, start, stop, and what comes after. */
import { AppError, serializeError, type SerializedError } from '#shared/errors'
import { failNotice, setPreferences, type ActionDeps } from './action-deps.ts'
import type { EngineMirror } from './engine-mirror.ts'
import { showsJob, tellEnds } from './failures.ts'
import { diskId } from './items.ts'
import { needsScan, restoreBlock, restoreJob } from './readiness.ts'
import { goTo, type ViewState } from './view-state.ts'
import type { WellActions } from './well-actions.ts'

export interface RestoreActions {
  /** Opens the confirm sheet, if everything is there; while that is still being checked, as soon as it is known. */
  readonly openConfirm: () => void
  /** Yes. `typed` is what was typed where the plan asks for it. */
  readonly confirmRestore: (typed: string | null) => Promise<void>
  /** Asks again what stands against the restore: it may be mended where nobody here sees it. */
  readonly checkAgain: () => void
  /** Gives up while permission is being asked for. */
  readonly stopStarting: () => void
  /**
   * Leaves the ended job for another try. Its source stays. After it was done the destination must be chosen: the next stick; after a
   * failure, too. After a stop it is chosen anew, if it is still the same disk. Erasing must be ticked and confirmed again.
   */
  readonly startOver: () => void
  /** Fills the wells with the Practice image and the Practice disk. */
  readonly setUpPractice: () => void
  readonly dismissPractice: () => void
  /** Makes the Practice disk and image as new. */
  readonly resetPractice: () => Promise<void>
}

export function restoreActions(
  { mirror, view, client, planner }: ActionDeps,
  wells: WellActions,
): RestoreActions {
  const { setState, getState } = view
  let starting: AbortController | null = null

  return {
    openConfirm() {
      planner.renewOld()
      const block = restoreBlock(mirror.store.getState(), getState())
      const { plan, source, destination } = getState()
      if (block?.kind === 'checking' && source && destination)
        setState({
          goOn: { step: 'planning', source: source.locator, target: destination.locator, pressed: true },
          ...goTo('restore'),
        })
      if (block !== null) return
      const kind = plan.state === 'ready' && needsScan(plan.plan) ? 'not-scanned' : 'confirm'
      setState({ sheet: { kind }, ...goTo('restore') })
    },
    async confirmRestore(typed) {
      planner.renewOld()
      const { plan: planState, sheet } = getState()
      if (sheet?.kind !== 'confirm' || planState.state !== 'ready' || getState().starting) return
      const { plan } = planState
      const controller = new AbortController()
      starting = controller
      setState({ sheet: null, notice: null, starting: { plan, stopping: false } })
      try {
        const { jobId } = await client.request(
          'restore.start',
          { planId: plan.planId, typed },
          { signal: controller.signal },
        )
        setState(({ options }) => ({
          starting: null,
          restoreJobId: jobId,
          options: { ...options, erase: false },
        }))
        if (plan.target?.disk) setPreferences({ mirror, client }, { knownDisk: plan.target.disk.identity })
        // Stop and the job's start crossed each other.
        if (controller.signal.aborted) await client.request('job.cancel', { jobId })
      } catch (error) {
        const givenUp = isGivenUp(error, controller.signal)
        // A plan that was refused says no longer that all is ready.
        setState((view) => ({
          starting: null,
          plan: { state: 'checking', previous: givenUp ? plan : null },
          ...(givenUp || view.destination?.locator !== plan.request.target ? {} : afterRefusal(view, error)),
        }))
        if (!givenUp) failNotice(view, 'start', plan.target?.name ?? plan.request.target)(error)
      } finally {
        starting = null
        // The plan is used up, whatever came of it.
        planner.renew()
      }
    },
    checkAgain: planner.renew,
    stopStarting() {
      setState((view) => (view.starting ? { starting: { ...view.starting, stopping: true } } : view))
      starting?.abort()
    },
    startOver() {
      const { destination } = getState()
      const job = restoreJob(mirror.store.getState(), getState())
      setState(({ options }) => ({
        restoreJobId: null,
        destination: null,
        options: { ...options, erase: false },
      }))
      if (!job?.plan) return
      const { request, source } = job.plan
      if (getState().source?.locator !== request.source)
        wells.chooseSourceAgain({
          locator: request.source,
          disk: source && 'disk' in source ? source.disk : null,
        })
      // After a failure a person looks at the disk again, and chooses it again.
      if (destination?.state !== 'gone' && job.outcome?.kind === 'cancelled')
        wells.chooseDestinationAgain(job.plan.target && { ...job.plan.target, form: request.form })
    },
    setUpPractice() {
      const practice = mirror.store.getState().app?.practice
      if (!practice) return
      setPreferences({ mirror, client }, { practiceOffered: true })
      void wells.chooseSourceFile(practice.image)
      wells.chooseDestination(diskId(practice.disk))
    },
    dismissPractice: () => setPreferences({ mirror, client }, { practiceOffered: true }),
    async resetPractice() {
      try {
        await client.request('practice.reset', {})
      } catch (error) {
        failNotice(view, 'practice', '')(error)
        return
      }
      // The disk is told with all disks. That the image is another file, nothing tells.
      planner.renew()
      const practice = mirror.store.getState().app?.practice
      if (practice) await wells.readAgain(practice.image)
    },
  }
}

/** The person dismissed the password prompt, or pressed Stop: nothing happened, and nothing needs saying. */
function isGivenUp(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof AppError && error.code === 'E_AUTH_CANCEL') return true
  return signal.aborted && !(error instanceof AppError)
}

/** What has to be chosen again after a start that failed: a person looks at the disk again, as after any failure. */
function afterRefusal({ options }: ViewState, error: unknown): Partial<ViewState> {
  const refusal = serializeError(error)
  if (isUnopened(refusal)) return {}
  const unticked = { options: { ...options, erase: false } }
  // It may have begun, which is seen by its disk as soon as there is a connection again.
  return refusal.code === 'E_HOST_LOST' ? unticked : { ...unticked, destination: null }
}

/** The yes came too late, or the right to write wasn't given: nobody looked at the disk yet. */
function isUnopened({ code, details }: SerializedError): boolean {
  if (code === 'E_NOT_CONFIRMED' || code === 'E_AUTH_NOAGENT') return true
  if (code === 'E_DENIED') return details['path'] === 'pkexec'
  return code === 'E_UNSUPPORTED' && details['input'] === 'elevation'
}

/**
 * What changes on the screen when jobs moved: a restore that ends where nobody sees it is told of, and a disk that was written
 * in the background, and failed, has to be chosen again for what is being composed meanwhile. Pure; returns only what changed.
 */
export function afterJobs(
  view: ViewState,
  before: EngineMirror['jobs'],
  now: EngineMirror['jobs'],
): Partial<ViewState> {
  const { destination, restoreJobId } = view
  const ended = Object.values(now).filter(
    ({ jobId, kind, outcome }) => kind === 'restore' && outcome && !before[jobId]?.outcome,
  )
  const unseen = ended.filter(
    (job) => before[job.jobId] && job.outcome?.kind !== 'cancelled' && !showsJob(view, job),
  )
  const written = ended.some(({ jobId, outcome, plan }) => {
    if (jobId === restoreJobId || outcome?.kind !== 'failed' || !plan?.target) return false
    const { path, disk } = plan.target
    return path === destination?.locator || (disk !== null && disk.path === destination?.disk?.path)
  })
  return {
    ...tellEnds(view, unseen),
    ...(written ? { destination: null, options: { ...view.options, erase: false } } : {}),
  }
}
