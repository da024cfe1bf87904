/**
 * Writes a UDIF image anew with its runs' stored bytes in the order of the disk, nothing between them: what a multicast can send
 * from the first byte to the last. Nothing is decoded; tables keep everything but the places of their runs. The new file looks
 * like one of `hdiutil convert`: segment 1 of 1, with a CRC-32 of its data.
 */
import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { BlockSource } from '#engine/block-io'
import { findExtent, kindIndex, type ExtentTable } from '#engine/formats/extents'
import { corrupt } from '#engine/formats/struct'
import { sectorBytes } from '#shared/units'
import { checksumTypes } from './checksum.ts'
import { openEditableList, type ListEdit, type TablePatch } from './edit-list.ts'
import { kolyBytes, kolyStruct, type Koly } from './koly.ts'
import { chunkRunStruct, commentRun, mishStruct, terminatorRun } from './mish.ts'

export interface ReorderOptions {
  readonly source: BlockSource
  readonly koly: Koly
  /** Of the image, as it was read. */
  readonly extents: ExtentTable
  /** What else changes in the list. */
  readonly edit: Pick<ListEdit, 'remove' | 'add'>
  readonly signal: AbortSignal
  /** Called with the stored bytes that were copied. */
  readonly advance: (doneBytes: number) => void
}

const pieceBytes = 1024 * 1024
const at = {
  dataOffset: mishStruct.offsetOf('dataOffset'),
  firstSector: mishStruct.offsetOf('firstSector'),
  type: chunkRunStruct.offsetOf('type'),
  startSector: chunkRunStruct.offsetOf('startSector'),
  sectorCount: chunkRunStruct.offsetOf('sectorCount'),
  compOffset: chunkRunStruct.offsetOf('compOffset'),
}

/** Bytes of runs that a file with its runs in order holds. */
export function orderedBytes(extents: ExtentTable): number {
  let total = 0
  for (let row = 0; row < extents.count; row++)
    total += isStored(extents, row) ? storedBytes(extents, row) : 0
  return total
}

/**
 * Write the file from its byte 0 on. Resolves to its length. Throws what reading and writing throw; the signal's reason.
 */
export async function writeReordered(
  file: { write(bytes: Uint8Array, offset: number): Promise<void> },
  { source, koly, extents, edit, signal, advance }: ReorderOptions,
): Promise<number> {
  const list = await openEditableList(source, koly, edit.remove, signal)
  const places = newPlaces(extents)
  let crc = 0
  let done = 0
  for await (const piece of runBytes(source, koly, extents, signal)) {
    crc = crc32(piece, crc)
    await file.write(piece, done)
    done += piece.length
    advance(done)
  }
  const dataForkLength = done
  const patch = movedRuns(extents, places, dataForkLength)
  for await (const piece of list.edited({ ...edit, patchTable: () => patch() }, signal)) {
    await file.write(piece, done)
    done += piece.length
  }
  const trailer = kolyStruct.encode({
    ...koly,
    runningDataForkOffset: 0,
    dataForkOffset: 0,
    dataForkLength,
    // The classic fork lists the runs where they were.
    rsrcForkOffset: 0,
    rsrcForkLength: 0,
    segmentNumber: 1,
    segmentCount: 1,
    ...(koly.segmentCount === 0 ? { segmentID: randomUUID() } : {}),
    dataChecksumType: checksumTypes.crc32,
    dataChecksumBits: 32,
    dataChecksum: u32(crc),
    xmlOffset: dataForkLength,
    xmlLength: done - dataForkLength,
    codeSignatureOffset: 0,
    codeSignatureLength: 0,
  })
  await file.write(trailer, done)
  return done + kolyBytes
}

const isStored = ({ kind }: ExtentTable, row: number) =>
  kind[row] !== kindIndex.zero && kind[row] !== kindIndex.ignore
const storedBytes = (extents: ExtentTable, row: number) => extents.storedBytes[row] ?? 0

/** Where each row's bytes will be; of a row without any, where they would be. */
function newPlaces(extents: ExtentTable): Float64Array {
  const places = new Float64Array(extents.count)
  let next = 0
  for (let row = 0; row < extents.count; row++) {
    places[row] = next
    if (isStored(extents, row)) next += storedBytes(extents, row)
  }
  return places
}

/** The runs' stored bytes, row by row, in pieces of up to a megabyte. */
async function* runBytes(
  source: BlockSource,
  koly: Koly,
  extents: ExtentTable,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, undefined> {
  let piece = new Uint8Array(pieceBytes)
  let filled = 0
  for (let row = 0; row < extents.count; row++) {
    if (!isStored(extents, row)) continue
    const from = koly.dataForkOffset + (extents.storedOffset[row] ?? 0)
    const length = storedBytes(extents, row)
    for (let done = 0; done < length;) {
      const part = piece.subarray(filled, filled + length - done)
      await source.read(part, from + done, signal)
      done += part.length
      filled += part.length
      if (filled < piece.length) continue
      yield piece
      piece = new Uint8Array(pieceBytes)
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
  return undefined
}

/** Patches for one table after another: all but compOffset stays, of runs and of the terminator. */
function movedRuns(extents: ExtentTable, places: Float64Array, dataBytes: number): () => TablePatch {
  return () => {
    let firstSector = 0
    return {
      header(bytes) {
        firstSector = Number(bytes.getBigUint64(at.firstSector))
        bytes.setBigUint64(at.dataOffset, 0n)
      },
      run(bytes) {
        const type = bytes.getUint32(at.type)
        const sector = firstSector + Number(bytes.getBigUint64(at.startSector))
        const row = findExtent(extents, sector * sectorBytes)
        const isRun = type !== commentRun && type !== terminatorRun && bytes.getBigUint64(at.sectorCount) > 0n
        // Each run is a row of its own: a row that begins elsewhere means that the list isn't the one that was read.
        if (isRun && (row === -1 || extents.diskOffset[row] !== sector * sectorBytes))
          throw corrupt({ format: 'udif', field: 'chunkRun.startSector', offset: 0, found: sector })
        bytes.setBigUint64(at.compOffset, BigInt(row === -1 ? dataBytes : (places[row] ?? dataBytes)))
      },
    }
  }
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
