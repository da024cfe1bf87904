/** The one door to image files: tells what a file is and where every byte of the disk inside comes from. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { openFileSource, type BlockSource } from '#engine/block-io'
import type { ExtentLayout, ImageLayout } from '#engine/formats/extents'
import { rawLayout, sniffStreamCodec } from '#engine/formats/raw'
import {
  isSparseBundle,
  isSprs,
  readSparseBundle,
  readSparseImage,
  type SparseImage,
} from '#engine/formats/sparse'
import { formatError } from '#engine/formats/struct'
import { isKoly, kolyBytes, parseKoly, readUdif } from '#engine/formats/udif'
import type { ImageInfo } from '#shared/model'
import { checkNotCutShort, isDisk, isNamedRaw, readDiskContents, type DiskContents } from './disk-contents.ts'
import { DiskReader } from './disk-reader.ts'
import { openStream } from './open-stream.ts'
import {
  isNamedDmg,
  notAnImage,
  refuseDamagedUdif,
  refuseEncrypted,
  refuseForeign,
  type FileEnds,
} from './refusals.ts'

export interface OpenImage {
  readonly info: ImageInfo
  readonly layout: ImageLayout
  /** The master checksum over the tables' checksums; null when the image has none. A verify compares them. */
  readonly masterCheck: { readonly stored: number; readonly computed: number } | null
}

export interface OpenImageOptions {
  readonly signal?: AbortSignal
}

type FileInfo = Pick<ImageInfo, 'path' | 'name' | 'modifiedMs'>

const headBytes = 4096
const tailBytes = 65_536
/** Looking at partitions and file systems decodes this much at most, a fraction of a second's work. */
const decodeBudgetBytes = 64 * 1024 * 1024

/**
 * Read what the image at `path` says of itself. Nothing stays open. Throws `FormatError` (E_SRC_FORMAT: not an image we
 * read; E_SRC_CORRUPT; E_SRC_ENCRYPTED; E_SRC_SEGMENT), `DeviceError` from the system, the signal's reason.
 */
export async function openImage(path: string, options: OpenImageOptions = {}): Promise<OpenImage> {
  const { signal } = options
  signal?.throwIfAborted()
  if (await isFolder(path)) return await openBundle(path, signal)
  await using source = await openFileSource(path)
  const { mtimeMs } = await stat(path)
  const file = { path, name: basename(path), modifiedMs: mtimeMs }
  const ends = await readEnds(source, signal)

  // Its last band may end in anything, a UDIF's trailer for one.
  if (isSprs(ends.head)) return await openSparse(await readSparseImage(source, signal), 'UDSP', file, signal)
  const trailer = ends.tail.subarray(-kolyBytes)
  if (isKoly(trailer)) return await openUdif(source, trailer, file, signal)
  refuseEncrypted(ends)
  refuseDamagedUdif(ends)
  const codec = sniffStreamCodec(ends.head)
  if (codec !== null) return { ...(await openStream(source, codec, file, signal)), masterCheck: null }
  refuseForeign(ends)
  return await openRaw(ends, file, signal)
}

async function openUdif(
  source: BlockSource,
  trailer: Uint8Array,
  file: FileInfo,
  signal?: AbortSignal,
): Promise<OpenImage> {
  const udif = await readUdif(source, parseKoly(trailer, source.sizeBytes), openFileSource, signal)
  const { layout, masterCheck, ...about } = udif
  const { partitionMap, partitions } = await readContents(layout, signal)
  return {
    info: { ...file, ...about, sizeBytes: layout.sizeBytes, partitionMap, partitions },
    layout,
    masterCheck,
  }
}

/** Any file is as good a raw image as any other: something must speak for it, its contents or its name. */
async function openRaw(ends: FileEnds, file: FileInfo, signal?: AbortSignal): Promise<OpenImage> {
  const { path, sizeBytes: fileBytes, head } = ends
  if (fileBytes < 512) throw notAnImage(ends)
  const layout = rawLayout(path, fileBytes)
  const contents = await readContents(layout, signal)
  if (!isDisk(contents, head) && !(isNamedRaw(path) && fileBytes % 512 === 0)) throw notAnImage(ends)
  checkNotCutShort(contents, layout.sizeBytes)
  return {
    info: {
      ...file,
      // Read-write images of Apple's are raw disks under the name of the others.
      format: isNamedDmg(path) ? 'UDRW' : 'raw',
      storedBytes: fileBytes,
      sizeBytes: layout.sizeBytes,
      segmentCount: 1,
      partitionMap: contents.partitionMap,
      partitions: contents.partitions,
      tables: [],
      runCounts: {},
      dataBytes: null,
      dataForkChecksum: null,
      masterChecksum: null,
      inOrder: null,
      scan: null,
    },
    layout,
    masterCheck: null,
  }
}

async function readContents(layout: ExtentLayout, signal?: AbortSignal): Promise<DiskContents> {
  await using disk = new DiskReader(layout, {
    open: openFileSource,
    decodeBudgetBytes,
    ...(signal === undefined ? {} : { signal }),
  })
  return await readDiskContents(disk.read, layout.sizeBytes)
}

async function readEnds(source: BlockSource, signal?: AbortSignal): Promise<FileEnds> {
  const { path, sizeBytes } = source
  const head = new Uint8Array(Math.min(sizeBytes, headBytes))
  const tail = new Uint8Array(Math.min(sizeBytes, tailBytes))
  await source.read(head, 0, signal)
  await source.read(tail, sizeBytes - tail.length, signal)
  return { path, sizeBytes, head, tail }
}

/** What doesn't exist is left to the open. */
async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (about) => about.isDirectory(),
    () => false,
  )
}

/** A sparse bundle is a folder; other folders are no image at all. */
async function openBundle(path: string, signal?: AbortSignal): Promise<OpenImage> {
  const kind = { field: 'kind', offset: 0, found: 'folder', expected: 'a file or a sparse bundle', path }
  if (!(await isSparseBundle(path))) throw formatError('E_SRC_FORMAT', { format: 'folder', ...kind })
  const bundle = await readSparseBundle(path, signal)
  if (bundle.tokenBytes > 0)
    throw formatError('E_SRC_ENCRYPTED', { format: 'sparsebundle', field: 'token', offset: 0, path })
  const file = { path, name: basename(path), modifiedMs: bundle.modifiedMs ?? 0 }
  return await openSparse(bundle, 'UDSB', file, signal)
}

/** What isn't stored reads as zeros, so nothing but its own numbers can tell that a band is missing. */
async function openSparse(
  image: SparseImage,
  format: 'UDSP' | 'UDSB',
  file: FileInfo,
  signal?: AbortSignal,
): Promise<OpenImage> {
  const { layout, storedBytes, dataBytes } = image
  const { partitionMap, partitions } = await readContents(layout, signal)
  return {
    info: {
      ...file,
      format,
      storedBytes,
      sizeBytes: layout.sizeBytes,
      segmentCount: 1,
      partitionMap,
      partitions,
      tables: [],
      runCounts: {},
      dataBytes,
      dataForkChecksum: null,
      masterChecksum: null,
      inOrder: null,
      scan: null,
    },
    layout,
    masterCheck: null,
  }
}
