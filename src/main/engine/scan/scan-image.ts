/**
 * Scans an image for restore: reads the disk inside once, checks the image's own checksums on the way, and leaves in the image
 * what proves later copies right: asr's digests of each partition and a hash for every block. When its data isn't in the order
 * of the disk, the file is written anew, in order.
 *
 *     openImage           what is it, where is everything
 *     check…              can it hold a scan; is the file writable, can it be replaced; is an HFS+ catalog in one piece
 *     hashDisk            the numbers
 *     storeBehindData     into the file, without touching its data
 *     storeInOrder        or into a new one, which is read again before it takes the name
 */
import { openFileSource } from '#engine/block-io'
import { readHfsPlusFacts, type HfsPlusFacts } from '#engine/formats/filesystem'
import { DiskReader, openImage, readBlockHashes, type OpenImage } from '#engine/formats/image'
import {
  blockBytesFor,
  orderedBytes,
  parseScanInfo,
  rootOfBlocks,
  scanResources,
  scanTypes,
  type PartitionScan,
  type ScanToStore,
} from '#engine/formats/udif'
import { readOrNull } from '#engine/formats/struct'
import type { ExtentLayout } from '#engine/formats/extents'
import type { JobContext } from '#engine/job'
import { DeviceError, FormatError, invariant, UsageError } from '#shared/errors'
import type { ImageInfo, ImageScan, ScanInfo, ScanRequest } from '#shared/model'
import { choosePartitions, type ScannedPart } from './choose-partitions.ts'
import { hashDisk, type DiskNumbers } from './hash-disk.ts'
import { checkHoldsScan, checkReplaceable, checkUnchanged, checkWritable } from './scan-target.ts'
import { storeBehindData, storeInOrder, type Stored } from './store-scan.ts'
import { checkMaster } from './verify-image.ts'

interface ScanOptions {
  /** The program and its version, to be stored. */
  readonly scannedBy: string
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Looking at volume headers decodes this much at most. */
const decodeBudgetBytes = 64 * 1024 * 1024
/** The list of a file that is written anew, besides its runs. */
const listRoomBytes = 1024 * 1024

/**
 * Throws UsageError E_UNSUPPORTED (an image that can't hold a scan), E_SRC_FRAGMENTED; FormatError E_SRC_CORRUPT for the first
 * place where the image contradicts its own checksums, and what opening throws; DeviceError E_DENIED, E_DST_READONLY, E_DST_FULL,
 * E_SRC_CHANGED, …; the signal's reason. Whatever is thrown, the image is as it was.
 */
export async function scanImage(
  request: ScanRequest,
  context: JobContext,
  { scannedBy, now = Date.now }: ScanOptions,
): Promise<ImageScan> {
  const startMs = performance.now()
  const { path, reorder } = request
  const { signal } = context
  context.enter('validating-source')
  const image = await openImage(path, { signal })
  const layout = checkHoldsScan(image, 'scanned')
  const { info } = image
  const reorders = reorder && info.inOrder === false
  const before = await checkWritable(path)
  if (reorders) await prepareReorder(image, layout)
  const parts = choosePartitions(info)
  const facts = await readFacts(layout, parts, signal)
  if (!request.allowFragmentedCatalog) refuseFragmented(image, facts)
  checkMaster(path, image)

  context.enter('scanning', layout.sizeBytes)
  const blockBytes = blockBytesFor(layout.sizeBytes)
  const numbers = await hashDisk(layout, {
    path,
    stretches: parts,
    blockBytes,
    signal,
    advance: (doneBytes) => context.advance(doneBytes),
  })
  const scan: ScanToStore = {
    partitions: parts.map((part, index) =>
      partitionScan(part, facts[index] ?? null, numbers.stretches[index]),
    ),
    blocks: { blockBytes, hashes: numbers.hashes },
    diskBytes: layout.sizeBytes,
    scannedMs: now(),
    scannedBy,
  }
  const stored = infoOf(scan)
  const result = (
    how: ImageScan['stored'],
    scanned: ScanInfo,
    { fileBytes, signatureRemoved }: Stored = { fileBytes: before.sizeBytes, signatureRemoved: false },
  ): ImageScan => {
    const durationMs = performance.now() - startMs
    return {
      path,
      scan: scanned,
      stored: how,
      inOrder: how === 'reordered' || info.inOrder === true,
      signatureRemoved,
      sizeBytes: layout.sizeBytes,
      beforeBytes: info.storedBytes,
      // Only the first of several files changed.
      storedBytes: info.storedBytes - before.sizeBytes + fileBytes,
      durationMs,
      bytesPerSecond: (layout.sizeBytes / durationMs) * 1000,
    }
  }
  const isThere = info.scan !== null && sameNumbers(info.scan, stored)
  if (!reorders && isThere && (await sameHashes(info, numbers.hashes, signal)))
    return result('kept', info.scan)

  await checkUnchanged(path, before)
  const edit = { remove: scanTypes, add: scanResources(scan) }
  if (!reorders) {
    const file = await storeBehindData(path, { ...edit, patchTable: null }, { layout, change: {}, signal })
    return result('added', stored, file)
  }
  const runBytes = orderedBytes(layout.extents)
  context.enter('reordering', runBytes + layout.sizeBytes)
  const file = await storeInOrder(path, edit, {
    layout,
    signal,
    advance: (doneBytes) => context.advance(doneBytes),
    async check(written) {
      const advance = (doneBytes: number) => context.advance(runBytes + doneBytes)
      await checkReordered(written, { path, scan, parts, signal, advance })
      // Minutes have gone by: whoever put another file there meanwhile keeps it.
      await checkUnchanged(path, before)
    },
  })
  return result('reordered', stored, file)
}

/** Throws UsageError E_UNSUPPORTED, what `checkReplaceable` throws. */
async function prepareReorder({ info }: OpenImage, layout: ExtentLayout): Promise<void> {
  const { path, name, segmentCount } = info
  if (segmentCount > 1) {
    const problem = `'${name}' isn't in order and lies in ${segmentCount} files, which can't be put in order together.`
    const hint = 'Convert it to one file first (reprise image convert), or scan it as it is with --nostream.'
    const windowHint =
      "Convert it to one file first (Images ▸ Convert…), or scan it without 'Put the data in order where it isn't'."
    throw new UsageError('E_UNSUPPORTED', problem, { details: { input: path, problem, hint, windowHint } })
  }
  await checkReplaceable(path, orderedBytes(layout.extents) + listRoomBytes)
}

async function readFacts(
  layout: ExtentLayout,
  parts: readonly ScannedPart[],
  signal: AbortSignal,
): Promise<(HfsPlusFacts | null)[]> {
  await using disk = new DiskReader(layout, { open: openFileSource, decodeBudgetBytes, signal })
  const facts: (HfsPlusFacts | null)[] = []
  for (const part of parts) {
    const filesystem = part.partition?.filesystem ?? ''
    facts.push(/^hfs(plus|x)$/.test(filesystem) ? await readHfsPlusFacts(disk.read, part) : null)
  }
  return facts
}

/** Throws UsageError E_SRC_FRAGMENTED. */
function refuseFragmented({ info }: OpenImage, facts: readonly (HfsPlusFacts | null)[]): void {
  if (!facts.some((each) => each?.isCatalogFragmented === true)) return
  throw new UsageError('E_SRC_FRAGMENTED', `the catalog of a volume in ${info.path} is fragmented`, {
    details: { input: info.path, name: info.name },
  })
}

function partitionScan(
  { id, partition }: ScannedPart,
  facts: HfsPlusFacts | null,
  numbers: DiskNumbers['stretches'][number] | undefined,
): PartitionScan {
  invariant(numbers !== undefined, 'each partition has its numbers')
  return {
    id,
    sha256: numbers.sha256,
    blockChecksum: numbers.blockChecksum,
    usedBytes: facts?.usedBytes ?? numbers.countedBytes,
    hfsPlus: facts && {
      signature: facts.signature,
      modified: facts.modified,
      name: partition?.label ?? null,
    },
    volumes: partition?.volumes ?? [],
  }
}

/** What will be read back of it. */
function infoOf(scan: ScanToStore): ScanInfo {
  const resources = scanResources(scan).map(({ type, id, data }) => {
    const bytes = Buffer.concat([...data])
    return { type, id, data: bytes, lengthBytes: bytes.length }
  })
  const info = parseScanInfo(resources, scan.diskBytes)
  invariant(info !== null && info.blocks !== null, 'a scan can be read back')
  return info
}

/** Whether the image says all this already. When and by what it was scanned doesn't matter. */
function sameNumbers(old: ScanInfo, scan: ScanInfo): boolean {
  const numbers = ({ partitions, blocks }: ScanInfo) => JSON.stringify({ partitions, blocks })
  return numbers(old) === numbers(scan)
}

/** Opening the image read no more of its list than the head; a list that is damaged has to be stored again. */
async function sameHashes(info: ImageInfo, hashes: Uint8Array, signal: AbortSignal): Promise<boolean> {
  const stored = await readOrNull(readBlockHashes(info, { signal }))
  return stored !== null && Buffer.compare(stored.hashes, hashes) === 0
}

/** Reads the new file from its first byte to its last: throws when it doesn't hold the same disk, in order. */
async function checkReordered(
  written: string,
  {
    path,
    scan,
    parts,
    signal,
    advance,
  }: {
    /** Of the image, for messages: nobody knows the name that the new file has until then. */
    readonly path: string
    readonly scan: ScanToStore
    readonly parts: readonly ScannedPart[]
    readonly signal: AbortSignal
    readonly advance: (doneBytes: number) => void
  },
): Promise<void> {
  const { blockBytes } = scan.blocks
  try {
    const image = await openImage(written, { signal })
    const layout = checkHoldsScan(image, 'scanned')
    const { hashes } = await hashDisk(layout, {
      path: written,
      stretches: parts,
      blockBytes,
      signal,
      advance,
    })
    const root = rootOfBlocks({ blockBytes, hashes }, scan)
    if (image.info.inOrder === true && root === rootOfBlocks(scan.blocks, scan)) return
  } catch (error) {
    throw ofImage(error, path)
  }
  throw new FormatError('E_SRC_CORRUPT', `${path} doesn't hold what it was made of`, {
    details: { format: 'udif', field: 'data', offset: 0, path },
  })
}

/** The same error, of the image that people know about. */
function ofImage(error: unknown, path: string): unknown {
  if (!(error instanceof FormatError || error instanceof DeviceError)) return error
  const message = `${path}, written anew: ${error.code}`
  const options = { transient: error.transient, cause: error }
  return error instanceof FormatError
    ? new FormatError(error.code, message, { ...options, details: { ...error.details, path } })
    : new DeviceError(error.code, message, { ...options, details: { ...error.details, path } })
}
