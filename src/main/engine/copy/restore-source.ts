/**
 * The source of a running restore: its files or its device held open, known to be what the plan saw, and readable as a
 * stream as often as needed. Volumes that were mounted for writing are unmounted before, and mounted again after.
 */
import {
  allocateExtentTable,
  kindIndex,
  vouchForAll,
  type ExtentLayout,
  type ImageLayout,
} from '#engine/formats/extents'
import { HashedBlocks, type BlockStream, type DiskChecker, type HashDemand } from '#engine/pipeline'
import { isWebLocator } from '#shared/model'
import type { BufferSizes } from './buffer-sizes.ts'
import { factsIdentity, type DeviceSource, type HeldSource, type ImageSource } from './examine-source.ts'
import { isStillThere } from './still-there.ts'
import { narrowLayout } from './narrow-layout.ts'
import { checkUnmounted, refuseMounted } from './mounted-meanwhile.ts'
import type { RestoreDeps } from './restore-deps.ts'
import type { RestoreIo, StreamOptions } from './restore-io.ts'
import { changedSource, changedWhileRead } from './source-changed.ts'
import type { ReleasedSource } from './source-volumes.ts'

export interface RestoreSource extends AsyncDisposable {
  /** For messages. */
  readonly path: string
  /** Null when only reading it all would tell. */
  readonly sizeBytes: number | null
  /** It can be compared with itself in the verify: a device. */
  readonly isDevice: boolean
  readonly layout: ImageLayout
  /** `layout`: another one, of the same files. `hashes`: what its blocks are compared with as they come. */
  openStream(options: {
    readonly alignmentBytes: number
    readonly signal: AbortSignal
    readonly layout?: ImageLayout
    readonly hashes?: Omit<HashDemand, 'path'> | null
  }): Promise<BlockStream>
  /** A stream in which all but this stretch is unused. */
  openStretch(
    stretch: { readonly offset: number; readonly lengthBytes: number },
    signal: AbortSignal,
  ): Promise<BlockStream>
  createChecker(): DiskChecker | null
  /**
   * What each block is compared with before it is written, where it came over a network and the image was scanned; else null.
   * From a file here it would cost more than it is worth: the verify reads what was written. Throws FormatError.
   */
  readArrivalHashes(signal: AbortSignal): Promise<HashedBlocks | null>
  /** What is on servers is still what was examined, and they still give it. Throws DeviceError E_SRC_CHANGED, NetworkError. */
  askServers(signal: AbortSignal): Promise<void>
  /** After the copy: nobody wrote to the files meanwhile, or mounted the device for writing. Throws DeviceError E_SRC_CHANGED. */
  checkUnchanged(): Promise<void>
}

/** Open what was examined; a device is held for itself where it can be. Throws DeviceError E_SRC_CHANGED when it isn't that any more, and what opening throws. */
export async function openRestoreSource(
  examined: HeldSource,
  { canBeHeld }: Pick<ReleasedSource, 'canBeHeld'>,
  { platform, io }: RestoreDeps,
  sizes: BufferSizes,
  signal: AbortSignal,
): Promise<RestoreSource> {
  await using held = new AsyncDisposableStack()
  const openFiles = new Map<string, number>()
  let layout: ImageLayout
  let unheld: DeviceSource | null = null
  if (examined.kind === 'image') {
    layout = examined.layout
    for (const facts of examined.files) {
      const file = await io.holdFile(facts.path)
      held.use(file)
      openFiles.set(facts.path, file.fd)
      if (factsIdentity(file.facts) !== factsIdentity(facts)) throw changedSource(facts.path)
    }
  } else {
    const device = await io.holdDevice(examined.path, { alone: canBeHeld, signal })
    held.use(device)
    openFiles.set(examined.path, device.fd)
    if (device.sizeBytes !== examined.sizeBytes) throw changedSource(examined.path)
    await checkSameSource(examined, platform, signal)
    if (!device.isAlone) {
      await refuseMounted(examined, platform, signal)
      unheld = examined
    }
    layout = deviceLayout(examined.path, examined.sizeBytes)
  }
  const { buffers, bufferBytes, uncompressed } = sizes
  const path = examined.kind === 'image' ? examined.info.locator : examined.path
  const open = (from: ImageLayout, more: Pick<StreamOptions, 'alignmentBytes' | 'hashes' | 'signal'>) =>
    io.openStream(from, { buffers, bufferBytes, uncompressed, openFiles, ...more })
  const owned = held.move()
  return {
    path,
    sizeBytes: examined.sizeBytes,
    isDevice: examined.kind === 'device',
    layout,
    openStream: ({ alignmentBytes, signal, layout: other, hashes = null }) =>
      open(other ?? layout, {
        alignmentBytes: Math.max(alignmentBytes, minimumAlignment),
        hashes: hashes === null ? null : { ...hashes, path },
        signal,
      }),
    openStretch: ({ offset, lengthBytes }, signal) =>
      open(narrowLayout(layout, offset, lengthBytes), {
        alignmentBytes: minimumAlignment,
        hashes: null,
        signal,
      }),
    createChecker: () => io.createChecker(layout),
    readArrivalHashes: async (signal) => {
      if (examined.kind !== 'image' || layout.kind !== 'extents' || examined.info.kind !== 'image')
        return null
      // Those of a scan are of the whole disk's blocks.
      if (examined.partition !== undefined) return null
      const { image } = examined.info
      if (!isWebLocator(image.path)) return null
      const hashes = await io.readBlockHashes(image, signal)
      return hashes === null ? null : HashedBlocks.of(hashes, layout.sizeBytes, image.path)
    },
    askServers: (signal) => io.askServers(layout, signal),
    checkUnchanged: async () => {
      // What has checksums of all of it was checked by them; touching such a file does no harm.
      if (examined.kind === 'image' && !vouchForAll(examined.checksums)) await checkFiles(examined, io)
      if (unheld !== null) await checkUnmounted(unheld, platform, signal)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const minimumAlignment = 512

/**
 * What is held open now is what was examined: unmounting in between may have taken minutes. Throws DeviceError E_SRC_CHANGED; what
 * `Platform.identify` and `resolve` throw; the signal's reason.
 */
export async function checkSameSource(
  { path, disk, volume }: DeviceSource,
  platform: RestoreDeps['platform'],
  signal: AbortSignal,
): Promise<void> {
  if ((await platform.identify(disk.path)) !== disk.identity) throw changedSource(path)
  if (volume !== null && !(await isStillThere(path, volume, platform, signal))) throw changedSource(path)
}

async function checkFiles(examined: ImageSource, io: RestoreIo): Promise<void> {
  for (const facts of examined.files) {
    const now = await io.readFacts(facts.path)
    // Deleted while it was held open: what was read is what it was.
    if (now !== null && factsIdentity(now) !== factsIdentity(facts)) throw changedWhileRead(facts.path)
  }
}

/** A device read as what it is: one raw run. */
export function deviceLayout(path: string, sizeBytes: number): ExtentLayout {
  const extents = allocateExtentTable(1)
  extents.diskBytes[0] = sizeBytes
  extents.storedBytes[0] = sizeBytes
  extents.kind[0] = kindIndex.raw
  return {
    kind: 'extents',
    sizeBytes,
    parts: [{ path, streamOffset: 0, fileOffset: 0, lengthBytes: sizeBytes }],
    extents,
    checks: [],
    storedChecks: [],
  }
}
