/**
 * Gives an image the checksums it lacks. A UDIF image has places for them: each table, the data fork, all tables together. Any
 * other one gets a file beside it with the SHA-256 of its bytes, which a verify compares.
 */
import { stat } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { openFileSource, openReplacementFile } from '#engine/block-io'
import type { ExtentLayout } from '#engine/formats/extents'
import {
  checksumLine,
  checksumPath,
  findChecksum,
  openImage,
  readChecksumFile,
  type OpenImage,
} from '#engine/formats/image'
import { mishStruct, type Koly, type TablePatch } from '#engine/formats/udif'
import type { JobContext } from '#engine/job'
import { UsageError } from '#shared/errors'
import type { AddedChecksums, ChecksumRequest, ImageChecksum } from '#shared/model'
import { sectorBytes } from '#shared/units'
import { hex } from './check-stored-bytes.ts'
import { compareChecksum, hashFile } from './file-checksum.ts'
import { checkHoldsScan, checkUnchanged, checkWritable } from './scan-target.ts'
import { storeBehindData } from './store-scan.ts'
import { computeTableChecksums } from './table-checksums.ts'
import { checkMaster } from './verify-image.ts'

type Added = AddedChecksums['added'][number]

const crcType = 2
const pieceBytes = 1024 * 1024

/**
 * Throws UsageError E_UNSUPPORTED (a sparse bundle, an image on a web server); FormatError E_SRC_CORRUPT when the image contradicts
 * the checksums it has; what opening throws; DeviceError E_DENIED, E_DST_READONLY, E_DST_FULL, E_SRC_CHANGED, …; the signal's
 * reason. Whatever is thrown, the image is as it was, unless the context was told: then it has its checksums, and only the file beside it
 * wasn't written.
 */
export async function addChecksums(
  { path, replace }: ChecksumRequest,
  context: JobContext,
): Promise<AddedChecksums> {
  const startMs = performance.now()
  context.enter('validating-source')
  const image = await openImage(path, { signal: context.signal })
  const isUdif = image.info.tables.length > 0 && image.info.encrypted === null
  const within = isUdif ? await addWithin(image, context) : null
  if (within !== null && within.added.length > 0) context.changed()
  const isBesideDue = !isUdif || (replace && (await findChecksum(path)) !== null)
  const beside = isBesideDue ? await addBeside(image, context, { replace }) : null
  return {
    path,
    added: [...(within?.added ?? []), ...(beside?.added ?? [])],
    besides: beside?.besides ?? null,
    signatureRemoved: within?.signatureRemoved ?? false,
    durationMs: performance.now() - startMs,
  }
}

type Outcome = Omit<AddedChecksums, 'path' | 'durationMs'>

async function addWithin(image: OpenImage, context: JobContext): Promise<Outcome> {
  const { info } = image
  const { path, tables } = info
  const { signal } = context
  const layout = checkHoldsScan(image, 'given checksums')
  checkMaster(path, image)
  const lacking = tables.filter(({ checksum }) => checksum === null)
  const isMasterDue = lacking.length > 0 || info.masterChecksum === null
  const isForkDue = info.dataForkChecksum === null
  if (!isMasterDue && !isForkDue) return { added: [], besides: null, signatureRemoved: false }
  const before = await checkWritable(path)

  const ordered = lacking.toSorted((a, b) => a.firstSector - b.firstSector)
  const forkBytes = layout.parts.find((part) => part.path === path)?.lengthBytes ?? 0
  const diskBytes = ordered.length > 0 ? layout.sizeBytes : 0
  context.enter('scanning', diskBytes + (isForkDue ? forkBytes : 0))
  const sums =
    ordered.length === 0
      ? []
      : await computeTableChecksums(layout, {
          path,
          signal,
          stretches: ordered.map(({ firstSector, sectorCount }) => ({
            offset: firstSector * sectorBytes,
            sizeBytes: sectorCount * sectorBytes,
          })),
          advance: (doneBytes) => context.advance(doneBytes),
        })
  const sumOf = new Map(ordered.map((table, index) => [table, sums[index] ?? 0] as const))
  const all = tables.map((table) => sumOf.get(table) ?? firstWord(table.checksum))
  const fork = isForkDue
    ? await forkChecksum(layout, path, signal, (doneBytes) => context.advance(diskBytes + doneBytes))
    : 0
  const master = all.reduce((crc, sum) => crc32(u32(sum), crc), 0)

  await checkUnchanged(path, before)
  const { signatureRemoved } = await storeBehindData(
    path,
    {
      remove: new Set(),
      add: [],
      patchTable: (index) => {
        const table = tables[index]
        const sum = table === undefined ? undefined : sumOf.get(table)
        return sum === undefined ? unchanged : withChecksum(sum)
      },
    },
    {
      layout,
      signal,
      change: {
        ...(isForkDue ? { dataChecksumType: crcType, dataChecksumBits: 32, dataChecksum: u32(fork) } : {}),
        ...(isMasterDue ? masterFields(master) : {}),
      },
    },
  )
  const crc = (what: string, value: number): Added => ({ what, algorithm: 'CRC-32', value: hex(value) })
  return {
    added: [
      ...lacking.map((table) => crc(table.name.trim(), sumOf.get(table) ?? 0)),
      ...(isForkDue ? [crc(`data fork of ${path}`, fork)] : []),
      ...(isMasterDue ? [crc('master', master)] : []),
    ],
    besides: null,
    signatureRemoved,
  }
}

const masterFields = (master: number): Partial<Koly> => ({
  masterChecksumType: crcType,
  masterChecksumBits: 32,
  masterChecksum: u32(master),
})

const unchanged: TablePatch = { header: () => undefined, run: () => undefined }

const withChecksum = (sum: number): TablePatch => ({
  header(bytes) {
    bytes.setUint32(mishStruct.offsetOf('checksumType'), crcType)
    bytes.setUint32(mishStruct.offsetOf('checksumBits'), 32)
    bytes.setUint32(mishStruct.offsetOf('checksum'), sum)
  },
  run: () => undefined,
})

/** Of the raw bytes of the first file's data fork. */
async function forkChecksum(
  layout: ExtentLayout,
  path: string,
  signal: AbortSignal,
  advance: (doneBytes: number) => void,
): Promise<number> {
  const part = layout.parts.find((each) => each.path === path)
  if (part === undefined) return 0
  await using source = await openFileSource(path)
  const room = new Uint8Array(pieceBytes)
  let crc = 0
  for (let done = 0; done < part.lengthBytes;) {
    const piece = room.subarray(0, part.lengthBytes - done)
    await source.read(piece, part.fileOffset + done, signal)
    crc = crc32(piece, crc)
    done += piece.length
    advance(done)
  }
  return crc
}

async function addBeside(
  { info }: OpenImage,
  context: JobContext,
  { replace }: Pick<ChecksumRequest, 'replace'>,
): Promise<Outcome> {
  const { path, name } = info
  const about = await stat(path).catch(() => null)
  if (about?.isFile() !== true) {
    const problem = `'${name}' can't be given a checksum: it isn't a single file on this computer.`
    const hint = 'Convert it to an image of one file first.'
    throw new UsageError('E_UNSUPPORTED', problem, { details: { input: path, problem, hint } })
  }
  const known = replace ? null : await readChecksumFile(path)
  context.enter('scanning', about.size)
  const sha256 = await hashFile(path, context.signal, (doneBytes) => context.advance(doneBytes))
  const besides = checksumPath(path)
  if (known !== null) {
    compareChecksum(path, known, sha256)
    return { added: [], besides, signatureRemoved: false }
  }
  await using file = await openReplacementFile(besides, { mode: replace ? 'replace' : 'create' })
  const line = Buffer.from(checksumLine(path, sha256))
  await file.write(line, 0)
  await file.commit(line.length)
  return { added: [{ what: name, algorithm: 'SHA-256', value: sha256 }], besides, signatureRemoved: false }
}

/** The four bytes that count in the master checksum, whatever kind it is of. */
const firstWord = (checksum: ImageChecksum | null) =>
  Number.parseInt((checksum?.value ?? '').slice(0, 8).padEnd(8, '0'), 16)

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
