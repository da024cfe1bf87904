/**
 * Keeps the preflight true: asks the engine for a plan whenever what it depends on has changed (source, destination,
 * options, the disks themselves) and before the plan expires. The latest question wins; earlier ones are given up.
 * It only ever asks. Starting a plan is the actions' business.
 */
import type { Client, UiContract } from '#shared/contract'
import { serializeError } from '#shared/errors'
import type { RestorePlan, RestoreRequest } from '#shared/model'
import type { Clock } from './clock.ts'
import type { EngineMirror, MirrorStore } from './engine-mirror.ts'
import { placeOfFile } from './file-place.ts'
import type { PlanState, ViewState, ViewStore } from './view-state.ts'

/** Changes come in bursts (a disk appears with its volumes one by one); wait for the end of one. */
const settleMs = 80
/** The engine forgets a plan after ten minutes. */
const renewAfterMs = 8 * 60_000

export interface PlannerDeps {
  readonly mirror: MirrorStore
  readonly view: ViewStore
  /** Null while there is no connection. */
  readonly client: () => Client<UiContract> | null
  readonly clock: Clock
}

export interface Planner {
  /** Ask again although nothing changed: the plan was used, or refused at the start. */
  readonly renew: () => void
  readonly dispose: () => void
}

/** What is to be planned, and everything the answer depends on; null when there is nothing to plan. */
export function planQuestion(
  mirror: EngineMirror,
  view: ViewState,
): { readonly request: RestoreRequest; readonly key: string } | null {
  const { source, destination, options } = view
  if (mirror.connection.state !== 'open' || mirror.engine.state === 'gone') return null
  if (source?.state !== 'ready' || destination?.state !== 'ready') return null
  const partition = chosenPartition(view)
  const request: RestoreRequest = {
    source: source.locator,
    target: destination.locator,
    ...(partition === null ? {} : { sourcePartition: partition }),
    ...options,
    verify: options.verify && !leavesVerifyOut(view),
    changedOnly: options.changedOnly && source.info?.kind !== 'stream',
    timeoutMs: 0,
    form: destination.form ?? 'contents',
    buffering: { buffers: null, bufferBytes: null, csumBuffers: null, csumBufferBytes: null },
  }
  const sourceDisk = source.info && 'disk' in source.info ? mirror.disks[source.info.disk.path] : null
  const targetDisk = destination.disk ? mirror.disks[destination.disk.path] : null
  const mountPoint = placeOfFile(source.locator, mirror.disks)?.mountPoint
  return {
    request,
    key: JSON.stringify([request, sourceDisk ?? null, targetDisk ?? null, mountPoint ?? null]),
  }
}

/** The answer, where it counts: a whole disk gets the whole image. */
export function chosenPartition({
  source,
  destination,
}: Pick<ViewState, 'source' | 'destination'>): number | null {
  const isPartition = destination?.kind === 'volume' && destination.volume?.path !== destination.disk?.path
  return isPartition ? (source?.partition ?? null) : null
}

/** Asked for of one restore: it holds on the way to its confirmation and while that is open. */
const leavesVerifyOut = ({ goOn, sheet }: ViewState): boolean =>
  (goOn?.step === 'planning' && goOn.unverified === true) ||
  (sheet?.kind === 'confirm' && sheet.unverified === true)

/** The answer that is on the screen. */
export const shownPlan = (plan: PlanState): RestorePlan | null =>
  plan.state === 'ready' ? plan.plan : plan.state === 'checking' ? plan.previous : null

export function createPlanner({ mirror, view, client, clock }: PlannerDeps): Planner {
  let askedKey: string | null = null
  let asking: AbortController | null = null
  let cancelWait = () => {}
  let cancelRenewal = () => {}

  const stop = () => {
    cancelWait()
    cancelRenewal()
    asking?.abort()
    asking = null
  }

  const ask = async (request: RestoreRequest) => {
    const controller = new AbortController()
    asking = controller
    const plan = await planOnce(client(), request, controller.signal)
    if (controller.signal.aborted) return
    view.setState({ plan })
    cancelRenewal = clock.after(renewAfterMs, renew)
  }

  const follow = () => {
    // A running restore changes its disk all the time, and the wells aren't shown: there is nothing to plan.
    if (view.getState().starting || view.getState().restoreJobId !== null) return
    const question = planQuestion(mirror.getState(), view.getState())
    if ((question?.key ?? null) === askedKey) return
    askedKey = question?.key ?? null
    stop()
    if (!question) {
      if (view.getState().plan.state !== 'none') view.setState({ plan: { state: 'none' } })
      return
    }
    view.setState(({ plan }) => ({
      plan: { state: 'checking', previous: stillFits(plan, question.request) },
    }))
    cancelWait = clock.after(settleMs, () => void ask(question.request))
  }

  const renew = () => {
    askedKey = null
    follow()
  }

  const ends = [mirror.subscribe(follow), view.subscribe(follow)]
  return {
    renew,
    dispose() {
      stop()
      for (const end of ends) end()
    },
  }
}

async function planOnce(
  client: Client<UiContract> | null,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<PlanState> {
  if (!client) return { state: 'none' }
  try {
    return { state: 'ready', plan: await client.request('restore.plan', request, { signal }) }
  } catch (error) {
    return { state: 'failed', error: serializeError(error) }
  }
}

/** The old answer may stay on the screen while the new one is on its way, if it is about the same two things. */
function stillFits(plan: PlanState, request: RestoreRequest) {
  const old = shownPlan(plan)
  return old && old.request.source === request.source && old.request.target === request.target ? old : null
}
