/**
 * A disk or a volume of this machine as what a session streams: as it is, or as an image that is made of its used blocks first.
 * While it is streamed as it is, it belongs to the session: what is mounted on it for writing is unmounted, nobody else may mount it, and
 * at the end it is mounted again.
 */
import { rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  examineDevice,
  holdReleased,
  releaseDevice,
  type ExaminedDevice,
  type RestoreDeps,
} from '#engine/copy'
import { createImage } from '#engine/create'
import type { JobContext } from '#engine/job'
import {
  examineImage,
  makeImageFolder,
  type PreparedSource,
  type ServedSource,
} from '#engine/multicast/server'
import { scanImage } from '#engine/scan'
import { DeviceError, serializeError, UsageError, type Detail } from '#shared/errors'
import type { Logger } from '#shared/log'
import {
  isWebLocator,
  type SessionSettings,
  type SourceInfo,
  type StreamCompression,
  type Volume,
  type WritableFormat,
} from '#shared/model'

export interface DeviceStreamDeps extends RestoreDeps {
  readonly log: Logger
  /** Said in the image's scan: `Reprise 1.2.3`. */
  readonly scannedBy: string
  /** Where images are made. Default: the system's folder for temporary files. */
  readonly folder?: string
}

/**
 * What the settings' source is when it is a disk or a volume; null when it is something else. Throws what stands against reading it:
 * DeviceError E_SRC_IN_USE, E_DENIED, E_NOT_FOUND; UsageError E_USAGE for an image with a compression, which it has already.
 * A device is opened and let go: rights that are lacking are told of before a session is there that can't go on.
 */
export async function examineDeviceStream(
  { source, compression }: Pick<SessionSettings, 'source' | 'compression'>,
  deps: DeviceStreamDeps,
  signal: AbortSignal,
): Promise<PreparedSource | null> {
  if (isWebLocator(source)) return await refuseCompression(compression)
  const found = await deps.platform.resolve(source, signal)
  // A raw file that stands for a disk, as the Practice disk does, is one when it is asked to be.
  const isDevice = found.kind === 'volume' || found.kind === 'disk'
  const mayBe = isDevice || (found.kind === 'file' && compression !== null)
  if (!mayBe) return await refuseCompression(compression)
  const folder = deps.folder ?? tmpdir()
  const device = await examineDevice(source, join(folder, 'stream.dmg'), deps, signal)
  if (device.examined.kind === 'device')
    await (await deps.platform.openSource(device.path))[Symbol.asyncDispose]()
  const name = nameOf(device)
  const level = compression ?? 'balanced'
  return {
    sizeBytes: device.sizeBytes,
    streamBytes: level === 'none' ? device.sizeBytes : null,
    warnings: level === 'none' ? [] : await roomWarnings(source, device, folder),
    imageName: level === 'none' ? `${name}.img` : `${name}.dmg`,
    imageFormat: level === 'none' ? 'raw' : formats[level].format,
    prepare: (context) =>
      level === 'none'
        ? asItIs(device, name, deps, context.signal)
        : asImage(source, name, level, folder, deps, context),
  }
}

/** Measured with 200 MB of programs and texts on two cores: see docs/command-line.md. UDZO is made and read fastest, ULMO is smallest. */
const formats: {
  readonly [level in Exclude<StreamCompression, 'none'>]: {
    readonly format: WritableFormat
    readonly level: number | null
  }
} = {
  speed: { format: 'UDZO', level: 1 },
  balanced: { format: 'UDZO', level: 6 },
  size: { format: 'ULMO', level: 6 },
}

async function asItIs(
  device: ExaminedDevice,
  name: string,
  deps: DeviceStreamDeps,
  signal: AbortSignal,
): Promise<ServedSource> {
  const released = await releaseDevice(device, deps, signal)
  const mountAgain = async () => {
    for (const { code, message } of await released.giveBack())
      deps.log.warn('not mounted again', { code, message })
  }
  const hold = await holdReleased(device, released, deps, signal).catch(async (error: unknown) => {
    await mountAgain()
    throw error
  })
  return {
    bytes: { locator: device.path, stamp: null, kind: 'device', sizeBytes: device.sizeBytes },
    imageName: `${name}.img`,
    imageFormat: 'raw',
    identity: null,
    async release() {
      // Who has received it can't be told any more.
      await hold.checkUnmounted().catch((error: unknown) => {
        const { code, message } = serializeError(error)
        deps.log.warn('changed while it was streamed', { code, message })
      })
      await hold[Symbol.asyncDispose]()
      await mountAgain()
    },
  }
}

interface PrepareContext {
  readonly signal: AbortSignal
  readonly progress: (doneBytes: number, totalBytes: number) => void
}

async function asImage(
  path: string,
  name: string,
  level: Exclude<StreamCompression, 'none'>,
  parent: string,
  deps: DeviceStreamDeps,
  { signal, progress }: PrepareContext,
): Promise<ServedSource> {
  let folder: string | null = null
  const release = async () => {
    if (folder !== null) await rm(folder, { recursive: true, force: true })
  }
  try {
    folder = await makeImageFolder(parent)
    const target = join(folder, `${name}.dmg`)
    const context = jobContext({ signal, progress, log: deps.log })
    const request = { target, ...formats[level], erase: false, encryption: null, volumeName: null }
    // What it warns of is in the log, which is the same.
    await createImage({ ...request, from: { kind: 'device', path } }, deps, context)
    await scanImage({ path: target, reorder: true, allowFragmentedCatalog: true }, context, {
      scannedBy: deps.scannedBy,
    })
    return { ...(await examineImage(target, signal)), release }
  } catch (error) {
    await release()
    throw error instanceof DeviceError && error.code === 'E_DST_FULL'
      ? tooSmall(path, parent, {}, error)
      : error
  }
}

/** How much will be stored of what is used, nobody knows before; that all of it has room is enough to know. */
async function roomWarnings(
  path: string,
  { info, sizeBytes }: ExaminedDevice,
  folder: string,
): Promise<readonly DeviceError[]> {
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  const neededBytes = usedOf(info) ?? sizeBytes
  return freeBytes >= neededBytes ? [] : [tooSmall(path, folder, { freeBytes, neededBytes })]
}

/** Bytes in use, as far as mounted file systems tell; null: nothing does. */
function usedOf(info: SourceInfo): number | null {
  const volumes = volumesOf(info)
  if (volumes.length === 0) return null
  return volumes.reduce((total, { usedBytes, sizeBytes }) => total + (usedBytes ?? sizeBytes), 0)
}

const volumesOf = (info: SourceInfo): readonly Volume[] =>
  info.kind === 'disk' ? info.disk.volumes : info.kind === 'volume' ? [info.volume] : []

/** A warning when it says how much that is. */
const tooSmall = (
  source: string,
  folder: string,
  sizes: { readonly [key: string]: Detail },
  cause?: unknown,
): DeviceError =>
  new DeviceError('E_TMP_FULL', `no room in ${folder} for an image of ${source}`, {
    details: { path: folder, source, ...sizes },
    cause,
  })

/** Making and scanning count one after the other: half of the way each. */
function jobContext({ signal, progress, log }: PrepareContext & { readonly log: Logger }): JobContext {
  let totalBytes = 0
  let phase: 'creating' | 'scanning' | null = null
  return {
    signal,
    log,
    enter(entered, bytes = null) {
      phase = entered === 'creating' || entered === 'scanning' ? entered : null
      totalBytes = bytes ?? 0
    },
    skip: () => undefined,
    advance(doneBytes) {
      if (phase !== null) progress(phase === 'creating' ? doneBytes : totalBytes + doneBytes, totalBytes * 2)
    },
    limitedBy: () => undefined,
    stalled: () => undefined,
    streamed: () => undefined,
    changed: () => undefined,
  }
}

/** A volume's own name, or the device's: `sdb`. Never with what a file's name can't hold. */
function nameOf({ info, path }: ExaminedDevice): string {
  const label = info.kind === 'volume' ? info.volume.label : null
  const name = label ?? path.replace(/^.*[\\/]/, '').replace(/\.(img|raw|dd|bin)$/i, '')
  const clean = name.replaceAll(/[\p{Cc}\p{Cf}\\/:*?"<>|]/gu, '-').replace(/^\.+/, '')
  return clean.slice(0, 60) || 'disk'
}

/** An image is streamed as it is. */
async function refuseCompression(compression: StreamCompression | null): Promise<null> {
  if (compression === null) return null
  throw new UsageError('E_USAGE', 'an image is streamed as it is', {
    details: {
      input: '--compression',
      problem: 'An image is streamed with the compression that it has.',
      hint: 'Leave --compression out, or convert the image with reprise image convert.',
    },
  })
}
