/**
 * Binds the engine contract to the engines: a table of jobs, the disks, the plans. Knows one client; where it sits, and
 * what carries the frames, it doesn't know.
 */
import type { EngineContract, FrameTransport, Handlers } from '#shared/contract'
import { engineContract, serveContract } from '#shared/contract'
import { DeviceError, serializeError, UsageError } from '#shared/errors'
import type { LogSink } from '#shared/log'
import { createLogger } from '#shared/log'
import {
  diskRead,
  imageTaskWritten,
  isWebLocator,
  pathWritten,
  type Disk,
  type ImageTask,
  type JobState,
} from '#shared/model'
import { Bugs, createJobTable, describeImageTask, describeRestore, Interruption } from '#engine/job'
import type { DiskWatch } from '#engine/platform'
import { preparePractice } from '#engine/practice'
import { sharedWebClient } from '#engine/web-source'
import type { CreateEngines } from './engine-deps.ts'
import { HostDisks } from './host-disks.ts'

export interface ServeEngineOptions {
  readonly createEngines: CreateEngines
  readonly version: string
  /** Rights were given to this process for one purpose: it does nothing for convenience. */
  readonly elevated: boolean
  /** The user that an elevated host works for. */
  readonly onBehalfOf?: number | null
  /** The Practice image that belongs to the program; null when it isn't installed. */
  readonly practiceAsset: string | null
  readonly pid?: number
}

export interface ServedEngine {
  /** Resolves when the client is gone, all jobs have stopped and everything is let go. Never rejects. */
  readonly ended: Promise<void>
  /** Something was thrown that nobody caught. Running jobs are stopped and fail with it; the host lives on. */
  reportBug(error: unknown): void
}

/** How long work that isn't a job is waited for at the end. */
const otherWorkMs = 1000

export function serveEngine(transport: FrameTransport, options: ServeEngineOptions): ServedEngine {
  // What is logged before `hello` has nowhere to go.
  let emitLog: LogSink = () => {}
  const log = createLogger((line) => emitLog(line), Date.now)
  const bugs = new Bugs()
  const engines = options.createEngines({ log, onBehalfOf: options.onBehalfOf ?? null })
  const { platform, keepAwake } = engines
  const jobs = createJobTable({ log, keepAwake, readBesides: () => engines.disksRead.now() })
  const disks = new HostDisks({ platform, inUse: () => jobs.inUse() })
  const seenByPlanner = disks.platform('planner')
  const seenByJob = disks.platform('job')
  let watching: DiskWatch | null = null
  let watchingStreams: AsyncDisposable | null = null
  /** Null until they were listed: whoever heard of the Practice disk alone would think that all others were unplugged. */
  let listed: readonly Disk[] | null = null
  let tellings = 0

  /** Tells the disks as they are now, once that is known. Who is overtaken by another telling leaves it to that one. */
  const tellDisks = async () => {
    if (listed === null) return
    tellings += 1
    const telling = tellings
    const complete = await disks.complete(listed)
    if (telling === tellings) served.emit('devices', complete)
  }
  const disksChanged = (now: readonly Disk[]) => {
    listed = now
    void tellDisks()
  }

  const handlers: Handlers<EngineContract> = {
    'host.info': async () => ({
      version: options.version,
      platform: platform.name,
      supported: platform.supported,
      privileged: platform.privileged,
    }),
    'devices.watch': async (_, signal) => {
      watching ??= platform.watch(disksChanged)
      try {
        await watching.refresh(signal)
        await tellDisks()
      } catch (error) {
        // Where none can be listed there is the Practice disk still.
        if (!signal.aborted) disksChanged(listed ?? [])
        throw error
      }
      return null
    },
    'device.eject': async ({ path }) => {
      await eject(path)
      return null
    },
    'source.inspect': ({ source }, signal) => engines.inspectSource(source, seenByPlanner, signal),
    'image.info': ({ path }, signal) => engines.imageInfo(path, signal),
    'image.unlock': async ({ path, password }, signal) => {
      await engines.unlockImage(path, password, signal)
      return null
    },
    'image.start': async ({ task }, signal) => {
      if (options.elevated && !readsDevice(task)) {
        const message = 'an elevated host makes images of devices, and does nothing else to images'
        throw new UsageError('E_UNSUPPORTED', message, { details: { input: task.kind } })
      }
      const written = imageTaskWritten(task)
      const job = jobs.start(
        {
          ...describeImageTask(task),
          claims: written === null ? [] : [written],
          reads: await readsOf(task, signal),
        },
        bugs.guard((context) => engines.runImageTask(task, seenByJob, context)),
      )
      return { jobId: job.jobId }
    },
    'web.prepare': async ({ variables, addresses }) => {
      const web = sharedWebClient()
      if (variables !== null) web.useEnvironment(variables)
      for (const address of addresses) web.takePassword(new URL(address))
      return null
    },
    'multicast.interfaces': (_, signal) => engines.multicast.interfaces(signal),
    'multicast.check': ({ settings }, signal) => engines.multicast.check(settings, signal),
    'multicast.checkSource': (source, signal) => engines.multicast.checkSource(source, signal),
    'session.start': async ({ settings }, signal) => {
      refuseElevated('session')
      const { source } = settings
      const disk = isWebLocator(source) ? null : await diskAt(source, signal)
      // From when it is read, the disk is in use by that.
      using _ = jobs.use({ claims: [], reads: disk === null ? [] : [disk.path] })
      return await engines.multicast.startSession(settings, signal)
    },
    'session.startNow': async ({ sessionId }) => {
      await engines.multicast.startNow(sessionId)
      return null
    },
    'session.setRate': async ({ sessionId, ...rate }) => {
      await engines.multicast.setRate(sessionId, rate)
      return null
    },
    'session.setPrecedence': async ({ sessionIds }) => {
      await engines.multicast.setPrecedence(sessionIds)
      return null
    },
    'session.stop': async ({ sessionId, when }) => {
      await engines.multicast.stopSession(sessionId, when)
      return null
    },
    'session.disconnect': async ({ sessionId, clientId }) => {
      await engines.multicast.disconnect(sessionId, clientId)
      return null
    },
    'session.clientLog': ({ sessionId, clientId }) => engines.multicast.clientLog(sessionId, clientId),
    'streams.watch': async () => {
      refuseElevated('streams')
      watchingStreams ??= engines.multicast.watchStreams((streams) => served.emit('streams', streams))
      return null
    },
    'configuration.read': async ({ path }) => {
      refuseElevated('configuration')
      return await engines.multicast.readConfiguration(path)
    },
    'configuration.write': async ({ path, configuration }) => {
      refuseElevated('configuration')
      await engines.multicast.writeConfiguration(path, configuration)
      return null
    },
    'restore.plan': async (request, signal) => {
      if (request.form === 'file') refuseElevatedFile()
      const plan = await engines.planRestore(request, seenByPlanner, signal)
      if (plan.target?.kind === 'file') refuseElevatedFile()
      return plan
    },
    'restore.start': async ({ planId, typed }) => {
      const plan = engines.takePlan(planId, typed)
      if (plan.target?.kind === 'file') refuseElevatedFile()
      const read = diskRead(plan)
      const job = jobs.start(
        {
          ...describeRestore(plan),
          claims: [pathWritten(plan)],
          reads: read === null ? [] : [read],
        },
        bugs.guard((context) => engines.runRestore(plan, seenByJob, context)),
      )
      return { jobId: job.jobId }
    },
    'job.cancel': async ({ jobId, interrupted = false }) => {
      const job = jobs.get(jobId)
      if (job === null)
        throw new UsageError('E_USAGE', 'there is no such job', { details: { input: 'jobId' } })
      return job.cancel(interrupted ? new Interruption() : undefined)
    },
    'practice.prepare': async ({ folder, renew }) => {
      if (options.elevated) {
        const message = 'an elevated host makes no Practice disk'
        throw new UsageError('E_UNSUPPORTED', message, { details: { input: 'practice' } })
      }
      const asset = options.practiceAsset
      if (asset === null) {
        throw new DeviceError('E_NOT_FOUND', 'the Practice image is not installed', {
          details: { path: 'practice.dmg' },
        })
      }
      if ([...jobs.inUse().written].some((path) => disks.isPractice(path))) throw busy('the Practice disk')
      const made = await preparePractice({ folder, asset, renew })
      disks.setPractice(made.disk)
      await tellDisks()
      return made
    },
  }

  /** Rights that were given for one restore are for nothing else. */
  function refuseElevated(input: string): void {
    if (!options.elevated) return
    const message = 'an elevated host streams nothing, and reads and writes no configurations'
    throw new UsageError('E_UNSUPPORTED', message, { details: { input } })
  }

  /** Root would make it anywhere. Who asks writes their files with their own rights, in the host that has these. */
  function refuseElevatedFile(): void {
    if (!options.elevated) return
    const message = 'an elevated host restores to devices, and to no file'
    throw new UsageError('E_UNSUPPORTED', message, { details: { input: 'target' } })
  }

  async function readsOf(task: ImageTask, signal: AbortSignal): Promise<readonly string[]> {
    const disk = readsDevice(task) ? await diskAt(task.from.path, signal) : null
    return disk === null ? [] : [disk.path]
  }

  /** The disk that is there, or a part of it; null: something else, or nothing. */
  async function diskAt(locator: string, signal: AbortSignal): Promise<Disk | null> {
    const found = await platform.resolve(locator, signal).catch(() => null)
    return found !== null && 'disk' in found ? found.disk : null
  }

  async function eject(path: string): Promise<void> {
    const disk = (await seenByPlanner.list()).find((each) => each.path === path)
    if (disk === undefined) {
      throw new DeviceError('E_NOT_FOUND', 'there is no such disk', { details: { path } })
    }
    if (disk.protection?.kind === 'system') {
      throw new UsageError('E_DST_SYSTEM', 'this disk runs the computer', { details: { input: 'path' } })
    }
    if (disk.protection?.kind === 'program') throw busy(path)
    if (disk.busy) throw busy(path)
    // What was written lately goes to it first, and that may take minutes.
    const claim = jobs.use({ claims: [path], reads: [] })
    try {
      await platform.eject(path)
    } finally {
      claim[Symbol.dispose]()
      // Somebody may have seen it in use meanwhile, and it doesn't go from every reader.
      void tellDisks()
    }
  }

  const served = serveContract(engineContract, handlers, transport, {
    version: options.version,
    pid: options.pid ?? process.pid,
    log,
  })
  emitLog = (line) => served.emit('log', line)

  const watchingFetches = engines.watchFetches((fetches) => served.emit('fetches', fetches))
  engines.multicast.onSessions((sessions) => served.emit('sessions', sessions))
  const watchingReads = engines.disksRead.onChange(() => void tellDisks())

  const running = new Set<string>()
  jobs.subscribe((state: JobState) => {
    served.emit('job', state)
    const began = state.outcome === null && !running.has(state.jobId)
    if (began) running.add(state.jobId)
    if (state.outcome !== null) running.delete(state.jobId)
    if (began || state.outcome !== null) void tellDisks()
    // That another file system is on a disk is nothing a watch would see, where no udev reads it.
    const hasDisk = state.plan !== null && state.plan.target?.kind !== 'file'
    if (state.outcome !== null && hasDisk)
      watching
        ?.refresh()
        .catch((error: unknown) => log.warn('disks cannot be listed', { reason: String(error) }))
  })

  /** Jobs are waited for. A look at a drive that doesn't answer touches nothing, and isn't. */
  async function end(): Promise<void> {
    watchingFetches[Symbol.dispose]()
    watchingReads[Symbol.dispose]()
    const others = Promise.all([
      served.settled,
      watching?.[Symbol.asyncDispose](),
      watchingStreams?.[Symbol.asyncDispose](),
    ])
    await Promise.all([
      // Whoever stops a job asks for that; who went away, or a signal, calls nothing off.
      jobs.cancelAll(new Interruption()),
      engines.multicast[Symbol.asyncDispose](),
      Promise.race([others, after(otherWorkMs)]),
    ])
  }

  return {
    ended: new Promise((resolve) => {
      transport.onClose(() => resolve(end().catch(() => undefined)))
    }),
    reportBug(error) {
      const bug = serializeError(error)
      log.error('an error that nobody caught', { error: bug })
      bugs.happened(error)
      void jobs.cancelAll()
    },
  }
}

const after = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref())

type DeviceTask = ImageTask & { readonly kind: 'create'; readonly from: { readonly kind: 'device' } }

const readsDevice = (task: ImageTask): task is DeviceTask =>
  task.kind === 'create' && task.from.kind === 'device'

function busy(path: string): DeviceError {
  return new DeviceError('E_DST_BUSY', `${path} is being used by a job`, {
    details: { path, holders: ['Reprise'] },
  })
}
