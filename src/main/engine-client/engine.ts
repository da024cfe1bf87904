/**
 * The engines as the app sees them: one client of the engine contract, behind which stand an unprivileged host that is
 * always there and, while a job needs it, an elevated one. Here is decided which of the two a request goes to, what
 * happens when one dies, and that an elevated host does what was confirmed and nothing else.
 */
import type {
  Client,
  EngineContract,
  EventName,
  EventPayload,
  RequestIn,
  RequestName,
  RequestOut,
} from '#shared/contract'
import {
  AppError,
  DeviceError,
  deserializeError,
  type SerializedError,
  EngineGoneError,
  serializeError,
  UsageError,
} from '#shared/errors'
import type { Logger } from '#shared/log'
import {
  diskRead,
  pathWritten,
  planLifeMs,
  type JobState,
  type RestorePlan,
  type WebFetch,
} from '#shared/model'
import { DiskUses } from './disk-uses.ts'
import { Elevation } from './elevation.ts'
import type { HostProcess } from './host-process.ts'
import { KnownSessions } from './known-sessions.ts'
import { lostJob } from './lost-job.ts'
import { samePlan } from './same-plan.ts'
import { Unlocks } from './unlocks.ts'
import { WebAccess } from './web-access.ts'

export interface EngineOptions {
  /** Starts an unprivileged host. */
  readonly start: () => Promise<HostProcess>
  /** Starts an elevated host; may wait for a person as long as it takes. Rejects with E_AUTH_CANCEL, E_AUTH_NOAGENT … */
  readonly elevate: (signal: AbortSignal) => Promise<HostProcess>
  readonly log: Logger
  /** Where proxies are named, for the elevated host. Default: none are. */
  readonly environment?: { readonly [name: string]: string | undefined }
  /** How long an elevated host may stay without a job and without a request. Default two minutes. */
  readonly idleMs?: number
  /** Pauses before a host that died is started again, in turn; the last one repeats. */
  readonly pausesMs?: readonly number[]
  /** How long `dispose` waits for a host to stop its jobs before it is killed. */
  readonly graceMs?: number
}

export type EngineState = { readonly state: 'ready' } | { readonly state: 'gone'; readonly reason: AppError }

export interface Engine extends Client<EngineContract>, AsyncDisposable {
  /**
   * Called with the state as it is now, once there is one, and at each change. At `ready` the host is a new one, that
   * was never asked for anything. Returns the function that ends it.
   */
  onState(listener: (state: EngineState) => void): () => void
}

/** A host that lived this long is started again without a pause to speak of. */
const stableMs = 30_000
const keptJobs = 200
const rememberedPlans = 200

interface Planned {
  readonly host: HostProcess
  /** Its host is an elevated one: that may leave, and then the next one plans it again. */
  readonly elevated: boolean
  readonly plan: RestorePlan
  readonly madeMs: number
}

export function createEngine(options: EngineOptions): Engine {
  return new TwoHosts(options)
}

class TwoHosts implements Engine {
  readonly #start: EngineOptions['start']
  readonly #log: Logger
  readonly #pausesMs: readonly number[]
  readonly #graceMs: number
  readonly #elevation: Elevation
  readonly #plans = new Map<string, Planned>()
  readonly #starting = new Set<string>()
  readonly #uses: DiskUses
  readonly #unlocks = new Unlocks()
  readonly #web: WebAccess
  readonly #jobs = new Map<string, { readonly host: HostProcess; state: JobState }>()
  readonly #sessions = new KnownSessions()
  readonly #fetches = new Map<HostProcess, readonly WebFetch[]>()
  readonly #listeners = new Map<string, Set<(payload: never) => void>>()
  readonly #stateListeners = new Set<(state: EngineState) => void>()
  #state: EngineState | null = null
  #closing = false
  #plain: Promise<HostProcess>
  #failures = 0
  #restart: ReturnType<typeof setTimeout> | undefined

  constructor(options: EngineOptions) {
    this.#start = options.start
    this.#log = options.log
    this.#web = new WebAccess(options.environment ?? {})
    this.#pausesMs = options.pausesMs ?? [250, 1000, 3000, 10_000, 30_000]
    this.#graceMs = options.graceMs ?? 15_000
    this.#uses = new DiskUses({
      jobs: () => this.#jobs.values().map(({ state }) => state),
      starting: () => [...this.#starting].flatMap((planId) => this.#plans.get(planId)?.plan ?? []),
    })
    this.#elevation = new Elevation({
      start: async (signal) => {
        const host = await options.elevate(signal)
        this.#adopt(host)
        return host
      },
      isBusy: (host) => this.#isBusy(host),
      idleMs: options.idleMs ?? 120_000,
      graceMs: this.#graceMs,
    })
    this.#plain = this.#launch()
  }

  async request<N extends RequestName<EngineContract>>(
    name: N,
    input: RequestIn<EngineContract, N>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<RequestOut<EngineContract, N>> {
    const answer = await this.#route(name, input, options.signal)
    return answer as RequestOut<EngineContract, N>
  }

  subscribe<N extends EventName<EngineContract>>(
    name: N,
    listener: (payload: EventPayload<EngineContract, N>) => void,
  ): () => void {
    const set = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, set)
    set.add(listener)
    return () => void set.delete(listener)
  }

  onState(listener: (state: EngineState) => void): () => void {
    this.#stateListeners.add(listener)
    if (this.#state !== null) listener(this.#state)
    return () => void this.#stateListeners.delete(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true
    clearTimeout(this.#restart)
    const plain = this.#plain.then(
      (host) => host.end(this.#graceMs),
      () => undefined,
    )
    await Promise.all([plain, this.#elevation.end()])
  }

  // --- requests

  async #route(name: string, input: unknown, signal?: AbortSignal): Promise<unknown> {
    this.#web.notice(input)
    switch (name) {
      case 'restore.plan':
        return this.#plan(input as RequestIn<EngineContract, 'restore.plan'>, signal)
      case 'restore.start':
        return this.#startRestore(input as RequestIn<EngineContract, 'restore.start'>, signal)
      case 'image.start':
        return this.#startImageTask(input as RequestIn<EngineContract, 'image.start'>, signal)
      case 'image.unlock':
        return this.#unlock(input as RequestIn<EngineContract, 'image.unlock'>, signal)
      case 'device.eject':
        return this.#eject(input as RequestIn<EngineContract, 'device.eject'>, signal)
      case 'job.cancel':
        return this.#cancel(input as RequestIn<EngineContract, 'job.cancel'>)
      case 'session.stop':
        return this.#stopSession(input as RequestIn<EngineContract, 'session.stop'>, signal)
      default:
        return ask(await this.#plain, name as RequestName<EngineContract>, input as never, signal)
    }
  }

  /**
   * Plans are made without rights, as long as nobody gave them for something else. Where an elevated host is there
   * already, it plans what it will have to do: it sees more, and then nothing is found different later. But it reads no image
   * that the person may not read: its rights are for writing the disk.
   */
  async #plan(request: RestorePlan['request'], signal?: AbortSignal): Promise<RestorePlan> {
    const host = await this.#plain
    const plan = await ask(host, 'restore.plan', request, signal)
    const isDenied = plan.refusal?.code === 'E_DENIED'
    const elevated = plan.needsPrivilege && !isDenied ? this.#elevation.current() : null
    if (elevated === null) return this.#remember(plan, { host, elevated: false })
    return this.#elevation.use(async () => {
      await this.#web.handTo(elevated, signal)
      await this.#unlocks.handTo(elevated, signal)
      const seen = await ask(elevated, 'restore.plan', request, signal)
      return this.#remember(seen, { host: elevated, elevated: true })
    })
  }

  /** Only reading a device needs rights; a disk that is a file is read like any file. */
  async #startImageTask(
    input: RequestIn<EngineContract, 'image.start'>,
    signal?: AbortSignal,
  ): Promise<{ jobId: string }> {
    const host = await this.#plain
    const { task } = input
    const device = task.kind === 'create' && task.from.kind === 'device' ? task.from.path : null
    const disk = this.#uses.diskOf(device)
    this.#uses.refuseEjecting(disk?.path ?? null)
    const isFile = disk?.path === device && disk?.bus === 'file'
    if (device === null || isFile || (await ask(host, 'host.info', {}, signal)).privileged)
      return await ask(host, 'image.start', input, signal)
    return await this.#elevation.use(async () => {
      const root = await this.#elevation.get(signal)
      // The prompt may have taken minutes.
      this.#uses.refuseEjecting(disk?.path ?? null)
      return await ask(root, 'image.start', input, signal)
    })
  }

  async #unlock(input: RequestIn<EngineContract, 'image.unlock'>, signal?: AbortSignal): Promise<null> {
    const host = await this.#plain
    const answer = await ask(host, 'image.unlock', input, signal)
    this.#unlocks.add(input, host)
    return answer
  }

  async #startRestore(
    { planId, typed }: RequestIn<EngineContract, 'restore.start'>,
    signal?: AbortSignal,
  ): Promise<{ jobId: string }> {
    const planned = this.#plans.get(planId)
    if (planned === undefined || Date.now() - planned.madeMs > planLifeMs) throw unknownPlan()
    const { host, elevated, plan } = planned
    this.#uses.refuseEjecting(pathWritten(plan), diskRead(plan))
    const isForHost = elevated
      ? host === this.#elevation.current()
      : plan.refusal !== null || !plan.needsPrivilege || (await ask(host, 'host.info', {}, signal)).privileged
    // A host may be gone, and the next one makes its own plan of it: that it is started once only is for us to see to.
    if (this.#starting.has(planId)) throw unknownPlan()
    this.#starting.add(planId)
    using _ = { [Symbol.dispose]: () => void this.#starting.delete(planId) }
    if (isForHost) {
      const started = await this.#elevation.use(() => ask(host, 'restore.start', { planId, typed }, signal))
      this.#plans.delete(planId)
      return started
    }
    return await this.#elevation.use(async () => {
      const root = await this.#elevation.get(signal)
      await this.#web.handTo(root, signal)
      await this.#unlocks.handTo(root, signal)
      // The prompt may have taken minutes: look again, with the eyes of the host that will write.
      const again = await ask(root, 'restore.plan', plan.request, signal)
      if (again.refusal !== null) throw refusedToRoot(again.refusal)
      if (!samePlan(plan, again)) {
        const path = plan.target?.path ?? plan.request.target
        const message = 'what was confirmed is not what would be done now'
        throw new DeviceError('E_DST_CHANGED', message, { details: { path } })
      }
      const started = await ask(root, 'restore.start', { planId: again.planId, typed }, signal)
      this.#plans.delete(planId)
      return started
    })
  }

  async #cancel(input: RequestIn<EngineContract, 'job.cancel'>): Promise<JobState> {
    const { jobId } = input
    const job = this.#jobs.get(jobId)
    if (job === undefined) {
      throw new UsageError('E_USAGE', 'there is no such job', { details: { input: 'jobId' } })
    }
    if (job.state.outcome !== null) return job.state
    try {
      return await ask(job.host, 'job.cancel', input)
    } catch (error) {
      EngineGoneError.accept(error)
      // It stopped with its host, and how is said in its last state.
      return this.#jobs.get(jobId)?.state ?? job.state
    }
  }

  /** Of a session that was lost with its host, this host knows nothing. */
  async #stopSession(input: RequestIn<EngineContract, 'session.stop'>, signal?: AbortSignal): Promise<null> {
    if (!this.#sessions.forget(input.sessionId))
      return await ask(await this.#plain, 'session.stop', input, signal)
    this.#emit('sessions', this.#sessions.all())
    return null
  }

  async #eject(input: RequestIn<EngineContract, 'device.eject'>, signal?: AbortSignal): Promise<null> {
    using _ = this.#uses.claimToEject(input.path)
    return await ask(await this.#plain, 'device.eject', input, signal)
  }

  #remember(plan: RestorePlan, by: Pick<Planned, 'host' | 'elevated'>): RestorePlan {
    this.#plans.set(plan.planId, { ...by, plan, madeMs: Date.now() })
    dropOldest(this.#plans, rememberedPlans, () => true)
    return plan
  }

  // --- hosts

  /** Its rejection is handled here; who awaits it gets it, too. */
  #launch(): Promise<HostProcess> {
    const begunMs = Date.now()
    const launched = this.#start().then(async (host) => {
      this.#adopt(host)
      await this.#web.handAddressesTo(host).catch((error: unknown) => {
        this.#log.warn('passwords of web servers are not known to the new host', {
          error: serializeError(error),
        })
      })
      await this.#unlocks.handTo(host)
      host.connection.subscribe('devices', (disks) => {
        this.#uses.see(disks)
        this.#emit('devices', this.#uses.disks())
      })
      // An elevated host streams nothing.
      host.connection.subscribe('sessions', (sessions) => {
        this.#sessions.set(sessions)
        this.#emit('sessions', this.#sessions.all())
      })
      host.connection.subscribe('streams', (streams) => this.#emit('streams', streams))
      this.#tellState({ state: 'ready' })
      // Called at once where it died meanwhile, so this is the last word.
      host.connection.onClose((reason) => {
        if (Date.now() - begunMs > stableMs) this.#failures = 0
        this.#plain = rejected(reason)
        this.#gone(reason)
      })
      return host
    })
    launched.catch((error: unknown) => this.#gone(error))
    return launched
  }

  /** The plain host ended, or could not be started. */
  #gone(error: unknown): void {
    if (this.#closing) return
    const reason = error instanceof AppError ? error : ending(error)
    this.#log.error('the engine host is gone', { code: reason.code, details: reason.details })
    this.#tellState({ state: 'gone', reason })
    this.#sessions.lose(reason, Date.now())
    this.#emit('sessions', this.#sessions.all())
    const pauseMs = this.#pausesMs[Math.min(this.#failures, this.#pausesMs.length - 1)] ?? 0
    this.#failures += 1
    clearTimeout(this.#restart)
    this.#restart = setTimeout(() => {
      this.#plain = this.#launch()
    }, pauseMs)
  }

  #adopt(host: HostProcess): void {
    host.connection.subscribe('log', (line) => this.#emit('log', line))
    host.connection.subscribe('job', (state) => this.#jobChanged(host, state))
    host.connection.subscribe('fetches', (fetches) => this.#fetched(host, fetches))
    host.connection.onClose((reason) => {
      if (this.#fetches.has(host)) this.#fetched(host, [])
      for (const [planId, planned] of this.#plans) {
        if (planned.host === host && !planned.elevated) this.#plans.delete(planId)
      }
      for (const job of this.#jobs.values()) {
        if (job.host !== host || job.state.outcome !== null) continue
        const lost = lostJob(job.state, reason, Date.now())
        const { jobId, kind, outcome } = lost
        this.#log.error('a job was lost with its host', { job: jobId, kind, outcome: outcome?.kind ?? null })
        this.#jobChanged(host, lost)
      }
    })
  }

  #jobChanged(host: HostProcess, state: JobState): void {
    const before = this.#jobs.get(state.jobId)
    if (before?.state.outcome) return
    this.#jobs.set(state.jobId, { host, state })
    dropOldest(this.#jobs, keptJobs, (job) => job.state.outcome !== null)
    this.#emit('job', state)
    if (before === undefined || state.outcome !== null) {
      this.#elevation.rest()
      this.#emit('devices', this.#uses.disks())
    }
  }

  /** Both hosts fetch for themselves. */
  #fetched(host: HostProcess, fetches: readonly WebFetch[]): void {
    if (fetches.length > 0) this.#fetches.set(host, fetches)
    else this.#fetches.delete(host)
    this.#emit('fetches', [...this.#fetches.values()].flat())
  }

  #isBusy(host: HostProcess): boolean {
    return this.#jobs.values().some((job) => job.host === host && job.state.outcome === null)
  }

  // --- events

  #emit<N extends EventName<EngineContract>>(name: N, payload: EventPayload<EngineContract, N>): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(payload as never)
  }

  #tellState(state: EngineState): void {
    this.#state = state
    for (const listener of this.#stateListeners) listener(state)
  }
}

function ask<N extends RequestName<EngineContract>>(
  host: HostProcess,
  name: N,
  input: RequestIn<EngineContract, N>,
  signal?: AbortSignal,
): Promise<RequestOut<EngineContract, N>> {
  return host.connection.request(name, input, signal === undefined ? {} : { signal })
}

function rejected(reason: AppError): Promise<never> {
  const promise = Promise.reject(reason)
  promise.catch(() => undefined)
  return promise
}

/** Keep `count` entries: of those that may go, the oldest go first. */
function dropOldest<T>(map: Map<string, T>, count: number, mayGo: (value: T) => boolean): void {
  let surplus = map.size - count
  for (const [key, value] of map) {
    if (surplus <= 0) return
    if (!mayGo(value)) continue
    map.delete(key)
    surplus -= 1
  }
}

function unknownPlan(): UsageError {
  const message = 'the plan is unknown: it was used, it expired, or its host is gone'
  return new UsageError('E_NOT_CONFIRMED', message, { details: { input: 'planId' } })
}

function ending(cause?: unknown): EngineGoneError {
  return new EngineGoneError('E_ENGINE_GONE', 'the engine host could not be started', {
    details: { exitCode: null, signal: null, lastLines: [] },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** What the person could read and an administrator can't is in a folder that only its owner is let into. */
function refusedToRoot(refusal: SerializedError): Error {
  const path = refusal.details['path']
  if (refusal.code !== 'E_DENIED' || typeof path !== 'string') return deserializeError(refusal)
  return new DeviceError('E_DENIED', refusal.message, { details: { path, by: 'administrator' } })
}
