/** The one door to image files: tells what a file is and where every byte of the disk inside comes from. */
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { BlockSource } from '#engine/block-io'
import { processKeyring, type Keyring } from '#engine/formats/encrypted'
import type { ExtentLayout, ImageLayout, LeastSize } from '#engine/formats/extents'
import { rawLayout, sniffStreamCodec } from '#engine/formats/raw'
import {
  bundleNames,
  isSparseBundle,
  isSprs,
  readSparseBundle,
  readSparseImage,
  type SparseImage,
} from '#engine/formats/sparse'
import { formatError } from '#engine/formats/struct'
import { isKoly, kolyBytes, parseKoly, readUdif } from '#engine/formats/udif'
import type { WebClient } from '#engine/web-source'
import { isWebLocator, webName, type ImageInfo } from '#shared/model'
import { refuseNoise } from './bundle-noise.ts'
import { encryptedBands, lockedBundle, readBundleHeader } from './bundle-cipher.ts'
import { findChecksum } from './checksum-file.ts'
import {
  checkNotCutShort,
  contentsInfo,
  isDisk,
  noTables,
  passesAsRaw,
  readDiskContents,
  type DiskContents,
} from './disk-contents.ts'
import { DiskReader } from './disk-reader.ts'
import { ImageFiles } from './image-files.ts'
import { openStream } from './open-stream.ts'
import {
  isNamedDmg,
  notAnImage,
  refuseDamagedUdif,
  refuseEncryptedTwice,
  refuseForeign,
  type FileEnds,
} from './refusals.ts'

export interface OpenImage {
  readonly info: ImageInfo
  readonly layout: ImageLayout
  /** The master checksum over the tables' checksums; null when the image has none. A verify compares them. */
  readonly masterCheck: { readonly stored: number; readonly computed: number } | null
  /** How large the disk has to be by what is on it. Null: nothing says, or it was seen to be as large. */
  readonly least: LeastSize | null
}

export interface OpenImageOptions {
  /** Where the keys of encrypted images are. Default: those that were unlocked in this process. */
  readonly keyring?: Keyring
  readonly signal?: AbortSignal
  /** For images on servers. Default: the process's. */
  readonly web?: WebClient
  /** It was opened before, and is meant to be what it was: see `OpenWebOptions`. */
  readonly again?: boolean
  /** Called by its `path`, the image is this file under this name, wherever it lies. It stays the caller's to close. */
  readonly given?: { readonly source: BlockSource; readonly name: string }
}

type FileInfo = Pick<ImageInfo, 'path' | 'name' | 'modifiedMs' | 'fileChecksum'>

const headBytes = 4096
const tailBytes = 65_536
/** Looking at partitions and file systems decodes this much at most, a fraction of a second's work. */
const decodeBudgetBytes = 64 * 1024 * 1024

/**
 * Read what the image says of itself that a path leads to, or an address on a server. Nothing stays open. Throws
 * `FormatError` (E_SRC_FORMAT: not an image we read; E_SRC_CORRUPT; E_SRC_ENCRYPTED; E_SRC_SEGMENT), `DeviceError` from the system, what `openWebSource` throws, the
 * signal's reason.
 */
export async function openImage(locator: string, options: OpenImageOptions = {}): Promise<OpenImage> {
  const { signal, keyring = processKeyring, web, again, given } = options
  signal?.throwIfAborted()
  if (given === undefined && (await isFolder(locator))) return await openBundle(locator, keyring, signal)
  const files = new ImageFiles({ keyring, signal, web, again, given: given?.source })
  await using source = await files.open(locator)
  const file =
    given === undefined
      ? await fileInfo(source.path, files)
      : { path: locator, name: given.name, modifiedMs: 0 }
  const ends = await readEnds(source, signal)

  // Its last band may end in anything, a UDIF's trailer for one.
  if (isSprs(ends.head)) {
    const sparse = await readSparseImage(source, signal)
    const { encrypted, storedBytes } = files
    const image = { ...sparse, layout: files.withCiphers(sparse.layout), encrypted, storedBytes }
    return await openSparse(image, 'UDSP', file, files.openAsIs, signal)
  }
  const trailer = ends.tail.subarray(-kolyBytes)
  if (isKoly(trailer)) return await openUdif(source, trailer, file, files, signal)
  refuseDamagedUdif(ends)
  const codec = files.encrypted === null ? sniffStreamCodec(ends.head) : null
  if (codec !== null) {
    const { info, layout } = await openStream(source, codec, file, signal)
    const checked = withFileCheck(files.withCiphers(layout), file, files)
    return { info, layout: checked, masterCheck: null, least: null }
  }
  refuseForeign(ends)
  if (files.encrypted !== null) refuseEncryptedTwice(ends)
  return await openRaw(ends, file, files, signal)
}

async function openUdif(
  source: BlockSource,
  trailer: Uint8Array,
  file: FileInfo,
  files: ImageFiles,
  signal?: AbortSignal,
): Promise<OpenImage> {
  const udif = await readUdif(source, parseKoly(trailer, source.sizeBytes), files.open, signal)
  const { layout: plain, masterCheck, ...about } = udif
  const layout = files.withCiphers(plain)
  const { encrypted, storedBytes } = files
  const contents = await readContents(layout, files.openAsIs, signal)
  return {
    info: {
      ...file,
      ...about,
      storedBytes,
      encrypted,
      sizeBytes: layout.sizeBytes,
      ...contentsInfo(contents),
    },
    layout,
    masterCheck,
    least: contents.least,
  }
}

/** What passes as one, or was encrypted as an image. */
async function openRaw(
  ends: FileEnds,
  file: FileInfo,
  files: ImageFiles,
  signal?: AbortSignal,
): Promise<OpenImage> {
  const { sizeBytes: fileBytes, head } = ends
  const { path, name } = file
  if (fileBytes < 512) throw notAnImage(ends)
  const layout = withFileCheck(files.withCiphers(rawLayout(path, fileBytes)), file, files)
  const contents = await readContents(layout, files.openAsIs, signal)
  const isWhole = fileBytes % 512 === 0
  const isKnown = isDisk(contents, head)
  if (!passesAsRaw({ isKnown, name, head, isWhole }) && files.encrypted === null) throw notAnImage(ends)
  checkNotCutShort(contents, layout.sizeBytes)
  return {
    info: {
      ...noTables,
      ...file,
      // Read-write images of Apple's are raw disks under the name of the others.
      format: isNamedDmg(name) ? 'UDRW' : 'raw',
      storedBytes: files.storedBytes,
      encrypted: files.encrypted,
      sizeBytes: layout.sizeBytes,
      ...contentsInfo(contents),
      dataBytes: null,
    },
    layout,
    masterCheck: null,
    least: null,
  }
}

/** Whoever reads such an image to its end has had all bytes of its file, in order. What is encrypted comes decrypted. */
function withFileCheck<Layout extends ImageLayout>(
  layout: Layout,
  { fileChecksum }: FileInfo,
  { encrypted, storedBytes }: ImageFiles,
): Layout {
  if (fileChecksum === undefined || encrypted !== null) return layout
  return { ...layout, fileCheck: { sha256: fileChecksum.value, lengthBytes: storedBytes } }
}

type OpenFile = (path: string) => Promise<BlockSource>

async function readContents(
  layout: ExtentLayout,
  open: OpenFile,
  signal?: AbortSignal,
): Promise<DiskContents> {
  await using disk = contentsReader(layout, open, signal)
  return await readDiskContents(disk.read, layout.sizeBytes, signal)
}

const contentsReader = (layout: ExtentLayout, open: OpenFile, signal?: AbortSignal) =>
  new DiskReader(layout, { open, decodeBudgetBytes, ...(signal === undefined ? {} : { signal }) })

async function readEnds(source: BlockSource, signal?: AbortSignal): Promise<FileEnds> {
  const { path, sizeBytes } = source
  const head = new Uint8Array(Math.min(sizeBytes, headBytes))
  const tail = new Uint8Array(Math.min(sizeBytes, tailBytes))
  await source.read(head, 0, signal)
  await source.read(tail, sizeBytes - tail.length, signal)
  // What it is called speaks for some: an address may go on after that.
  return { path: isWebLocator(path) ? webName(path) : path, sizeBytes, head, tail }
}

async function fileInfo(path: string, files: ImageFiles): Promise<FileInfo> {
  if (isWebLocator(path)) return { path, name: webName(path), modifiedMs: files.modifiedMs(path) ?? 0 }
  const { mtimeMs } = await stat(path)
  const sha256 = await findChecksum(path)
  const found = sha256 === null ? {} : { fileChecksum: { algorithm: 'SHA-256', value: sha256 } }
  return { path, name: basename(path), modifiedMs: mtimeMs, ...found }
}

/** What doesn't exist is left to the open. */
async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (about) => about.isDirectory(),
    () => false,
  )
}

/** A sparse bundle is a folder; other folders are no image at all. */
async function openBundle(path: string, keyring: Keyring, signal?: AbortSignal): Promise<OpenImage> {
  const kind = { field: 'kind', offset: 0, found: 'a folder', expected: 'a file or a sparse bundle', path }
  if (!(await isSparseBundle(path))) throw formatError('E_SRC_FORMAT', { format: 'folder', ...kind })
  const bundle = await readSparseBundle(path, signal)
  const header = await readBundleHeader(path, bundle.tokenBytes)
  const keys = header === null ? null : keyring.find(header)
  if (header !== null && keys === null) throw lockedBundle(path)
  const isOpen = header !== null && keys !== null
  const layout = isOpen ? await encryptedBands(bundle.layout, header, keys, signal) : bundle.layout
  const encrypted = isOpen ? { bits: header.keyBits, version: header.version } : null
  const file = { path, name: basename(path), modifiedMs: bundle.modifiedMs ?? 0 }
  const { openAsIs } = new ImageFiles({ keyring, signal })
  const image = await openSparse({ ...bundle, layout, encrypted }, 'UDSB', file, openAsIs, signal)
  if ((isOpen || bundle.tokenBytes === null) && image.info.partitions.length === 0) {
    await using disk = contentsReader(layout, openAsIs, signal)
    const isKnown = isDisk({ ...image.info, whole: null }, await disk.read(0, 512))
    const token = { path: join(path, bundleNames.token), isThere: bundle.tokenBytes !== null }
    if (!isKnown) await refuseNoise(disk.read, layout, token)
  }
  return image
}

/** What isn't stored reads as zeros, so nothing but its own numbers can tell that a band is missing. */
async function openSparse(
  image: SparseImage & Pick<ImageInfo, 'encrypted'>,
  format: 'UDSP' | 'UDSB',
  file: FileInfo,
  open: OpenFile,
  signal?: AbortSignal,
): Promise<OpenImage> {
  const { layout, storedBytes, dataBytes, encrypted } = image
  const contents = await readContents(layout, open, signal)
  return {
    info: {
      ...noTables,
      ...file,
      format,
      storedBytes,
      encrypted,
      sizeBytes: layout.sizeBytes,
      ...contentsInfo(contents),
      dataBytes,
    },
    layout,
    masterCheck: null,
    least: contents.least,
  }
}
