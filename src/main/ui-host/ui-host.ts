/**
 * Serves the UI contract: what a window may ask for, whether it is Electron's or a browser's. Keeps the state that
 * belongs to no window: the disks, the jobs, the log. One per process; any number of windows, which come and go.
 */
import { homedir } from 'node:os'
import type {
  EventName,
  EventPayload,
  FrameTransport,
  Handlers,
  RequestIn,
  RequestOut,
  Served,
  UiContract,
} from '#shared/contract'
import { rememberedJobs, serveContract, uiContract } from '#shared/contract'
import { serializeError } from '#shared/errors'
import type { Logger, LogSink } from '#shared/log'
import { createLogger } from '#shared/log'
import type { Disk, FoundStream, JobState, SessionState } from '#shared/model'
import type { Engine, EngineState } from '#main/engine-client'
import { inspectTarget } from './inspect-target.ts'
import { LogRing } from './log-ring.ts'
import type { PreferenceStore } from './preferences.ts'
import { expandHome, wholePath, withWholePaths } from './typed-path.ts'

type Ask<N extends keyof UiContract['request']> = (
  input: RequestIn<UiContract, N>,
  signal: AbortSignal,
) => Promise<RequestOut<UiContract, N>>

/** What differs between Electron and the browser. */
export interface Shell {
  readonly host: 'electron' | 'web'
  readonly chooseImage: Ask<'image.choose'>
  readonly chooseFolder: Ask<'folder.choose'>
  readonly chooseTarget: Ask<'image.chooseTarget'>
  readonly chooseConfiguration: Ask<'configuration.choose'>
  readonly listFiles: Ask<'files.list'>
  readonly locateFile: Ask<'files.locate'>
}

export interface UiHostOptions {
  readonly engine: Engine
  readonly shell: Shell
  readonly version: string
  readonly system: string
  readonly preferences: PreferenceStore
  /** Where the Practice disk and image live; the engine host makes them. */
  readonly practiceFolder: string
  /** Is given each line of the log, too. */
  readonly keepLine: LogSink
}

export interface UiHost extends Disposable {
  /** For this process's own lines: the windows' log shows them. */
  readonly log: Logger
  /** The sink of `log`, for a logger that had to exist before. */
  readonly addLine: LogSink
  /** A window connected. */
  serve(transport: FrameTransport): Served<UiContract>
  emit<N extends EventName<UiContract>>(name: N, payload: EventPayload<UiContract, N>): void
  jobs(): readonly JobState[]
  /** Called with every state of every job. Returns the function that ends it. */
  onJob(listener: (state: JobState) => void): () => void
  sessions(): readonly SessionState[]
  /** Called with all sessions at each change. Returns the function that ends it. */
  onSessions(listener: (sessions: readonly SessionState[]) => void): () => void
}

const maxWaitForDisksMs = 1000

export function createUiHost(options: UiHostOptions): UiHost {
  const { engine, shell, preferences } = options
  const home = homedir()
  const windows = new Set<Served<UiContract>>()
  const jobs = new Map<string, JobState>()
  const jobListeners = new Set<(state: JobState) => void>()
  const sessionListeners = new Set<(sessions: readonly SessionState[]) => void>()
  const ring = new LogRing()
  let disks: readonly Disk[] = []
  let sessions: readonly SessionState[] = []
  let streams: readonly FoundStream[] = []
  let practice: { readonly disk: string; readonly image: string } | null = null
  let engineState: EngineState | null = null
  const firstState = Promise.withResolvers<void>()

  const emit: UiHost['emit'] = (name, payload) => {
    for (const window of windows) window.emit(name, payload)
  }
  const addLine: LogSink = (line) => {
    options.keepLine(line)
    emit('log', ring.add(line))
  }
  const log = createLogger(addLine, Date.now)
  log.info('Reprise was started', { version: options.version, host: shell.host, system: options.system })

  const setDisks = (now: readonly Disk[]) => {
    disks = now
    emit('devices', disks)
  }

  const setSessions = (now: readonly SessionState[]) => {
    sessions = now
    for (const listener of sessionListeners) listener(now)
    emit('sessions', now)
  }
  const setStreams = (now: readonly FoundStream[]) => {
    streams = now
    emit('streams', now)
  }

  const preparePractice = async () => {
    practice = await engine
      .request('practice.prepare', { folder: options.practiceFolder, renew: 'missing' })
      .catch((error: unknown) => {
        log.warn('there is no Practice disk', { error: serializeError(error) })
        return null
      })
  }
  const listDisks = async () => {
    try {
      await engine.request('devices.watch', {})
    } catch (error) {
      log.error('the disks cannot be listed', { error: serializeError(error) })
    }
  }

  /** A network without multicast is no reason for a word: there are no streams then. */
  const findStreams = () =>
    engine.request('streams.watch', {}).catch((error: unknown) => {
      log.warn('streams on the network cannot be found', { error: serializeError(error) })
    })

  const setEngineState = async (state: EngineState) => {
    engineState = state
    // They were found by the old host.
    if (streams.length > 0) setStreams([])
    if (state.state === 'ready') {
      void findStreams()
      // The host is new, and of a list without the Practice disk it would seem that somebody unplugged it.
      await preparePractice()
      if (engineState !== state) return
      // A drive that doesn't answer may hold up the list for seconds, and must not hold up the window.
      await Promise.race([listDisks(), after(maxWaitForDisksMs)])
      // It died meanwhile, and that was told.
      if (engineState !== state) return
    }
    firstState.resolve()
    emit('engine', engineEvent(state))
  }

  const ends = [
    engine.onState((state) => void setEngineState(state)),
    engine.subscribe('devices', setDisks),
    engine.subscribe('sessions', setSessions),
    engine.subscribe('streams', setStreams),
    engine.subscribe('fetches', (fetches) => emit('fetches', fetches)),
    engine.subscribe('log', addLine),
    engine.subscribe('job', (state) => {
      jobs.set(state.jobId, state)
      forgetOld(jobs)
      for (const listener of jobListeners) listener(state)
      emit('job', state)
    }),
  ]

  const handlers: Handlers<UiContract> = {
    'app.info': async () => {
      // A first start takes a moment; a window that asks in it would see no disks and no Practice image.
      await firstState.promise
      const info = await engine.request('host.info', {}).catch(() => null)
      return {
        version: options.version,
        host: shell.host,
        platform: thisPlatform(),
        system: options.system,
        supported: info?.supported ?? true,
        home,
        practice,
        preferences: await preferences.load(),
      }
    },
    'app.setPreferences': async (input) => {
      await preferences.change(input)
      return null
    },
    'state.get': async () => {
      await firstState.promise
      return { devices: disks, jobs: [...jobs.values()], sessions, streams, nowMs: Date.now() }
    },
    'image.choose': shell.chooseImage,
    'folder.choose': shell.chooseFolder,
    'image.chooseTarget': ({ path }, signal) => shell.chooseTarget({ path: expandHome(path, home) }, signal),
    'target.inspect': async ({ path }) => inspectTarget(wholePath(path, home, 'target')),
    'configuration.choose': shell.chooseConfiguration,
    'files.list': shell.listFiles,
    'files.locate': shell.locateFile,
    'log.read': async () => ({ lines: ring.read() }),
    'practice.reset': async (_, signal) => {
      practice = await engine.request(
        'practice.prepare',
        { folder: options.practiceFolder, renew: 'always' },
        { signal },
      )
      return null
    },
    'device.eject': (input, signal) => engine.request('device.eject', input, { signal }),
    'source.inspect': (input, signal) => engine.request('source.inspect', input, { signal }),
    'image.info': (input, signal) => engine.request('image.info', input, { signal }),
    'image.unlock': (input, signal) => engine.request('image.unlock', input, { signal }),
    'image.start': async ({ task }, signal) =>
      engine.request('image.start', { task: withWholePaths(task, home) }, { signal }),
    'restore.plan': (input, signal) => engine.request('restore.plan', input, { signal }),
    'restore.start': (input, signal) => engine.request('restore.start', input, { signal }),
    'job.cancel': (input, signal) => engine.request('job.cancel', input, { signal }),
    'multicast.interfaces': (input, signal) => engine.request('multicast.interfaces', input, { signal }),
    'multicast.check': (input, signal) => engine.request('multicast.check', input, { signal }),
    'multicast.checkSource': (input, signal) => engine.request('multicast.checkSource', input, { signal }),
    'session.start': (input, signal) => engine.request('session.start', input, { signal }),
    'session.startNow': (input, signal) => engine.request('session.startNow', input, { signal }),
    'session.setRate': (input, signal) => engine.request('session.setRate', input, { signal }),
    'session.setPrecedence': (input, signal) => engine.request('session.setPrecedence', input, { signal }),
    'session.stop': (input, signal) => engine.request('session.stop', input, { signal }),
    'session.disconnect': (input, signal) => engine.request('session.disconnect', input, { signal }),
    'session.clientLog': (input, signal) => engine.request('session.clientLog', input, { signal }),
    'configuration.read': (input, signal) => engine.request('configuration.read', input, { signal }),
    'configuration.write': async ({ path, configuration }, signal) =>
      engine.request(
        'configuration.write',
        { path: wholePath(path, home, 'target'), configuration },
        { signal },
      ),
  }

  return {
    log,
    addLine,
    emit,
    serve(transport) {
      const window = serveContract(uiContract, handlers, transport, {
        version: options.version,
        pid: process.pid,
        log,
      })
      windows.add(window)
      transport.onClose(() => windows.delete(window))
      if (engineState?.state === 'gone') window.emit('engine', engineEvent(engineState))
      return window
    },
    jobs: () => [...jobs.values()],
    onJob(listener) {
      jobListeners.add(listener)
      return () => void jobListeners.delete(listener)
    },
    sessions: () => sessions,
    onSessions(listener) {
      sessionListeners.add(listener)
      return () => void sessionListeners.delete(listener)
    },
    [Symbol.dispose]() {
      for (const end of ends) end()
      for (const window of windows) window.close(new Error('the app is ending'))
    },
  }
}

const after = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref())

function engineEvent(state: EngineState): EventPayload<UiContract, 'engine'> {
  return state.state === 'ready'
    ? { state: 'ready', reason: null }
    : { state: 'gone', reason: state.reason.code }
}

function forgetOld(jobs: Map<string, JobState>): void {
  const ended = [...jobs.values()]
    .filter((job) => job.outcome !== null)
    .toSorted((a, b) => (a.endedMs ?? 0) - (b.endedMs ?? 0))
  for (const job of ended.slice(0, Math.max(0, ended.length - rememberedJobs))) jobs.delete(job.jobId)
}

function thisPlatform(): 'linux' | 'darwin' | 'win32' {
  return process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux'
}
