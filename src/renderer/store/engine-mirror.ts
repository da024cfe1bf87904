/**
 * What the engine last said, and nothing else. Only this file changes the mirror; only the connection calls it. Objects
 * that did not change keep their identity, so that a row draws again only when its own disk or job changed.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { AppInfo, Preferences } from '#shared/contract'
import type { LogLine } from '#shared/log'
import type { Disk, JobState } from '#shared/model'

/** Lines of log the window keeps; the job's file has them all. */
export const maxLogLines = 5000

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  /** The host went away; `retrying` until it is clear that it won't come back. */
  | { readonly state: 'lost'; readonly retrying: boolean }
  /** The link (its token) isn't valid. */
  | { readonly state: 'refused' }

export interface EngineMirror {
  readonly connection: Connection
  /** Null until the first answer. */
  readonly app: AppInfo | null
  readonly engine: { readonly state: 'ready' | 'gone'; readonly reason: string | null }
  /** Paths, in the order the engine lists them. */
  readonly diskPaths: readonly string[]
  readonly disks: { readonly [path: string]: Disk }
  /** Newest first. */
  readonly jobIds: readonly string[]
  readonly jobs: { readonly [jobId: string]: JobState }
  readonly log: readonly LogLine[]
}

const initial: EngineMirror = {
  connection: { state: 'connecting' },
  app: null,
  engine: { state: 'ready', reason: null },
  diskPaths: [],
  disks: {},
  jobIds: [],
  jobs: {},
  log: [],
}

/** The mirror as the rest of the window sees it: to read and to watch. */
export type MirrorStore = Pick<StoreApi<EngineMirror>, 'getState' | 'subscribe'>

export interface MirrorWriter {
  readonly store: MirrorStore
  setConnection(connection: Connection): void
  setApp(app: AppInfo): void
  setPreferences(preferences: Preferences): void
  setEngine(engine: EngineMirror['engine']): void
  setDevices(devices: readonly Disk[]): void
  /** Replaces all jobs: the host's list after a (re)connection. */
  setJobs(jobs: readonly JobState[]): void
  setJob(job: JobState): void
  setLog(lines: readonly LogLine[]): void
  addLog(lines: readonly LogLine[]): void
}

export function createEngineMirror(): MirrorWriter {
  const store = createStore<EngineMirror>(() => initial)
  const { getState, setState } = store
  return {
    store,
    setConnection: (connection) => setState({ connection }),
    setApp: (app) => setState({ app }),
    setPreferences(preferences) {
      const { app } = getState()
      if (app) setState({ app: { ...app, preferences } })
    },
    setEngine: (engine) => setState({ engine }),
    setDevices: (devices) => setState((mirror) => withDevices(mirror, devices)),
    setJobs: (jobs) =>
      setState({
        jobIds: [...jobs].sort((a, b) => b.startedMs - a.startedMs).map((job) => job.jobId),
        jobs: Object.fromEntries(jobs.map((job) => [job.jobId, job])),
      }),
    setJob: (job) =>
      setState((mirror) => ({
        jobs: { ...mirror.jobs, [job.jobId]: job },
        jobIds: mirror.jobs[job.jobId] ? mirror.jobIds : [job.jobId, ...mirror.jobIds],
      })),
    setLog: (lines) => setState({ log: lines.slice(-maxLogLines) }),
    addLog(lines) {
      if (lines.length > 0) setState((mirror) => ({ log: [...mirror.log, ...lines].slice(-maxLogLines) }))
    },
  }
}

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

/** Equal as plain data. Lists of disks are short; their JSON is the simplest true comparison. */
const sameData = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
