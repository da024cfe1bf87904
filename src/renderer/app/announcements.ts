/**
 * What a screen reader says by itself: phases as they change, percents at the quarters, and how it ended. Pure: what to
 * say follows from what was before and what is now, and from what was told.
 */
import { unreachable, type SerializedError } from '#shared/errors'
import {
  frontJob,
  gentlerRate,
  needsScan,
  offered,
  restoreBlock,
  restoreStage,
  shownFetch,
  shownPlan,
  wrongChecks,
  type RestoreBlock,
  type ViewState,
} from '#renderer/store'
import {
  allEnded,
  forgetBegun,
  tellEnds,
  type JobState,
  type SessionState,
  type ToldEnds,
} from '#shared/model'
import {
  describeCheckStep,
  describeChanged,
  describeDoneClients,
  describeOutcome,
  describeSessionPhase,
  jobDoing,
  describeFetchReason,
  describeJobStall,
  describeTargetState,
  describeWarnings,
  describeWhole,
  namesOf,
} from '#shared/words'
import { endedJobs, type Moment } from './moment.ts'
import { bannerWords, unheardWords, type Cover } from './unheard.ts'

export interface Announcement {
  readonly text: string
  readonly urgent: boolean
}

const quarters = [25, 50, 75]

/** `told` is kept from one call to the next. */
export function announcement(
  before: Moment,
  now: Moment,
  cover: Cover = 'none',
  told: ToldEnds = new Map(),
): Announcement | null {
  const unheard = unheardWords(before, now, cover).map((text) => ({ text, urgent: true }))
  const ended = endedJobs(before, now)
  const ends = ended.map(endWords)
  const first = [...unheard, ...ends.filter((end) => end !== null)]
  if (first.length > 0)
    return { text: first.map(({ text }) => text).join(' '), urgent: first.some(({ urgent }) => urgent) }
  // An alert tells of it.
  if (ended.length > 0) return null
  if (now.view.starting?.stopping && !before.view.starting?.stopping) return polite('Stopping')
  const session = sessionWords(before, now, told)
  if (session !== null) return polite(session)
  const checked = checkWords(before.view, now.view)
  if (checked !== null) return polite(checked)
  const fetch = fetchWords(before, now)
  if (fetch !== null) return polite(fetch)
  const job = frontJob(now.mirror, now.view)
  const stall = job && stallWords(before.mirror.jobs[job.jobId] ?? null, job)
  if (stall !== null) return { text: stall, urgent: true }
  const atJob = job && jobWords(before.mirror.jobs[job.jobId] ?? null, job)
  if (atJob !== null) return polite(atJob)
  if (now.view.starting && !before.view.starting)
    return polite(now.view.starting.plan.needsPrivilege ? 'Waiting for permission' : 'Starting')
  // What becomes of the disks of the restore in sight is told by it: that it ejects one, or fails because one is gone.
  return restoreStage(now.mirror, now.view) === 'running' ? null : polite(wellWords(before, now))
}

const polite = (text: string | null): Announcement | null => (text === null ? null : { text, urgent: false })

/** A restore's failure is read from its own panel, an alert, or told with the notices; under cover it was told before. */
function endWords(job: JobState): Announcement | null {
  const { outcome, plan } = job
  if (!outcome) return null
  const headline = `${job.title}: ${describeOutcome(outcome)}`
  const warnings = describeWarnings(job)
  switch (outcome.kind) {
    case 'failed':
      return job.kind === 'restore' ? null : { text: bannerWords({ kind: 'worked', job }), urgent: true }
    case 'cancelled':
      return polite(
        [
          headline,
          job.kind === 'restore'
            ? describeTargetState(outcome.target, plan?.target ?? null)
            : describeChanged(job.kind, outcome),
          ...warnings,
        ]
          .filter((part) => part !== null)
          .join(' '),
      )
    case 'done':
    case 'checked':
    case 'converted':
    case 'created':
    case 'scanned':
    case 'checksummed':
    case 'resized':
      return { text: [headline, ...warnings].join(' '), urgent: true }
    default:
      return unreachable(outcome)
  }
}

function jobWords(before: JobState | null, job: JobState): string | null {
  if (job.stopping) return before?.stopping ? null : 'Stopping at a safe point'
  const phase = currentPhase(job)
  if (phase !== null && (!before || currentPhase(before) !== phase)) return jobDoing(job)
  const percent = job.progress?.percent ?? null
  const last = before?.progress?.percent ?? 0
  const passed =
    percent === null ? undefined : quarters.findLast((quarter) => last < quarter && percent >= quarter)
  return passed === undefined ? null : `${passed} percent`
}

/** Once: how long it has been by now is for those who look. */
const stallWords = (before: JobState | null, job: JobState): string | null =>
  before?.progress?.stall ? null : describeJobStall(job)

/**
 * A stream of this computer: when it begins, who is first, that it is too fast, when nobody is at it any more, and when it ends. Its failure is read from its own
 * panel, an alert, or told with the notices.
 */
function sessionWords(before: Moment, now: Moment, told: ToldEnds): string | null {
  if (before.mirror.sessions === now.mirror.sessions) return null
  for (const session of now.mirror.sessions) {
    const was = before.mirror.sessions.find(({ sessionId }) => sessionId === session.sessionId)
    if (!was || was === session) continue
    const { name } = session.settings
    forgetBegun(session, told)
    if (allEnded(session) && !allEnded(was) && tellEnds(session, told))
      return `${name}: ${describeDoneClients(session.clients)}`
    const losing = losingOf(now, session)
    if (losing && !losingOf(before, session)) {
      const help = gentlerRate(session, losing) === null ? '' : ' A lower data rate would help.'
      return `${name}: some computers lose more than they can make up for.${help}`
    }
    const standing = describeSessionPhase(session)
    if (standing !== describeSessionPhase(was) && session.phase !== 'failed' && !isOnlyRest(was, session))
      return `${name}: ${standing}`
    if (session.clients.length > 0 && was.clients.length === 0)
      return `${name}: the first computer has joined`
  }
  return orderWords(before, now)
}

/** A stream rests whenever nobody lacks anything, and goes on with the next: for days, with a computer that tries again and again. */
const isOnlyRest = (was: SessionState, session: SessionState) =>
  was.startedMs !== null && [was, session].every(({ phase }) => phase === 'streaming' || phase === 'quiet')

const losingOf = ({ mirror }: Moment, { sessionId }: SessionState) => mirror.losing[sessionId]

/** The same streams in another order. */
function orderWords(before: Moment, now: Moment): string | null {
  const [was, is] = [before, now].map(({ mirror }) => offered(mirror.sessions))
  if (!was || !is || was.length !== is.length) return null
  const known = new Set(was.map(({ sessionId }) => sessionId))
  if (!is.every(({ sessionId }) => known.has(sessionId))) return null
  if (is.every(({ sessionId }, index) => was[index]?.sessionId === sessionId)) return null
  return `Order: ${is.map(({ settings }) => settings.name).join(', ')}`
}

/** What Check Network found; that it couldn't be done is an alert. */
function checkWords(before: ViewState, { server: { check } }: ViewState): string | null {
  if (check.state !== 'done' || before.server.check.state !== 'busy') return null
  const wrong = wrongChecks(check.checks).map(({ step, error }) =>
    [`${describeCheckStep(step)}:`, error ? describeWhole(error) : 'not right.'].join(' '),
  )
  return `Network check: ${wrong.length === 0 ? 'all right' : wrong.join(' ')}`
}

/** Why something takes long, once for each reason. */
function fetchWords(before: Moment, now: Moment): string | null {
  const fetch = shownFetch(now.mirror, now.view)
  if (fetch === null || fetch.kind === shownFetch(before.mirror, before.view)?.kind) return null
  return describeFetchReason(fetch)
}

const currentPhase = (job: JobState) => job.phases.find((phase) => phase.state === 'current')?.phase ?? null

function wellWords(before: Moment, now: Moment): string | null {
  const { source, destination } = now.view
  if (destination?.state === 'gone' && before.view.destination?.state === 'ready')
    return `${destination.name} was disconnected`
  if (source?.state === 'gone' && before.view.source?.state !== 'gone')
    return `${source.name} was disconnected`
  if (source?.state === 'reading' && before.view.source?.state !== 'reading') return 'Reading image'
  if (!source || !destination) return null
  const refused = refusalWords(before, now)
  if (refused !== null) return refused
  const canBegin = isReady(now) && (!isReady(before) || lacksScan(now) !== lacksScan(before))
  if (lacksScan(now))
    return canBegin || !lacksScan(before)
      ? `${source.name} needs a scan: without one the copy can't be verified.`
      : null
  return canBegin ? `Ready to restore ${source.name} to ${destination.name}` : null
}

function lacksScan({ view: { plan } }: Moment): boolean {
  const shown = shownPlan(plan)
  return shown !== null && needsScan(shown)
}

const isReady = (moment: Moment): boolean => blockOf(moment) === null

/** The old answer stands while it is asked for again: as it grows old, or with another option. */
function blockOf({ mirror, view }: Moment): RestoreBlock | null {
  const plan = shownPlan(view.plan)
  return restoreBlock(mirror, plan === null ? view : { ...view, plan: { state: 'ready', plan } })
}

/** What stands against the restore, once for each reason and destination. */
function refusalWords(before: Moment, now: Moment): string | null {
  const refusal = refusalOf(now)
  if (refusal === null) return null
  const was = refusalOf(before)
  if (was?.code === refusal.code && before.view.destination?.locator === now.view.destination?.locator)
    return null
  const plan = shownPlan(now.view.plan)
  return describeWhole(refusal, plan ? namesOf(plan) : {})
}

function refusalOf(moment: Moment): SerializedError | null {
  const block = blockOf(moment)
  return block?.kind === 'refused' ? block.error : null
}
