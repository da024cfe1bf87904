/**
 * Keeps the preflight true: asks the engine for a plan whenever what it depends on has changed (source, destination,
 * options, the disks themselves) and before the plan expires; as long as something stands against the restore, at every
 * change of any disk or job, since it may be what has gone. The latest question wins; earlier ones are given up. It only
 * ever asks. Starting a plan is the actions' business.
 */
import type { Client, UiContract } from '#shared/contract'
import { serializeError } from '#shared/errors'
import type { RestorePlan, RestoreRequest } from '#shared/model'
import type { Clock } from './clock.ts'
import type { EngineMirror, MirrorStore } from './engine-mirror.ts'
import { placeOfFile } from './file-place.ts'
import { isRefused, refusalOf } from './refusal.ts'
import type { PlanState, ViewState, ViewStore } from './view-state.ts'

/** Changes come in bursts (a disk appears with its volumes one by one); wait for the end of one. */
const settleMs = 80
/** What is asked again because anything has changed waits longer each time: the asking itself might be what changes it. */
const longestPauseMs = 10_000
/** The engine forgets a plan after ten minutes. */
const renewAfterMs = 8 * 60_000
/** Timers stand still while the computer sleeps, and the engine's clock doesn't. */
const lookAtClockMs = 10_000

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
  /** Ask again if the plan is too old: the computer slept. To be called before it is used. */
  readonly renewOld: () => void
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
  let askedWorld: string | null = null
  let askedMs = 0
  let pauseMs = settleMs
  /** From when it is decided to ask until the answer is there. */
  let asking: AbortController | null = null
  let cancelWait = () => {}
  let cancelRenewal = () => {}

  const stop = () => {
    cancelWait()
    cancelRenewal()
    asking?.abort()
    asking = null
  }

  const askAfter = (delayMs: number, request: RestoreRequest) => {
    stop()
    const controller = new AbortController()
    asking = controller
    cancelWait = clock.after(delayMs, () => void ask(request, controller))
  }

  const ask = async (request: RestoreRequest, controller: AbortController) => {
    askedWorld = worldOf(mirror.getState())
    askedMs = clock.now()
    const plan = await planOnce(client(), request, controller.signal)
    if (controller.signal.aborted) return
    asking = null
    cancelRenewal = clock.after(lookAtClockMs, lookAtClock)
    view.setState({ plan })
  }

  const isOld = () => asking === null && clock.now() - askedMs >= renewAfterMs
  const lookAtClock = () => {
    if (isOld()) renew()
    else cancelRenewal = clock.after(lookAtClockMs, lookAtClock)
  }

  /** The answer stays on the screen meanwhile: it is most likely to be the same again. */
  const askAgainIfRefused = (request: RestoreRequest) => {
    if (asking !== null || refusalOf(view.getState().plan) === null) return
    if (worldOf(mirror.getState()) === askedWorld) return
    // It was quiet for a while: this change is no answer to the last question.
    if (clock.now() - askedMs > 3 * longestPauseMs) pauseMs = settleMs
    askAfter(pauseMs, request)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }

  const follow = () => {
    // A running restore changes its disk all the time, and the wells aren't shown: there is nothing to plan.
    if (view.getState().starting || view.getState().restoreJobId !== null) return
    const question = planQuestion(mirror.getState(), view.getState())
    if (!question) {
      askedKey = null
      stop()
      if (view.getState().plan.state !== 'none') view.setState({ plan: { state: 'none' } })
      return
    }
    if (question.key === askedKey) {
      askAgainIfRefused(question.request)
      return
    }
    askedKey = question.key
    stop()
    pauseMs = settleMs
    askAfter(settleMs, question.request)
    view.setState(({ plan }) => ({
      plan: {
        state: 'checking',
        previous: stillFits(plan, question.request),
        ...(isRefused(plan) && { refused: true }),
      },
    }))
  }

  const renew = () => {
    askedKey = null
    follow()
  }

  const ends = [mirror.subscribe(follow), view.subscribe(follow)]
  return {
    renew,
    renewOld() {
      if (isOld()) renew()
    },
    dispose() {
      stop()
      for (const end of ends) end()
    },
  }
}

/** What an answer may depend on beside what its question is about: whose disk is in use, what an image lies in, … */
const worldOf = ({ disks, jobs }: EngineMirror): string =>
  JSON.stringify([disks, Object.values(jobs).map(({ jobId, outcome }) => [jobId, outcome === null])])

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
