/**
 * What the engine last said, and nothing else. Only this file changes the mirror; only the connection calls it. Objects
 * that did not change keep their identity, so that a row draws again only when its own disk or job changed.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { changedPreferences, rememberedJobs, type AppInfo, type PreferencesChange } from '#shared/contract'
import type { LogLine } from '#shared/log'
import type { Disk, FoundStream, JobState, SessionState, WebFetch } from '#shared/model'
import { realClock, type Clock } from './clock.ts'
import { losingNow, type Losing } from './losing.ts'
import { sameData } from './same-data.ts'

/** Lines of log the window keeps; the job's file has them all. */
const maxLogLines = 5000
/** States come four times a second; the curve takes every fourth. */
const statesPerSpeed = 4
const maxSpeeds = 120
/** Of a stream, at twice a second: two minutes. All streams are told of whenever one has moved on. */
const [maxSentRates, sentRateMs] = [240, 400]
const fewClients = 50
/** A client's loss is told as a mean, in which little is left then of the time before. */
const settlingMs = 10_000

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  /** The host can't be reached; `retrying` while it may be back in a moment. It is looked for in either case. */
  | { readonly state: 'lost'; readonly retrying: boolean }
  /** The link (its token) isn't valid. */
  | { readonly state: 'refused' }

export interface EngineMirror {
  readonly connection: Connection
  /** Null until the first answer. */
  readonly app: AppInfo | null
  /** How far its clock is ahead of this one: times are by its clock, and it may be another computer's. */
  readonly hostAheadMs: number
  readonly engine: { readonly state: 'ready' | 'gone'; readonly reason: string | null }
  /** Paths, in the order the engine lists them. */
  readonly diskPaths: readonly string[]
  readonly disks: { readonly [path: string]: Disk }
  /** Newest first. */
  readonly jobIds: readonly string[]
  readonly jobs: { readonly [jobId: string]: JobState }
  /** Bytes a second of each job over its last two minutes, about one figure a second. */
  readonly speeds: { readonly [jobId: string]: readonly number[] }
  /** Streams of this host, in order of precedence; ended ones among them. */
  readonly sessions: readonly SessionState[]
  /** Bytes a second that each sent over the last two minutes, two figures a second. */
  readonly sentRates: { readonly [sessionId: string]: readonly number[] }
  /** When the last of them was told. */
  readonly sentRatesMs: { readonly [sessionId: string]: number }
  /**
   * Whose clients lose more than they can make up for. Not one whose rate has changed lately: what they lose is told of the time before, too,
   * and would speak against the new rate.
   */
  readonly losing: { readonly [sessionId: string]: Losing }
  /** Until when that is so of a session. */
  readonly settling: { readonly [sessionId: string]: number }
  /** Streams found on the network. */
  readonly streams: readonly FoundStream[]
  /** Files that are being fetched as a whole. */
  readonly fetches: readonly WebFetch[]
  readonly log: readonly LogLine[]
}

/** While it isn't, what is known is of before, and nothing can be asked for. */
export const isConnected = ({ connection }: Pick<EngineMirror, 'connection'>): boolean =>
  connection.state === 'open'

const initial: EngineMirror = {
  connection: { state: 'connecting' },
  app: null,
  hostAheadMs: 0,
  engine: { state: 'ready', reason: null },
  diskPaths: [],
  disks: {},
  jobIds: [],
  jobs: {},
  speeds: {},
  sessions: [],
  sentRates: {},
  sentRatesMs: {},
  losing: {},
  settling: {},
  streams: [],
  fetches: [],
  log: [],
}

/** The mirror as the rest of the window sees it: to read and to watch. */
export type MirrorStore = Pick<StoreApi<EngineMirror>, 'getState' | 'subscribe'>

export interface MirrorWriter {
  readonly store: MirrorStore
  readonly setConnection: (connection: Connection) => void
  readonly setApp: (app: AppInfo) => void
  readonly setPreferences: (change: PreferencesChange) => void
  readonly setEngine: (engine: EngineMirror['engine']) => void
  readonly setDevices: (devices: readonly Disk[]) => void
  /** Replaces disks and jobs: everything the host has, after a (re)connection. */
  readonly setState: (state: {
    readonly devices: readonly Disk[]
    readonly jobs: readonly JobState[]
    readonly sessions: readonly SessionState[]
    readonly streams: readonly FoundStream[]
    readonly hostAheadMs: number
  }) => void
  readonly setJob: (job: JobState) => void
  readonly setSessions: (sessions: readonly SessionState[]) => void
  readonly setStreams: (streams: readonly FoundStream[]) => void
  readonly setFetches: (fetches: readonly WebFetch[]) => void
  readonly setLog: (lines: readonly LogLine[]) => void
  readonly addLog: (lines: readonly LogLine[]) => void
}

export function createEngineMirror({ now }: Pick<Clock, 'now'> = realClock): MirrorWriter {
  const store = createStore<EngineMirror>(() => initial)
  const { getState, setState } = store
  const counts = new Map<string, number>()

  const withSpeed = (speeds: EngineMirror['speeds'], { jobId, progress }: JobState) => {
    const speed = progress?.bytesPerSecond ?? null
    if (speed === null) return speeds
    const count = counts.get(jobId) ?? 0
    counts.set(jobId, count + 1)
    if (count % statesPerSpeed !== 0) return speeds
    return { ...speeds, [jobId]: [...(speeds[jobId] ?? []), speed].slice(-maxSpeeds) }
  }
  return {
    store,
    setConnection: (connection) => setState({ connection }),
    setApp: (app) => setState({ app }),
    setPreferences(change) {
      const { app } = getState()
      if (app) setState({ app: { ...app, preferences: changedPreferences(app.preferences, change) } })
    },
    setEngine: (engine) => setState({ engine }),
    setDevices: (devices) => setState((mirror) => withDevices(mirror, devices)),
    setState({ devices, jobs, sessions, streams, hostAheadMs }) {
      const known = new Set(jobs.map((job) => job.jobId))
      for (const jobId of counts.keys()) if (!known.has(jobId)) counts.delete(jobId)
      setState((mirror) => ({
        ...withDevices(mirror, devices),
        jobIds: [...jobs].sort((a, b) => b.startedMs - a.startedMs).map((job) => job.jobId),
        jobs: Object.fromEntries(jobs.map((job) => [job.jobId, job])),
        speeds: withOnly(mirror.speeds, (jobId) => known.has(jobId)),
        ...withSessions(mirror, sessions, now()),
        streams,
        hostAheadMs,
        // What is on its way says so again at once.
        fetches: [],
      }))
    },
    setJob(job) {
      const { jobs, jobIds, speeds } = getState()
      const now = {
        jobs: { ...jobs, [job.jobId]: job },
        jobIds: jobs[job.jobId] ? jobIds : [job.jobId, ...jobIds],
        speeds: withSpeed(speeds, job),
      }
      const old = forgottenJobs(now)
      for (const jobId of old) counts.delete(jobId)
      setState(old.size === 0 ? now : without(now, old))
    },
    setSessions: (sessions) => setState((mirror) => withSessions(mirror, sessions, now())),
    setStreams: (streams) => setState({ streams }),
    setFetches: (fetches) => setState({ fetches }),
    setLog: (lines) => setState({ log: lines.slice(-maxLogLines) }),
    addLog(lines) {
      if (lines.length > 0) setState((mirror) => ({ log: [...mirror.log, ...lines].slice(-maxLogLines) }))
    },
  }
}

type Jobs = Pick<EngineMirror, 'jobs' | 'jobIds' | 'speeds'>

/** Those of the ended jobs that are too old to be remembered. What ended just now isn't, however long ago it began. */
function forgottenJobs({ jobs, jobIds }: Jobs): ReadonlySet<string> {
  const ended = jobIds.filter((jobId) => jobs[jobId]?.outcome)
  if (ended.length <= rememberedJobs) return new Set()
  const endedMs = (jobId: string) => jobs[jobId]?.endedMs ?? 0
  return new Set(ended.toSorted((a, b) => endedMs(b) - endedMs(a)).slice(rememberedJobs))
}

function without({ jobs, jobIds, speeds }: Jobs, old: ReadonlySet<string>): Jobs {
  const isKept = (jobId: string) => !old.has(jobId)
  return { jobs: withOnly(jobs, isKept), jobIds: jobIds.filter(isKept), speeds: withOnly(speeds, isKept) }
}

const withOnly = <T>(
  table: { readonly [jobId: string]: T },
  isKept: (jobId: string) => boolean,
): { readonly [jobId: string]: T } =>
  Object.fromEntries(Object.entries(table).filter(([jobId]) => isKept(jobId)))

function withDevices(mirror: EngineMirror, devices: readonly Disk[]): Partial<EngineMirror> {
  const disks = Object.fromEntries(
    devices.map((disk) => {
      const known = mirror.disks[disk.path]
      return [disk.path, known && sameData(known, disk) ? known : disk]
    }),
  )
  const paths = devices.map((disk) => disk.path)
  return { disks, diskPaths: sameData(paths, mirror.diskPaths) ? mirror.diskPaths : paths }
}

function withSessions(
  mirror: EngineMirror,
  sessions: readonly SessionState[],
  nowMs: number,
): Partial<EngineMirror> {
  const known = new Map(mirror.sessions.map((session) => [session.sessionId, session]))
  const kept = sessions.map((session) => {
    const before = known.get(session.sessionId)
    // Of many clients one has always changed, and to find that out would take its time.
    const compared = before !== undefined && session.clients.length <= fewClients
    return compared && sameData(before, session) ? before : session
  })
  const moved = new Set(
    kept.filter((session) => {
      const { sessionId, phase } = session
      const isRunning = phase === 'streaming' || phase === 'quiet'
      const isDue = nowMs - (mirror.sentRatesMs[sessionId] ?? -Infinity) >= sentRateMs
      return isRunning && (isDue || !sameSending(known.get(sessionId), session))
    }),
  )
  const rates = kept.map((session) => {
    const before = mirror.sentRates[session.sessionId] ?? []
    const rates = moved.has(session) ? [...before, session.sentBytesPerSecond].slice(-maxSentRates) : before
    return [session.sessionId, rates] as const
  })
  const ratesMs = kept.flatMap((session) => {
    const { sessionId } = session
    const ms = moved.has(session) ? nowMs : mirror.sentRatesMs[sessionId]
    return ms === undefined ? [] : [[sessionId, ms] as const]
  })
  const settling = Object.fromEntries(
    kept.flatMap((session) => {
      const { sessionId } = session
      const before = known.get(sessionId)
      const isChanged = before !== undefined && !sameRates(before, session)
      const untilMs = isChanged ? nowMs + settlingMs : (mirror.settling[sessionId] ?? -Infinity)
      // Further off it is only where the clock was set back.
      const isSettling = nowMs < untilMs && untilMs <= nowMs + settlingMs
      return isSettling ? [[sessionId, untilMs] as const] : []
    }),
  )
  const losses = kept.flatMap((session) => {
    const { sessionId } = session
    if (settling[sessionId] !== undefined) return []
    const losing = losingNow(session, mirror.losing[sessionId] ?? null, nowMs)
    return losing === null ? [] : [[sessionId, losing] as const]
  })
  return {
    sessions: kept,
    sentRates: Object.fromEntries(rates),
    sentRatesMs: Object.fromEntries(ratesMs),
    losing: Object.fromEntries(losses),
    settling,
  }
}

const sameSending = (a: SessionState | undefined, b: SessionState): boolean =>
  a?.sentBytes === b.sentBytes && a.sentBytesPerSecond === b.sentBytesPerSecond

function sameRates(a: SessionState, b: SessionState): boolean {
  const [was, is] = [a.settings.configuration, b.settings.configuration]
  return was.dataRate === is.dataRate && was.clientDataRate === is.clientDataRate
}
