/** The real `RestoreIo`: this machine's files, the platform's devices, the pipeline's workers. */
import { constants, type Stats } from 'node:fs'
import { access, open, stat, statfs, truncate, unlink } from 'node:fs/promises'
import {
  createDeviceSink,
  dropFileCache,
  errnoOf,
  openFailure,
  openFileSink,
  type BlockSink,
} from '#engine/block-io'
import { openImage, readBlockHashes } from '#engine/formats/image'
import { askServers } from '#engine/formats/stored'
import { isSparseBundle, readBundleFiles } from '#engine/formats/sparse'
import { createDiskChecker, openBlockStream } from '#engine/pipeline'
import type { OpenDevice, Platform } from '#engine/platform'
import { DeviceError } from '#shared/errors'
import { holdIfFree, refuseWritersBesideMounts } from './hold-if-free.ts'
import { reopenImage } from './reopen-image.ts'
import type { FileFacts, RestoreIo } from './restore-io.ts'
import { createStreamDoor, noStreams, type StreamDoor } from './stream-door.ts'

/** `streams`: default: there are none. */
export function createSystemIo(
  platform: Platform,
  streams: Pick<StreamDoor, 'connect'> = createStreamDoor(noStreams),
): RestoreIo {
  return {
    connectStream: (locator, options) => streams.connect(locator, options),
    openImage: reopenImage((path, signal, options) => openImage(path, { ...options, signal })),
    readBlockHashes: (image, signal) => readBlockHashes(image, { signal }),
    openStream: (layout, { buffers, bufferBytes, uncompressed, ...options }) =>
      openBlockStream(layout, { ...options, pool: { buffers, bufferBytes, uncompressed } }),
    askServers: (layout, signal) => askServers(layout, { signal }),
    createChecker: (layout) =>
      layout.kind === 'extents' && layout.checks.length > 0 ? createDiskChecker(layout) : null,
    holdFile,
    async holdDevice(path, { alone, signal }) {
      await using held = new AsyncDisposableStack()
      const { fd, sizeBytes } = held.use(await platform.openSource(path))
      const isAlone = alone && held.use(await holdIfFree(platform, path, signal)) !== null
      if (!alone) await refuseWritersBesideMounts(platform, path, signal)
      const owned = held.move()
      return { fd, sizeBytes, isAlone, [Symbol.asyncDispose]: () => owned.disposeAsync() }
    },
    openDeviceSink: async (path, warn) => deviceSink(platform, await platform.openTarget(path), warn),
    openFileSink: (path, mode) => openFileSink(path, { mode, alone: true }),
    readFacts,
    async readFreeBytes(folder) {
      const { bavail, bsize } = await onDestination(folder, () => statfs(folder))
      return bavail * bsize
    },
    checkWritable: (path) => onDestination(path, () => access(path, constants.W_OK)),
    readAllocated: async (path) => (await onDestination(path, () => stat(path))).blocks * statBlockBytes,
    truncate: (path, sizeBytes) => onDestination(path, () => truncate(path, sizeBytes)),
    remove: (path) => onDestination(path, () => unlink(path)),
  }
}

/** `st_blocks` counts in these whatever the file system's blocks are. */
const statBlockBytes = 512

/** The device closes after the sink. */
function deviceSink(
  platform: Platform,
  device: OpenDevice,
  warn: (error: DeviceError) => void = () => undefined,
): BlockSink {
  const { fd, path, sizeBytes, abilities, cachedFile } = device
  let isTold = false
  /** What was restored is as good as it would be otherwise: only less is known of it. */
  const dropBeneath = async (file: string) => {
    try {
      await dropFileCache(file)
    } catch (error) {
      DeviceError.accept(error)
      if (isTold) return
      isTold = true
      const { code, message, details } = error
      warn(new DeviceError(code, message, { details: { ...details, left: 'cache' }, cause: error }))
    }
  }
  const sink = createDeviceSink({
    fd,
    path,
    sizeBytes,
    alignmentBytes: abilities.logicalBlockBytes,
    pastCache: device.direct ? 'direct' : null,
    dropBeneath: cachedFile === undefined ? undefined : () => dropBeneath(cachedFile),
    zeroOut: abilities.zeroOut
      ? (offset, lengthBytes, signal) => platform.zeroOut(device, offset, lengthBytes, signal)
      : null,
    discard: abilities.discard
      ? (offset, lengthBytes, signal) => platform.discard(device, offset, lengthBytes, signal)
      : null,
  })
  return {
    path,
    sizeBytes,
    alignmentBytes: sink.alignmentBytes,
    write: (bytes, offset) => sink.write(bytes, offset),
    zero: (offset, lengthBytes, signal, onPiece) => sink.zero(offset, lengthBytes, signal, onPiece),
    discard: (offset, lengthBytes, signal, onPiece) => sink.discard(offset, lengthBytes, signal, onPiece),
    flush: () => sink.flush(),
    read: (into, offset) => sink.read(into, offset),
    finish: (bytes) => sink.finish(bytes),
    async [Symbol.asyncDispose]() {
      try {
        await sink[Symbol.asyncDispose]()
      } finally {
        await device[Symbol.asyncDispose]()
      }
    },
  }
}

async function holdFile(path: string) {
  // Without O_NONBLOCK a pipe that took the file's place would keep us waiting.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw openFailure(error, path, 'source')
  })
  try {
    const stats = await handle.stat()
    const facts = stats.isDirectory() ? await bundleFacts(path, stats) : factsOf(path, stats)
    return { fd: handle.fd, facts, [Symbol.asyncDispose]: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw openFailure(error, path, 'source')
  }
}

async function readFacts(path: string): Promise<FileFacts | null> {
  try {
    const stats = await stat(path)
    const isBundle = stats.isDirectory() && (await isSparseBundle(path))
    return isBundle ? await bundleFacts(path, stats) : factsOf(path, stats)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return null
    throw openFailure(error, path, 'source')
  }
}

/** Its thousands of files aren't held: they are compared with what they were as they are opened. */
async function bundleFacts(path: string, stats: Stats): Promise<FileFacts> {
  const { state, storedBytes, modifiedMs } = await readBundleFiles(path)
  return { ...factsOf(path, stats), sizeBytes: storedBytes, modifiedMs, contents: state }
}

function factsOf(
  path: string,
  facts: { readonly dev: number; readonly ino: number; readonly size: number; readonly mtimeMs: number },
): FileFacts {
  return { path, device: facts.dev, inode: facts.ino, sizeBytes: facts.size, modifiedMs: facts.mtimeMs }
}

async function onDestination<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw openFailure(error, path, 'destination')
  }
}
