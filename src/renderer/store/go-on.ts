/**
 * A restore that goes on by itself: the source is scanned first, the verify is left out, or it was asked for before all was checked, and
 * when that is settled the confirm sheet opens. Given up as soon as the person chooses something else; nothing is ever confirmed by it.
 */
import type { RestorePlan } from '#shared/model'
import type { ActionDeps } from './action-deps.ts'
import type { ImageActions } from './image-actions.ts'
import { shownPlan } from './planner.ts'
import { isComposed, needsScan, restoreBlock } from './readiness.ts'
import type { GoOn, Sheet, ViewState } from './view-state.ts'
import type { WellActions } from './well-actions.ts'

export interface GoOnActions {
  /** Scans the source, then goes on to the confirm sheet. */
  readonly scanAndContinue: () => Promise<void>
  /** Scans the source, and leaves it at that. */
  readonly scanSource: () => Promise<void>
  /** Leaves the verify out of this one restore, and goes on to the confirm sheet. */
  readonly restoreWithoutVerification: () => void
  /** Something has changed: takes the next step, if it can be taken. */
  readonly goOn: () => void
}

export function goOnActions(
  { mirror, view, planner }: ActionDeps,
  wells: WellActions,
  images: ImageActions,
): GoOnActions {
  const { setState, getState } = view

  const scan = () => {
    const path = getState().source?.locator ?? ''
    return images.startQuietly({ kind: 'scan', path, reorder: true, allowFragmentedCatalog: false }, path)
  }

  const giveUp = () => setState({ goOn: null })

  /** Nothing is planned now, and nobody who pressed Restore… waits until it is again. */
  const isOffline = () => {
    const { connection, engine } = mirror.store.getState()
    return connection.state !== 'open' || engine.state === 'gone'
  }

  /** The scan came to its end: the source is another one now, and so is the plan. */
  const afterScan = (goOn: Extract<GoOn, { step: 'scanning' }>) => {
    const outcome = goOn.jobId === null ? null : mirror.store.getState().jobs[goOn.jobId]?.outcome
    if (!outcome) return
    if (outcome.kind !== 'scanned') {
      giveUp()
      return
    }
    setState({
      goOn: { step: 'planning', source: goOn.source, target: goOn.target },
      plan: { state: 'checking', previous: null },
    })
    void wells.readAgain(goOn.source)
    planner.renew()
  }

  return {
    async scanAndContinue() {
      const { source, destination } = getState()
      if (!source || !destination) return
      const goOn: GoOn = {
        step: 'scanning',
        jobId: null,
        source: source.locator,
        target: destination.locator,
      }
      setState({ sheet: null, goOn })
      const jobId = await scan()
      if (getState().goOn === goOn) setState({ goOn: jobId === null ? null : { ...goOn, jobId } })
    },
    async scanSource() {
      await scan()
    },
    restoreWithoutVerification() {
      const { source, destination } = getState()
      if (!source || !destination) return
      setState({
        sheet: null,
        goOn: {
          step: 'planning',
          source: source.locator,
          target: destination.locator,
          unverified: true,
        },
      })
    },
    goOn() {
      const now = getState()
      const { goOn, plan, sheet } = now
      // The plan turned out impossible while it was to be confirmed: the disk was unplugged, or has changed.
      if (sheet?.kind === 'confirm' && shownPlan(plan)?.refusal !== null) setState({ sheet: null })
      if (!goOn) return
      if (!stillMeant(goOn, now) || (goOn.step === 'planning' && isOffline())) giveUp()
      else if (goOn.step === 'scanning') afterScan(goOn)
      else if (plan.state === 'failed') giveUp()
      else if (plan.state === 'ready') {
        const possible = restoreBlock(mirror.store.getState(), now) === null
        // A sheet that was opened meanwhile isn't pushed away.
        setState(
          possible && sheet === null ? { goOn: null, sheet: nextSheet(goOn, plan.plan) } : { goOn: null },
        )
      }
    },
  }
}

/** Null: a scan was to go before, and hasn't come to what it was for. */
function nextSheet(
  { unverified, pressed }: Extract<GoOn, { step: 'planning' }>,
  plan: RestorePlan,
): Sheet | null {
  if (needsScan(plan)) return pressed ? { kind: 'not-scanned' } : null
  return { kind: 'confirm', ...(unverified && { unverified: true }) }
}

const stillMeant = ({ source, target }: GoOn, view: ViewState): boolean =>
  view.source?.locator === source && view.destination?.locator === target && isComposed(view)
