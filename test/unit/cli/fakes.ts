/** A terminal, disks, plans and a job to play the command line with: no process, no disk, no clock. */
import type { CliContext } from '#src/main/cli/verb.ts'
import type { Engines, FetchWatch, RunningJob } from '#src/main/cli/engines.ts'
import type { StreamEngines } from '#src/main/cli/stream-engines.ts'
import { main } from '#src/main/cli/main.ts'
import { FormatError, NetworkError } from '#shared/errors'
import type { LogLine } from '#shared/log'
import {
  isStreamLocator,
  jobPhases,
  type ImageTask,
  type Disk,
  type ImageInfo,
  type JobOutcome,
  type JobPhase,
  type JobState,
  type RestorePlan,
  type RestoreRequest,
  type RestoreSummary,
  type TargetInfo,
} from '#shared/model'
import { restoreRequest } from '#test/restore-request'

export interface Played {
  readonly status: number
  readonly out: string
  readonly err: string
  readonly requests: readonly RestoreRequest[]
  readonly tasks: readonly ImageTask[]
  /** Passwords that were tried. */
  readonly unlocks: readonly string[]
  /** Everything in the order it was printed, errors marked with `! `. */
  readonly all: string
  /** What of it may be left out while nobody reads. */
  readonly passing: string
  readonly cancels: number
  readonly startedJobs: number
}

export interface Stage {
  /** Standard output and standard error are read in one place. */
  readonly isOne?: boolean
  /** Somebody sits at the terminal. */
  readonly isInteractive?: boolean
  readonly plan?: RestorePlan | ((request: RestoreRequest) => Promise<RestorePlan>)
  /** The states a job passes through, the last with its outcome. */
  readonly states?: readonly JobState[]
  /** Instead of `states`: play a job by hand. */
  readonly job?: (stage: { interrupt: (signal?: NodeJS.Signals) => void }) => RunningJob
  readonly disks?: readonly Disk[]
  readonly image?: ImageInfo | Error
  readonly task?: readonly JobState[]
  readonly answers?: readonly string[]
  /** Lines that were typed before anything was asked. */
  readonly ahead?: readonly string[]
  /** The password that opens the source; without it nothing is locked. */
  readonly password?: string
  /** All that comes on standard input, for --stdinpass. */
  readonly stdin?: string
  /** A password is asked for. */
  readonly onPassword?: () => void
  /** Passwords that are typed; without it there is no terminal. */
  readonly typed?: readonly string[]
  readonly supported?: boolean
  /** Interrupted as soon as this text has been printed. */
  readonly interruptAfter?: string
  readonly logs?: readonly Omit<LogLine, 'timeMs'>[]
  readonly failConnecting?: Error
  /** What standard output answers to a text instead of taking it. */
  readonly failWriting?: (text: string) => Error | null
  readonly streams?: StreamEngines
  /** Before the stream engines are connected: how to press Ctrl-C later. */
  readonly onStreams?: (interrupt: () => void) => void
  /** What comes of an image that can only be fetched as a whole, when it is first opened. */
  readonly fetch?: (watch: FetchWatch) => void | Promise<void>
  /** Of the target; null where this is left out. */
  readonly capacityOf?: () => Promise<number | null>
  readonly now?: () => number
}

const absent = (): never => {
  throw new Error('the stage has no such stream engine')
}
/** To be replaced by what a test is about. */
export const noStreams: StreamEngines = {
  readConfiguration: absent,
  openServer: absent,
  fetches: absent,
  localServers: absent,
  manage: absent,
  listSessions: absent,
  browse: absent,
}

/** Run `reprise ...argv` on the stage. */
export async function play(argv: readonly string[], stage: Stage = {}): Promise<Played> {
  const printed = { out: '', err: '', all: '', passing: '' }
  const requests: RestoreRequest[] = []
  const tasks: ImageTask[] = []
  const listeners = new Set<(signal: NodeJS.Signals) => void>()
  const answers = [...(stage.answers ?? [])]
  const ahead = [...(stage.ahead ?? [])]
  const typed = [...(stage.typed ?? [])]
  const given = stage.stdin === undefined || stage.stdin === '' ? [] : stage.stdin.split('\0')
  const unlocks: string[] = []
  const counts = { cancels: 0, startedJobs: 0 }
  const interrupt = (signal: NodeJS.Signals = 'SIGINT') => {
    for (const listener of listeners) listener(signal)
  }
  const watch = (text: string) => {
    if (stage.interruptAfter !== undefined && text.includes(stage.interruptAfter)) interrupt()
  }
  const context: CliContext = {
    terminal: {
      write(text, worth) {
        const failure = stage.failWriting?.(text) ?? null
        if (failure !== null) throw failure
        printed.out += text
        if (worth === 'passing') printed.passing += text
        printed.all += text
        watch(text)
      },
      writeError(text, worth) {
        printed.err += text
        if (worth === 'passing') printed.passing += text
        printed.all += text === '' ? '' : `! ${text}`
        watch(text)
      },
      isOne: stage.isOne ?? false,
      isInteractive: stage.isInteractive ?? false,
      isTyped: stage.typed !== undefined,
      forgetTyped: async (signal) => {
        await Promise.resolve()
        signal.throwIfAborted()
        ahead.length = 0
      },
      readLine: async (signal) => {
        await Promise.resolve()
        signal.throwIfAborted()
        return ahead.shift() ?? answers.shift() ?? null
      },
      readPassword: async (signal) => {
        stage.onPassword?.()
        await Promise.resolve()
        signal.throwIfAborted()
        return given.shift() ?? null
      },
      askPassword: async (question, signal) => {
        await Promise.resolve()
        signal.throwIfAborted()
        if (stage.typed === undefined) return null
        printed.err += question
        printed.all += `! ${question}`
        watch(question)
        signal.throwIfAborted()
        return ahead.shift() ?? typed.shift() ?? null
      },
      onInterrupt(listener) {
        listeners.add(listener)
        return { [Symbol.dispose]: () => listeners.delete(listener) }
      },
    },
    cwd: '/home/anna',
    version: '1.2.3',
    platform: 'linux',
    argumentBytes: () => null,
    now: stage.now ?? (() => Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
    engines: async (log) => {
      await Promise.resolve()
      if (stage.failConnecting !== undefined) throw stage.failConnecting
      for (const { level, message, fields } of stage.logs ?? []) log[level](message, fields)
      return engines
    },
    streams: () => {
      stage.onStreams?.(interrupt)
      return stage.streams === undefined
        ? Promise.reject(new Error('the stage has no streams'))
        : Promise.resolve(stage.streams)
    },
    programs: {
      web: (args) => Promise.resolve(args.length + 40),
      engineHost: () => Promise.resolve(50),
    },
  }
  let fetching: FetchWatch | null = null
  const engines: Engines = {
    supported: stage.supported ?? true,
    listDisks: () => Promise.resolve(stage.disks ?? []),
    imageInfo: () =>
      stage.image instanceof Error ? Promise.reject(stage.image) : Promise.resolve(stage.image ?? image()),
    isLocked: async () => {
      await stage.fetch?.(fetching ?? absent())
      return stage.password !== undefined && !unlocks.includes(stage.password)
    },
    unlockImage: (path, password) => {
      unlocks.push(password)
      if (password === stage.password) return Promise.resolve()
      if (isStreamLocator(path)) {
        const details = { address: path, phase: 'control', given: true }
        return Promise.reject(new NetworkError('E_MC_PASSWORD', 'another password', { details }))
      }
      const details = { format: 'encrcdsa', field: 'passphrase', offset: 0, path }
      return Promise.reject(new FormatError('E_SRC_PASSWORD', 'another password', { details }))
    },
    watchFetch(watch) {
      fetching = watch
      return {
        [Symbol.dispose]: () => {
          fetching = null
        },
      }
    },
    capacityOf: () => stage.capacityOf?.() ?? Promise.resolve(null),
    startImageTask: (task) => {
      tasks.push(task)
      return run(stage.task ?? [])
    },
    planRestore: (request) => {
      requests.push(request)
      const { plan: given } = stage
      return typeof given === 'function' ? given(request) : Promise.resolve(given ?? plan({ request }))
    },
    startRestore: () => {
      counts.startedJobs += 1
      return stage.job?.({ interrupt }) ?? run(stage.states ?? happyStates())
    },
  }
  function run(states: readonly JobState[]): RunningJob {
    const final = states.at(-1) ?? state({})
    return {
      subscribe: (listener) => {
        for (const each of states) listener(each)
      },
      cancel: () => {
        counts.cancels += 1
        return Promise.resolve(final)
      },
      ended: Promise.resolve(final),
    }
  }
  const status = await main(argv, context)
  return { status, ...printed, ...counts, requests, tasks, unlocks }
}

export const restoreArgs = ['restore', '--source', 'a.dmg', '--target', '/dev/sdb', '--erase'] as const

export function disk(changes: Partial<Disk> = {}): Disk {
  return {
    path: '/dev/sdb',
    identity: 'usb-1|4C53|64000000000',
    name: 'SanDisk Ultra',
    vendor: 'SanDisk',
    model: 'Ultra',
    serial: '4C53',
    sizeBytes: 64_000_000_000,
    logicalBlockBytes: 512,
    bus: 'usb',
    removable: true,
    internal: false,
    readOnly: false,
    partitionMap: 'gpt',
    volumes: [
      {
        path: '/dev/sdb1',
        index: 1,
        offset: 1_048_576,
        sizeBytes: 63_998_951_424,
        filesystem: 'vfat',
        label: 'UNTITLED',
        uuid: null,
        partitionType: 'Microsoft basic data',
        mountPoints: ['/media/anna/UNTITLED'],
        usedBytes: 12_000_000,
        readOnly: false,
      },
    ],
    protection: null,
    backingFile: null,
    practice: false,
    busy: false,
    ...changes,
  }
}

export function image(changes: Partial<ImageInfo> = {}): ImageInfo {
  return {
    path: '/home/anna/a.dmg',
    name: 'a.dmg',
    format: 'UDZO',
    storedBytes: 5_100_000_000,
    sizeBytes: 14_200_000_000,
    modifiedMs: Date.UTC(2026, 4, 12),
    encrypted: null,
    segmentCount: 1,
    partitionMap: 'gpt',
    partitions: [
      {
        index: 1,
        name: 'disk image',
        type: 'Apple HFS',
        offset: 20_480,
        sizeBytes: 14_199_900_000,
        filesystem: 'hfsplus',
        label: 'System',
      },
    ],
    tables: [
      {
        name: 'disk image (Apple_HFS : 1)',
        id: 0,
        firstSector: 40,
        sectorCount: 27_734_179,
        runCount: 54_168,
        checksum: { algorithm: 'CRC-32', value: '1a2b3c4d' },
      },
    ],
    runCounts: { zero: 12, zlib: 54_156 },
    dataBytes: 12_000_000_000,
    dataForkChecksum: { algorithm: 'CRC-32', value: '00c0ffee' },
    masterChecksum: { algorithm: 'CRC-32', value: 'deadbeef' },
    inOrder: true,
    scan: null,
    ...changes,
  }
}

export function target(changes: Partial<TargetInfo> = {}): TargetInfo {
  return {
    kind: 'disk',
    path: '/dev/sdb',
    name: 'SanDisk Ultra',
    sizeBytes: 64_000_000_000,
    bus: 'usb',
    identity: 'usb-1|4C53|64000000000',
    mountPoints: ['/media/anna/UNTITLED'],
    disk: disk(),
    ...changes,
  }
}

const request = restoreRequest({ source: '/home/anna/a.dmg', target: '/dev/sdb' })

export function plan(changes: Partial<RestorePlan> = {}): RestorePlan {
  return {
    planId: 'plan-1',
    request,
    source: { kind: 'image', locator: '/home/anna/a.dmg', name: 'a.dmg', image: image() },
    target: target(),
    checks: [
      { step: 'target', state: 'ok', kind: 'target-ok', name: 'SanDisk Ultra', sizeBytes: 64_000_000_000 },
      { step: 'source', state: 'ok', kind: 'source-ok', name: 'a.dmg', format: 'UDZO', checksums: 'inside' },
      {
        step: 'sizes',
        state: 'ok',
        kind: 'fits',
        neededBytes: 14_200_000_000,
        availableBytes: 64_000_000_000,
      },
    ],
    losses: [
      {
        kind: 'volume',
        name: 'UNTITLED',
        path: '/dev/sdb1',
        filesystem: 'vfat',
        sizeBytes: 63_998_951_424,
        usedBytes: 12_000_000,
        mountPoints: ['/media/anna/UNTITLED'],
      },
    ],
    confirmation: { kind: 'plain' },
    refusal: null,
    needsPrivilege: false,
    ...changes,
  }
}

export const summary: RestoreSummary = {
  restoredBytes: 14_200_000_000,
  writtenBytes: 12_000_000_000,
  zeroedBytes: 2_000_000_000,
  skippedBytes: 200_000_000,
  unchangedBytes: 0,
  durationMs: 130_000,
  bytesPerSecond: 142_000_000,
  verified: true,
  checksum: '1a2b3c4d',
  mountPoints: ['/media/anna/System'],
  ejected: false,
  remounted: true,
  warnings: [],
}

export interface At {
  /** The current phase; those before it are done. Null: all are. */
  readonly phase?: JobPhase | null
  readonly percent?: number | null
  readonly doneBytes?: number
  readonly skipped?: readonly JobPhase[]
  readonly outcome?: JobOutcome | null
}

/** A job's state in asr's phases. */
export function state({
  phase = null,
  percent = 0,
  doneBytes = 0,
  skipped = [],
  outcome = null,
}: At): JobState {
  const current = phase === null ? jobPhases.length : jobPhases.indexOf(phase)
  const broken = outcome?.kind === 'failed' ? 'failed' : 'skipped'
  return {
    jobId: 'job-1',
    kind: 'restore',
    plan: null,
    title: 'a.dmg → SanDisk Ultra',
    source: '/images/a.dmg',
    startedMs: 0,
    endedMs: outcome === null ? null : 100_000,
    stopping: false,
    phases: jobPhases.map((each, index) => ({
      phase: each,
      state: skipped.includes(each)
        ? 'skipped'
        : index < current
          ? 'done'
          : index > current
            ? outcome === null
              ? 'pending'
              : 'skipped'
            : outcome === null
              ? 'current'
              : broken,
      durationMs: null,
    })),
    progress:
      phase === null
        ? null
        : {
            phase,
            doneBytes,
            totalBytes: percent === null ? null : 14_200_000_000,
            percent,
            bytesPerSecond: 100_000_000,
            remainingMs: 1000,
            limitedBy: 'destination',
            stall: null,
            stream: null,
          },
    outcome,
  }
}

/** Restored, verified, remounted. */
export function happyStates(changes: Partial<RestoreSummary> = {}): readonly JobState[] {
  return [
    state({ phase: 'unmounting' }),
    state({ phase: 'restoring', percent: 0 }),
    state({ phase: 'restoring', percent: 37 }),
    state({ phase: 'restoring', percent: 99 }),
    state({ phase: 'verifying', percent: 0 }),
    state({ phase: 'verifying', percent: 51 }),
    state({ phase: 'remounting' }),
    state({ outcome: { kind: 'done', summary: { ...summary, ...changes } } }),
  ]
}
