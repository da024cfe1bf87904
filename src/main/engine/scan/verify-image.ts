/**
 * Recomputes every checksum an image holds: of each table's part of the disk, of the stored bytes, and the one over all
 * tables. In this order, because the first says where the damage is; the last two only that there is some.
 */
import { stat } from 'node:fs/promises'
import { defaultPool, badRangeError, createDiskChecker, openBlockStream } from '#engine/pipeline'
import type { ExtentLayout } from '#engine/formats/extents'
import {
  openImage,
  readChecksumFile,
  rememberUnchecked,
  type OpenImage,
  type RememberedImage,
} from '#engine/formats/image'
import type { JobContext } from '#engine/job'
import { FormatError } from '#shared/errors'
import { publicLocator, type ImageVerification } from '#shared/model'
import { checkScan } from './check-scan.ts'
import { checkStoredBytes, hex } from './check-stored-bytes.ts'
import { compareChecksum, hashFile } from './file-checksum.ts'

type Checked = ImageVerification['checked'][number]

/**
 * Read the image at `path` from its first byte to its last. Throws FormatError E_SRC_CORRUPT for the first place that
 * is wrong: a table (`details`: `table`, `diskOffset`, `diskBytes`, `expected`, `found`), a run that can't be decoded
 * (`diskOffset`, `offset` in the file), the data fork, the master checksum; DeviceError E_SRC_CHANGED where somebody wrote to it meanwhile; what opening and reading throw; the signal's
 * reason. Progress counts the disk's bytes, then the stored bytes that have a checksum of their own.
 */
export async function verifyImage(path: string, context: JobContext): Promise<ImageVerification> {
  const startMs = performance.now()
  context.enter('validating-source')
  const image = await openImage(path, { signal: context.signal })
  const files = await rememberUnchecked(image.layout)
  try {
    const { checked, expandedBytes } = await checkAll(path, image, files, context)
    return {
      checked,
      nothingToCheck: checked.length === 0,
      expandedBytes,
      durationMs: performance.now() - startMs,
    }
  } catch (error) {
    throw await files.explain(error)
  }
}

async function checkAll(
  path: string,
  image: OpenImage,
  files: RememberedImage,
  context: JobContext,
): Promise<{ checked: Checked[]; expandedBytes: number }> {
  const { layout } = image
  const storedChecks = layout.kind === 'extents' ? layout.storedChecks : []
  const storedBytes = storedChecks.reduce((total, check) => total + check.lengthBytes, 0)
  const isFile = (await stat(path).catch(() => null))?.isFile() === true
  const beside = isFile ? await readChecksumFile(path) : null
  // Of a file that is read from its first byte to its last it was compared then.
  const isCompared = layout.fileCheck !== undefined
  const besideBytes = beside === null || isCompared ? 0 : image.info.storedBytes
  context.enter('verifying', layout.sizeBytes === null ? null : layout.sizeBytes + storedBytes + besideBytes)

  const { expandedBytes, checked } = await checkDisk(path, image, context)
  await files.checkUnchanged()
  let doneBytes = expandedBytes
  for (const check of storedChecks) {
    await checkStoredBytes(check, context.signal, (bytes) => context.advance(doneBytes + bytes))
    doneBytes += check.lengthBytes
    checked.push({
      what: `data fork of ${publicLocator(check.path)}`,
      algorithm: 'CRC-32',
      value: hex(check.crc32),
    })
  }
  const master = checkMaster(path, image)
  if (master !== null) checked.push(master)
  if (beside !== null) {
    if (!isCompared) {
      const sha256 = await hashFile(path, context.signal, (bytes) => context.advance(doneBytes + bytes))
      compareChecksum(path, beside, sha256)
    }
    checked.push({ what: image.info.name, algorithm: 'SHA-256', value: beside })
  }
  return { checked, expandedBytes }
}

/** Decodes everything; checks what has a checksum. */
async function checkDisk(
  path: string,
  image: OpenImage,
  context: JobContext,
): Promise<{ expandedBytes: number; checked: Checked[] }> {
  const { signal } = context
  const { layout } = image
  if (layout.kind === 'extents' && hasBlockHashes(image))
    return {
      expandedBytes: layout.sizeBytes,
      checked: [...tableChecks(layout), ...(await checkScan(image, layout, context))],
    }
  const checker = layout.kind === 'extents' ? createDiskChecker(layout) : null
  await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 512, signal })
  let done = 0
  for (let item = await stream.next(); item !== null; item = await stream.next()) {
    let bad
    if (item.kind === 'data') {
      try {
        bad = checker?.data(item.offset, item.bytes)
      } finally {
        item.release()
      }
      done += item.bytes.length
    } else {
      bad = checker?.[item.kind](item.offset, item.lengthBytes)
      done += item.lengthBytes
    }
    if (bad) throw badRangeError(bad, path)
    context.advance(done)
  }
  const bad = checker?.finish()
  if (bad) throw badRangeError(bad, path)
  return {
    expandedBytes: done,
    checked: layout.kind === 'extents' ? tableChecks(layout) : streamChecks(image),
  }
}

const tableChecks = ({ checks }: ExtentLayout): Checked[] =>
  checks.map(({ name, crc32 }) => ({ what: name, algorithm: 'CRC-32', value: hex(crc32) }))

/** The decoder compared it while it read: had it not matched, we wouldn't be here. */
const streamChecks = ({ info: { streamChecksum } }: OpenImage): Checked[] =>
  streamChecksum === undefined
    ? []
    : [{ what: 'compressed stream', algorithm: streamChecksum, value: 'matches' }]

/** Compares the checksum over all tables. Throws FormatError E_SRC_CORRUPT. */
export function checkMaster(path: string, { masterCheck }: OpenImage): Checked | null {
  if (masterCheck === null) return null
  const { stored, computed } = masterCheck
  const shown = publicLocator(path)
  if (stored !== computed)
    throw new FormatError('E_SRC_CORRUPT', `${shown}: the master checksum is wrong`, {
      details: {
        format: 'udif',
        field: 'koly.masterChecksum',
        offset: 0,
        expected: hex(stored),
        found: hex(computed),
        path: shown,
      },
    })
  return { what: 'master', algorithm: 'CRC-32', value: hex(stored) }
}

const hasBlockHashes = ({ info: { scan } }: OpenImage) => scan !== null && scan.blocks !== null
