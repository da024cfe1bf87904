/**
 * The destination of a running restore, apart from its bytes: unmounting, the one exclusive handle, and in what state it
 * is left, whatever happened.
 */
import type { BlockSink } from '#engine/block-io'
import type { MountedVolume } from '#engine/platform'
import { DeviceError, serializeError, type SerializedError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { RestoreRequest, TargetState } from '#shared/model'
import { blankEnds, diskEnds } from './disk-ends.ts'
import {
  fileIdentity,
  sameFile,
  type DeviceTarget,
  type ExaminedTarget,
  type FileTarget,
} from './examine-target.ts'
import type { RestoreDeps } from './restore-deps.ts'
import type { FileFacts } from './restore-io.ts'
import { isStillThere } from './still-there.ts'

/** Calls come in this order: unmount, open; then settle after success, or after failure blank and abandon, or keep. */
export interface RestoreTarget {
  /** What the source may take up at most; null: as much as it wants. */
  readonly capacityBytes: number | null
  /** A file keeps this size however large the source is. */
  readonly fixedBytes: number | null
  /** Something of it was unmounted: it may have been written to until then. */
  readonly wasMounted: boolean
  /** Throws DeviceError E_DST_BUSY. */
  unmount(signal: AbortSignal): Promise<void>
  /**
   * The one handle, exclusive, of what the plan was made for: that is checked last, with the handle in hand. Throws
   * DeviceError E_DST_CHANGED, E_DST_GONE, E_DST_BUSY, E_DST_READONLY, E_DENIED.
   */
  open(signal: AbortSignal): Promise<BlockSink>
  /**
   * The handle is open: does the path still lead to what it is of? Throws DeviceError E_DST_CHANGED for a file that was deleted or
   * replaced meanwhile, of which a handle shows nothing, or cut shorter, and for another card in the same slot; E_DST_GONE.
   */
  checkStillThere(): Promise<void>
  /**
   * All went well, and the handle is closed. Never throws: what doesn't work now is a warning, and so is what was left when the signal
   * stopped it.
   */
  settle(afterwards: RestoreRequest['afterwards'], signal: AbortSignal): Promise<Settled>
  /**
   * It failed or was cancelled, something was written, and the handle, `sink`, is still open: what is there looks like a disk to
   * nobody any more. Never throws.
   */
  blank(sink: BlockSink): Promise<void>
  /** It failed or was cancelled, and the handle is closed. Never throws; the signal ends the mounting of what was unmounted, and what it left is told. */
  abandon(written: 'nothing' | 'something', signal: AbortSignal): Promise<Left>
  /** It failed, the handle is closed, and what was written stays, to be gone on with. Never throws. */
  keep(): Promise<TargetState>
}

/** `warnings`: what could not be mounted again. */
export interface Left {
  readonly state: TargetState
  readonly warnings: readonly SerializedError[]
}

export interface Settled {
  readonly mountPoints: readonly string[]
  readonly ejected: boolean
  readonly remounted: boolean
  readonly warnings: readonly SerializedError[]
  /** File systems that this computer can't mount. Absent: none that is known. */
  readonly unreadable?: readonly string[]
}

export function holdTarget(examined: ExaminedTarget, deps: RestoreDeps, log: Logger): RestoreTarget {
  return examined.kind === 'device' ? holdDevice(examined, deps, log) : holdFile(examined, deps, log)
}

/** `kind` is the target's, as far as it makes a difference. */
export const changedTarget = (path: string, kind: 'device' | 'file') =>
  new DeviceError('E_DST_CHANGED', `${path} isn't what it was when the plan was made`, {
    details: { path, kind },
  })

/** It is what was planned for, and something else is on it now: somebody writes to it, or has. */
export const changedContents = (path: string, kind: 'device' | 'file') =>
  new DeviceError('E_DST_CHANGED', `what is on ${path} has changed since the plan was made`, {
    details: { path, kind, what: 'contents' },
  })

const replacedFile = (path: string) =>
  new DeviceError('E_DST_CHANGED', `${path} was deleted or replaced while it was written`, {
    details: { path, kind: 'file', when: 'writing' },
  })

const cutFile = (path: string) =>
  new DeviceError('E_DST_CHANGED', `${path} was cut shorter while it was written`, {
    details: { path, kind: 'file', when: 'writing', what: 'size' },
  })

function holdDevice(target: DeviceTarget, { platform, io }: RestoreDeps, log: Logger): RestoreTarget {
  const { disk, volume, info, sizeBytes } = target
  const { path } = info
  let before: readonly MountedVolume[] = []
  let wasMounted = false
  const leftUnmounted: SerializedError[] = []
  const ofReading: SerializedError[] = []

  async function remount(signal?: AbortSignal): Promise<{
    mountPoints: readonly string[]
    warnings: readonly SerializedError[]
  }> {
    try {
      const { mountPoints, errors } = await platform.remount(path, before, signal)
      return { mountPoints, warnings: errors.map((error) => serializeError(error)) }
    } catch (error) {
      return { mountPoints: [], warnings: [serializeError(error)] }
    }
  }
  const warn = (error: DeviceError) => {
    ofReading.push(serializeError(error))
  }
  const takeOut = (signal?: AbortSignal): Promise<readonly MountedVolume[]> =>
    platform.unmount(path, signal, (errors) => {
      for (const error of errors) leftUnmounted.push(serializeError(error))
    })
  /** A desktop may have mounted it again in the moment between; then once more, and no more than that. */
  async function unmounted<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      DeviceError.accept(error)
      if (error.code !== 'E_DST_BUSY') throw error
      const mounted = await takeOut(signal)
      if (mounted.length === 0) throw error
      wasMounted = true
      // What had been mounted comes back where it was; only what hadn't been is new.
      before = [...before, ...mounted.filter((each) => !isAmong(before, each))]
      log.info('unmounted again what was mounted meanwhile', { path })
      return work()
    }
  }
  /** The new partition map's nodes. A partition has none. */
  async function reread(signal?: AbortSignal): Promise<readonly SerializedError[]> {
    if (volume !== null) return []
    return attempt(() => platform.rereadPartitions(path, signal), { left: 'reread', path, signal })
  }
  /** Also as long as it is held open: the slot of a card reader stays the same device with another card. */
  async function checkSame(signal = AbortSignal.any([])): Promise<void> {
    if ((await platform.identify(disk.path)) !== disk.identity) throw changedTarget(path, 'device')
    // Where nothing holds it, somebody may have drawn other partitions.
    if (volume !== null && !(await isStillThere(path, volume, platform, signal)))
      throw changedTarget(path, 'device')
  }
  /** It was pulled out, now that nothing holds it, and what is at its place isn't ours to mount or to eject. Null: it is there. */
  async function findGone(): Promise<SerializedError | null> {
    const identity = await platform.identify(disk.path).catch(() => null)
    if (identity === disk.identity) return null
    const details = { path, left: 'settled' }
    return serializeError(
      new DeviceError('E_DST_GONE', `${path} was disconnected when it was done`, { details }),
    )
  }
  /** Only to explain why nothing is mounted: where it can't be found out, nothing is missing. */
  async function lookUnreadable(signal?: AbortSignal): Promise<readonly string[]> {
    try {
      signal?.throwIfAborted()
      return await platform.unreadable(path, signal)
    } catch (error) {
      log.warn('what can be read here was not found out', { path, error: serializeError(error) })
      return []
    }
  }
  /** The handle is closed, and the failure may be that the disk was pulled out: what is there now may be another. */
  async function makeEmpty(): Promise<'empty' | 'wiped'> {
    await checkSame()
    const how = await platform.makeEmpty(path, volume?.filesystem ?? null, () => checkSame())
    log.info('the destination was left empty', { path, how })
    return how === 'wiped' ? 'wiped' : 'empty'
  }
  /** A partition was all that was asked for: what else of its disk is mounted by now stays mounted. Throws E_DST_BUSY. */
  async function checkOthers(signal: AbortSignal): Promise<void> {
    const now = await platform.resolve(disk.path, signal)
    const volumes = 'disk' in now ? now.disk.volumes : []
    const others = volumes.filter((each) => each.path !== path).flatMap((each) => each.mountPoints)
    if (others.length > 0) throw othersMounted(disk.path, others)
  }
  async function eject(signal: AbortSignal): Promise<Settled> {
    const letGo = async () => {
      if (volume !== null) await checkOthers(signal)
      await platform.eject(disk.path, signal)
    }
    const warnings = await attempt(letGo, { left: 'eject', path: disk.path, signal })
    // It stays, so that whoever looks at it next should see what is on it now.
    const rereadWarnings = warnings.length > 0 ? await reread(signal) : []
    return {
      mountPoints: [],
      ejected: warnings.length === 0,
      remounted: false,
      warnings: [...ofReading, ...warnings, ...rereadWarnings],
    }
  }

  return {
    capacityBytes: sizeBytes,
    fixedBytes: null,
    get wasMounted() {
      return wasMounted
    },
    async unmount(signal) {
      before = await takeOut(signal)
      wasMounted = before.length > 0
    },
    async open(signal) {
      const sink = await unmounted(() => io.openDeviceSink(path, warn), signal)
      try {
        if (sink.sizeBytes !== sizeBytes) throw changedTarget(path, 'device')
        await checkSame(signal)
        return sink
      } catch (error) {
        await sink[Symbol.asyncDispose]()
        throw error
      }
    },
    checkStillThere: () => checkSame(),
    async settle(afterwards, signal) {
      const gone = await findGone()
      if (gone !== null) return { mountPoints: [], ejected: false, remounted: false, warnings: [gone] }
      if (afterwards === 'eject') return eject(signal)
      const rereadWarnings = await reread(signal)
      const left = await remount(signal)
      // A copy that nothing here can read is as good as any other: that isn't a warning.
      const unread = left.warnings.map(unreadFilesystem)
      const warnings = [...rereadWarnings, ...left.warnings.filter((_, at) => unread[at] === null)]
      const unreadable = [...new Set([...unread, ...(await lookUnreadable(signal))])].filter(
        (filesystem) => filesystem !== null,
      )
      return {
        mountPoints: left.mountPoints,
        ejected: false,
        remounted: warnings.length === 0,
        warnings: [...ofReading, ...warnings],
        ...(unreadable.length === 0 ? {} : { unreadable }),
      }
    },
    async blank(sink) {
      try {
        await checkSame()
        await blankEnds(sink, diskEnds(sink, sizeBytes))
      } catch (error) {
        log.warn('the ends of the destination could not be blanked', { path, error: serializeError(error) })
      }
    },
    async abandon(written, signal) {
      if (written === 'nothing') {
        if (wasMounted && (await findGone()) !== null) return { state: 'untouched', warnings: leftUnmounted }
        const { warnings } = await remount(signal)
        return { state: 'untouched', warnings: [...leftUnmounted, ...warnings] }
      }
      try {
        return { state: await unmounted(makeEmpty), warnings: [] }
      } catch (error) {
        // It is empty, and somebody has an old partition open.
        if (error instanceof DeviceError && error.details['left'] === 'reread')
          return { state: 'empty', warnings: [serializeError(error)] }
        log.error('the destination could not be left empty', { path, error: serializeError(error) })
        return { state: 'incomplete', warnings: [] }
      }
    },
    async keep() {
      // The system knows the partitions of before, and would let them be mounted over what came.
      for (const error of await reread())
        log.warn('the old partitions could not be forgotten', { path, error })
      return 'kept'
    },
  }
}

const isAmong = (volumes: readonly MountedVolume[], { devicePath }: MountedVolume) =>
  volumes.some((each) => each.devicePath === devicePath)

/** The file system of a volume that wasn't mounted because this computer has no driver for it; null: there was another reason. */
const unreadFilesystem = ({ details }: SerializedError): string | null =>
  details['why'] === 'unreadable' && typeof details['filesystem'] === 'string' ? details['filesystem'] : null

/** A mistake of ours is told as one, and doesn't make a failure of what is restored: that would be erased. */
async function attempt(
  work: () => Promise<void>,
  {
    signal,
    left,
    path,
  }: { readonly signal: AbortSignal | undefined; readonly left: 'reread' | 'eject'; readonly path: string },
): Promise<readonly SerializedError[]> {
  try {
    signal?.throwIfAborted()
    await work()
    return []
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason) return [serializeError(leftUndone(error, left))]
    const details = { path, left, why: 'stopped' }
    return [serializeError(new DeviceError('E_DEVICE_TOOL', `${left} of ${path} was stopped`, { details }))]
  }
}

/** What kept it from being done says of itself only that the disk is in use: that something wasn't done because of it is the news. */
function leftUndone(cause: unknown, left: 'reread' | 'eject'): unknown {
  if (!(cause instanceof DeviceError) || (cause.code !== 'E_DST_BUSY' && cause.code !== 'E_DEVICE_TOOL'))
    return cause
  const details = { ...cause.details, left }
  return new DeviceError(cause.code, cause.message, { details, cause, transient: cause.transient })
}

const othersMounted = (path: string, holders: readonly string[]) =>
  new DeviceError('E_DST_BUSY', `${path} has other volumes in use`, { details: { path, holders } })

/**
 * A disk in a file. After a failure a file that we created is gone again, and one that was there is left with nothing
 * in it: a torn image that looks like a whole one would be worse than none.
 */
function holdFile(target: FileTarget, { io }: RestoreDeps, log: Logger): RestoreTarget {
  const { info, facts, fixedBytes } = target
  const { path } = info
  let opened: FileFacts | null = null
  /** What is past its end reads as zeros: who cuts it off would go unnoticed where zeros are expected. */
  let leastBytes = 0
  const withEnd = (sink: BlockSink): BlockSink => ({
    path: sink.path,
    sizeBytes: sink.sizeBytes,
    alignmentBytes: sink.alignmentBytes,
    write: (bytes, offset) => sink.write(bytes, offset),
    zero: (offset, lengthBytes, signal, onPiece) => sink.zero(offset, lengthBytes, signal, onPiece),
    discard: (offset, lengthBytes, signal, onPiece) => sink.discard(offset, lengthBytes, signal, onPiece),
    flush: () => sink.flush(),
    read: (into, offset) => sink.read(into, offset),
    async finish(sizeBytes) {
      leastBytes = Math.min(leastBytes, sizeBytes)
      await sink.finish(sizeBytes)
      leastBytes = sizeBytes
    },
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  })

  return {
    capacityBytes: fixedBytes,
    fixedBytes,
    wasMounted: false,
    unmount: async () => undefined,
    async open() {
      const sink = await io.openFileSink(path, facts === null ? 'create' : 'overwrite')
      try {
        opened = await io.readFacts(path)
        if (opened === null || (facts !== null && fileIdentity(path, opened) !== info.identity))
          throw changedTarget(path, 'file')
        leastBytes = opened.sizeBytes
        return withEnd(sink)
      } catch (error) {
        await sink[Symbol.asyncDispose]()
        throw error
      }
    },
    async checkStillThere() {
      const now = await io.readFacts(path)
      if (now === null || opened === null || !sameFile(now, opened)) throw replacedFile(path)
      if (now.sizeBytes < leastBytes) throw cutFile(path)
    },
    // It is cut to nothing in a moment, and no system mounts it by itself.
    blank: async () => undefined,
    settle: async () => ({ mountPoints: [], ejected: false, remounted: false, warnings: [] }),
    async abandon(written) {
      const left = (state: TargetState): Left => ({ state, warnings: [] })
      if (opened === null) return left('untouched')
      try {
        if (written === 'nothing' && facts !== null) return left('untouched')
        const now = await io.readFacts(path)
        // Whatever took its place meanwhile isn't ours.
        const isOurs = now !== null && sameFile(now, opened)
        if (isOurs && facts === null) await io.remove(path)
        if (isOurs && facts !== null) {
          await io.truncate(path, 0)
          if (fixedBytes !== null) await io.truncate(path, fixedBytes)
        }
        return left(written === 'nothing' ? 'untouched' : 'empty')
      } catch (error) {
        log.error('the destination could not be left empty', { path, error: serializeError(error) })
        return left('incomplete')
      }
    },
    keep: async () => 'kept',
  }
}
