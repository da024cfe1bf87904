/**
 * A host of the window that isn't there: the UI contract answered from a few lists that a test changes. For unit tests
 * in Node and for the double page in a browser, where every state of the window can be shown.
 */
import { contractDouble, type ContractDouble } from './contract-double.ts'
import { practiceDisk, practiceImage, planFor } from './ui-fixtures.ts'
import {
  changedPreferences,
  uiContract,
  type AppInfo,
  type FolderListing,
  type Handlers,
  type MenuCommand,
  type RequestName,
  type TargetFacts,
  type UiContract,
} from '#shared/contract'
import { DeviceError, EngineGoneError, FormatError } from '#shared/errors'
import type { LogLine } from '#shared/log'
import type {
  Disk,
  FoundStream,
  ImageInfo,
  JobState,
  NetworkCheck,
  NetworkInterface,
  ServerConfiguration,
  SessionState,
  SourceInfo,
  WebFetch,
} from '#shared/model'
import type { Connect } from '#src/renderer/store/index.ts'

export interface UiDouble {
  readonly connect: Connect
  /** Requests of all connections so far. */
  readonly calls: { readonly name: string; readonly input: unknown }[]
  devices: readonly Disk[]
  images: readonly ImageInfo[]
  sessions: readonly SessionState[]
  streams: readonly FoundStream[]
  interfaces: readonly NetworkInterface[]
  checks: readonly NetworkCheck[]
  /** Of a device that is to be streamed. */
  sourceCheck: NetworkCheck
  /** asr's configurations, by their paths. */
  configurations: { readonly [path: string]: ServerConfiguration }
  app: AppInfo
  listing: FolderListing
  /** What lies where something is to be written; nothing where nothing is said. */
  targets: { readonly [path: string]: TargetFacts }
  /** Where a dropped file is found; null: nowhere. */
  located: string | null
  /** Sends the devices as they are now. */
  setDevices(devices: readonly Disk[]): void
  plug(disk: Disk): void
  unplug(path: string): void
  sendJob(job: JobState): void
  /** All of them, as they are now. */
  sendSessions(sessions: readonly SessionState[]): void
  sendStreams(streams: readonly FoundStream[]): void
  sendFetches(fetches: readonly WebFetch[]): void
  sendLog(line: LogLine): void
  sendMenu(command: MenuCommand): void
  sendEngine(state: 'ready' | 'gone', reason: string | null): void
  /** Replaces an answer, for this and later connections. */
  answer<N extends RequestName<UiContract>>(name: N, handler: Handlers<UiContract>[N]): void
  /** The connection breaks. While `refusing`, no new one comes about. */
  lose(options?: { readonly refusing?: boolean }): void
  refusing: boolean
  /** By how much the host's clock is ahead of the window's. */
  aheadMs: number
  /** `restore.start` waits until it is called; without it the answer comes at once. */
  holdStart(): () => void
}

export function createUiDouble(
  start: {
    readonly devices?: readonly Disk[]
    readonly images?: readonly ImageInfo[]
    /** Of images that are encrypted. */
    readonly passwords?: { readonly [path: string]: string }
  } = {},
): UiDouble {
  let current: ContractDouble<UiContract> | null = null
  const overrides: Partial<Handlers<UiContract>> = {}
  const jobs = new Map<string, JobState>()
  const log: LogLine[] = []
  const passwords = start.passwords ?? {}
  const unlocked = new Set<string>()
  let holding: PromiseWithResolvers<void> | null = null
  let jobCount = 0
  let sessionCount = 0

  const inspect = (source: string): SourceInfo => {
    if (passwords[source] !== undefined && !unlocked.has(source))
      throw new FormatError('E_SRC_ENCRYPTED', 'locked', {
        details: { format: 'encrcdsa', field: 'signature', offset: 0, path: source },
      })
    const image = double.images.find((image) => image.path === source)
    if (image) return { kind: 'image', locator: source, name: image.name, image }
    throw new FormatError('E_SRC_FORMAT', 'not an image', {
      details: { format: 'image', field: 'magic', offset: 0, found: '89 50 4e 47', path: source },
    })
  }

  const handlers: Handlers<UiContract> = {
    'app.info': async () => double.app,
    'app.setPreferences': async (change) => {
      double.app = { ...double.app, preferences: changedPreferences(double.app.preferences, change) }
      return null
    },
    'state.get': async () => ({
      devices: double.devices,
      jobs: [...jobs.values()],
      sessions: double.sessions,
      streams: double.streams,
      nowMs: Date.now() + double.aheadMs,
    }),
    'device.eject': async ({ path }) => {
      double.unplug(path)
      return null
    },
    'image.choose': async () => ({ kind: 'browse' }),
    'folder.choose': async () => ({ kind: 'browse' }),
    'image.chooseTarget': async () => ({ kind: 'browse' }),
    'configuration.choose': async () => ({ kind: 'browse' }),
    'target.inspect': async ({ path }) =>
      double.targets[path] ?? { kind: 'nothing', sizeBytes: 0, freeBytes: 212e9 },
    'files.list': async () => double.listing,
    'files.locate': async () => ({ path: double.located }),
    'source.inspect': async ({ source }) => inspect(source),
    'image.info': async ({ path }) => {
      const info = inspect(path)
      if (info.kind === 'image') return info.image
      throw new DeviceError('E_NOT_FOUND', 'no image', { details: { path } })
    },
    'image.unlock': async ({ path, password }) => {
      if (passwords[path] !== undefined && passwords[path] !== password)
        throw new FormatError('E_SRC_PASSWORD', 'another password', {
          details: { format: 'encrcdsa', field: 'password', offset: 0, path },
        })
      unlocked.add(path)
      return null
    },
    'image.start': async () => ({ jobId: `job-${(jobCount += 1)}` }),
    'restore.plan': async (request) => planFor(request, double.devices, double.images),
    'restore.start': async (_, signal) => {
      if (holding) {
        const stopped = Promise.withResolvers<void>()
        signal.addEventListener('abort', () => stopped.resolve(), { once: true })
        await Promise.race([holding.promise, stopped.promise])
        signal.throwIfAborted()
      }
      return { jobId: `job-${(jobCount += 1)}` }
    },
    'job.cancel': async ({ jobId }) => {
      const job = jobs.get(jobId)
      if (!job) throw new DeviceError('E_NOT_FOUND', 'no job', { details: { path: jobId } })
      const stopping = { ...job, stopping: true }
      double.sendJob(stopping)
      return stopping
    },
    'log.read': async () => ({ lines: log }),
    'practice.reset': async () => null,
    'multicast.interfaces': async () => double.interfaces,
    'multicast.check': async () => double.checks,
    'multicast.checkSource': async () => double.sourceCheck,
    'session.start': async () => ({ sessionId: `session-${(sessionCount += 1)}` }),
    'session.startNow': async () => null,
    'session.setRate': async () => null,
    'session.setPrecedence': async ({ sessionIds }) => {
      const place = ({ sessionId }: SessionState) =>
        sessionIds.indexOf(sessionId) + 1 || sessionIds.length + 1
      double.sendSessions(double.sessions.toSorted((a, b) => place(a) - place(b)))
      return null
    },
    'session.stop': async () => null,
    'session.disconnect': async () => null,
    'session.clientLog': async () => [],
    'configuration.read': async ({ path }) => {
      const configuration = double.configurations[path]
      if (configuration !== undefined) return { configuration, warnings: [] }
      throw new DeviceError('E_NOT_FOUND', 'no configuration', { details: { path } })
    },
    'configuration.write': async ({ path, configuration }) => {
      double.configurations = { ...double.configurations, [path]: configuration }
      return null
    },
  }

  const double: UiDouble = {
    calls: [],
    devices: start.devices ?? [practiceDisk],
    images: start.images ?? [practiceImage],
    sessions: [],
    streams: [],
    interfaces: [],
    checks: [],
    sourceCheck: { step: 'source', state: 'ok', error: null },
    configurations: {},
    app: {
      version: '0.1.0',
      host: 'web',
      platform: 'linux',
      system: 'Debian GNU/Linux 13 (trixie), Linux 6.12.0 x64',
      supported: true,
      home: '/home/ann',
      practice: { disk: practiceDisk.path, image: practiceImage.path },
      preferences: { practiceOffered: false, showInternalDisks: false, networkWarned: false, knownDisks: [] },
    },
    listing: { folder: '/home/ann', file: null, parent: '/home', places: [], entries: [], truncated: false },
    targets: {},
    located: null,
    refusing: false,
    aheadMs: 0,
    async connect() {
      if (double.refusing)
        throw new EngineGoneError('E_ENGINE_GONE', 'refused', {
          details: { exitCode: null, signal: null, lastLines: [] },
        })
      const made = contractDouble(uiContract, { ...handlers, ...overrides })
      current = made
      const push = made.calls.push.bind(made.calls)
      made.calls.push = (...calls) => {
        double.calls.push(...calls)
        return push(...calls)
      }
      return {
        client: made.client,
        onClose: (listener) => made.client.onClose(() => listener({ final: false })),
      }
    },
    setDevices(devices) {
      double.devices = devices
      current?.emit('devices', devices)
    },
    plug: (disk) => double.setDevices([...double.devices, disk]),
    unplug: (path) => double.setDevices(double.devices.filter((disk) => disk.path !== path)),
    sendJob(job) {
      jobs.set(job.jobId, job)
      current?.emit('job', job)
    },
    sendSessions(sessions) {
      double.sessions = sessions
      current?.emit('sessions', sessions)
    },
    sendStreams(streams) {
      double.streams = streams
      current?.emit('streams', streams)
    },
    sendFetches: (fetches) => current?.emit('fetches', fetches),
    sendLog(line) {
      log.push(line)
      current?.emit('log', line)
    },
    sendMenu: (command) => current?.emit('menu', { command }),
    sendEngine: (state, reason) => current?.emit('engine', { state, reason }),
    answer(name, handler) {
      overrides[name] = handler
      current?.answer(name, handler)
    },
    lose({ refusing = false } = {}) {
      double.refusing = refusing
      current?.die(
        new EngineGoneError('E_ENGINE_GONE', 'lost', {
          details: { exitCode: null, signal: null, lastLines: [] },
        }),
      )
    },
    holdStart() {
      const held = Promise.withResolvers<void>()
      holding = held
      return () => {
        holding = null
        held.resolve()
      }
    },
  }
  return double
}
