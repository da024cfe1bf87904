/**
 * A device that is read to make an image of it. The rules are those of a restore's source: what this computer runs from isn't
 * read while it is mounted for writing, other volumes are unmounted and mounted again afterwards, and the image mustn't be
 * stored on what it is made of. A raw image that stands for a disk, as the Practice disk does, counts as a device.
 */
import { AlignedFile } from '#engine/block-io'
import type { ExtentLayout, ImageLayout } from '#engine/formats/extents'
import type { ReadDisk } from '#engine/formats/struct'
import { corrupt } from '#engine/formats/struct'
import type { BlockStream } from '#engine/pipeline'
import { FormatError, UsageError } from '#shared/errors'
import type { SourceInfo } from '#shared/model'
import { bufferSizes } from './buffer-sizes.ts'
import { examineSource, factsIdentity, type HeldSource } from './examine-source.ts'
import { findOverlap } from './find-overlap.ts'
import type { RestoreDeps } from './restore-deps.ts'
import { checkUnmounted, refuseMounted } from './mounted-meanwhile.ts'
import { checkSameSource, deviceLayout } from './restore-source.ts'
import { changedSource } from './source-changed.ts'
import { unmountSource, type ReleasedSource } from './source-volumes.ts'

/** What may be read, as long as it isn't opened. */
export interface ExaminedDevice {
  readonly info: SourceInfo
  readonly path: string
  readonly sizeBytes: number
  /** Must be unmounted while it is read. */
  readonly mountPoints: readonly string[]
  readonly examined: HeldSource
}

/** Unmounted, and held as far as others let it be. */
export interface ReleasedHold extends AsyncDisposable {
  /** After the reading, and before anything is mounted again: nobody mounted it for writing. Throws DeviceError E_SRC_CHANGED. */
  checkUnmounted(signal?: AbortSignal): Promise<void>
}

/** Unmounted, held open. Disposing lets go of it, and mounts nothing. */
export interface DeviceReading extends ReleasedHold {
  /** Any stretch inside, whatever the device wants to be aligned. */
  readonly readDisk: ReadDisk
  /**
   * Rows of a layout to be streamed begin and end at multiples of it, but for the end of the device. Where the system refuses direct
   * reading they go through its cache, which reads whole pages: a bad sector beside one fails there, too.
   */
  readonly sectorBytes: number
  /** In which maps on it count; undefined for a file, which doesn't say. */
  readonly blockBytes: number | undefined
  /** All of it as one raw row; others may have less. */
  readonly layout: ExtentLayout
  openStream(layout: ImageLayout, signal: AbortSignal): Promise<BlockStream>
}

/**
 * What stands behind `locator`, to be read into the file `target`. Throws what stands against it: DeviceError E_NOT_FOUND,
 * E_SRC_IN_USE, E_DENIED; UsageError E_SAME when the file would lie on it, E_USAGE for what is an image already.
 */
export async function examineDevice(
  locator: string,
  target: string,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<ExaminedDevice> {
  const { source, errors } = await examineSource({ source: locator }, deps, signal)
  const [error] = errors
  if (error instanceof FormatError && error.details.field === 'kind') throw notADevice(locator, error)
  if (source === null || error !== undefined) throw error ?? new Error('no source and no reason')
  const { sizeBytes } = source
  if (source.kind === 'stream' || (source.kind === 'image' && !isRawDisk(source))) throw isImage(locator)
  if (sizeBytes === null) throw isImage(locator)
  const facts = await deps.io.readFacts(target)
  const file = {
    kind: 'file',
    info: { ...targetInfo, path: target, name: target },
    facts,
    fixedBytes: null,
    roomBytes: 0,
  } as const
  const overlap = await findOverlap(source, file, deps)
  if (overlap !== null) throw overlap
  const path = source.kind === 'device' ? source.path : (source.files[0]?.path ?? locator)
  const mountPoints = source.kind === 'device' ? source.mountPoints : []
  return { info: source.info, path, sizeBytes, mountPoints, examined: source }
}

const targetInfo = {
  kind: 'file',
  sizeBytes: null,
  bus: 'file',
  identity: '',
  mountPoints: [],
  disk: null,
} as const

/** A small image of another format may consist of one stretch, too: it isn't the disk byte by byte. */
function isRawDisk({ info, layout }: { readonly info: SourceInfo; readonly layout: ImageLayout }): boolean {
  if (info.kind !== 'image' || info.image.format !== 'raw') return false
  return layout.kind === 'extents' && layout.parts.length === 1 && layout.extents.count === 1
}

/** A folder, a pipe, … */
function notADevice(locator: string, cause: FormatError): UsageError {
  const { found } = cause.details
  const problem = `'${locator}' is ${typeof found === 'string' ? found : 'something else'}, and no disk.`
  const hint = 'Name a /dev entry or a mount point. --folder makes an image of what is in a folder.'
  return new UsageError('E_USAGE', problem, { details: { input: 'source', problem, hint }, cause })
}

function isImage(locator: string): UsageError {
  const problem = `'${locator}' is an image already.`
  const hint = 'Use convert to write it in another format.'
  return new UsageError('E_USAGE', problem, { details: { input: 'source', problem, hint } })
}

/**
 * Unmount what is mounted on it for writing. `giveBack` mounts it again and tells what didn't work, to be called when the reading was
 * disposed. Throws DeviceError E_SRC_IN_USE.
 */
export async function releaseDevice(
  { examined }: ExaminedDevice,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<ReleasedSource> {
  return await unmountSource(examined, deps, signal)
}

/**
 * As long as it is held nobody mounts it, or takes it for themselves; others who read it already are let be. A file that stands for a disk
 * is nothing that could be mounted, and what is mounted read-only stays so, and can't be held. Throws what `RestoreIo.holdDevice` throws,
 * DeviceError E_SRC_IN_USE where it isn't held and was mounted for writing meanwhile, the signal's reason.
 */
export async function holdReleased(
  { examined, path }: ExaminedDevice,
  { canBeHeld }: ReleasedSource,
  { platform, io }: RestoreDeps,
  signal: AbortSignal,
): Promise<ReleasedHold> {
  await using held = new AsyncDisposableStack()
  const isDevice = examined.kind === 'device'
  const isAlone = isDevice && held.use(await io.holdDevice(path, { alone: canBeHeld, signal })).isAlone
  const unheld = isAlone || !isDevice ? null : examined
  if (unheld !== null) await refuseMounted(unheld, platform, signal)
  const owned = held.move()
  return {
    async checkUnmounted(until) {
      if (unheld !== null) await checkUnmounted(unheld, platform, until)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Open what was released, and hold it. Throws DeviceError E_SRC_IN_USE, E_DENIED, E_SRC_CHANGED, E_SRC_GONE; the signal's reason. */
export async function openDeviceReading(
  device: ExaminedDevice,
  released: ReleasedSource,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<DeviceReading> {
  const { platform, io } = deps
  const { examined, path, sizeBytes } = device
  await using held = new AsyncDisposableStack()
  const hold = held.use(await holdReleased(device, released, deps, signal))
  let fd: number
  let alignmentBytes: number
  let blockBytes: number | undefined
  if (examined.kind === 'device') {
    const opened = held.use(await platform.openSource(path))
    if (opened.sizeBytes !== sizeBytes) throw changedSource(path)
    await checkSameSource(examined, platform, signal)
    fd = opened.fd
    blockBytes = opened.abilities.logicalBlockBytes
    alignmentBytes = opened.direct ? blockBytes : 1
  } else {
    const file = held.use(await io.holdFile(path))
    const was = examined.files[0]
    if (was === undefined || factsIdentity(file.facts) !== factsIdentity(was)) throw changedSource(path)
    fd = file.fd
    alignmentBytes = 1
  }
  const reader = new AlignedFile({ fd, path, alignmentBytes, pastEnd: 'error' })
  held.defer(() => reader.idle())
  const { buffers, bufferBytes, uncompressed } = bufferSizes(defaultBuffering)
  const sectorBytes = Math.max(512, alignmentBytes)
  const owned = held.move()
  return {
    sectorBytes,
    blockBytes,
    layout: deviceLayout(path, sizeBytes),
    async readDisk(offset, lengthBytes) {
      if (!(offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= sizeBytes))
        throw corrupt({
          format: 'disk',
          field: 'offset',
          offset,
          found: lengthBytes,
          expected: `within ${sizeBytes}`,
        })
      const bytes = new Uint8Array(lengthBytes)
      await reader.read(bytes, offset)
      return bytes
    },
    openStream: (layout, signal) =>
      io.openStream(layout, {
        buffers,
        bufferBytes,
        uncompressed,
        alignmentBytes: sectorBytes,
        openFiles: new Map([[path, fd]]),
        hashes: null,
        signal,
      }),
    checkUnmounted: (until) => hold.checkUnmounted(until),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const defaultBuffering = { buffers: null, bufferBytes: null, csumBuffers: null, csumBufferBytes: null }
