/**
 * A sparse image file written anew: bands in the order of the disk, none that is all zeros. The old file stays whole until
 * the new one is on the medium.
 */
import { stat } from 'node:fs/promises'
import { openFailure, openReplacementFile } from '#engine/block-io'
import { fileStamp } from '#engine/formats/extents'
import type { EditedImageFile } from '#engine/formats/image'
import type { MapWrite } from '#engine/formats/partition-map'
import { SparseImageWriter, type SparseImageEditor } from '#engine/formats/sparse'
import { DeviceError } from '#shared/errors'

const pieceBytes = 1024 * 1024

export interface RewriteOptions {
  /** Of the disk, afterwards; at most what it is. */
  readonly sizeBytes: number
  /** What lies on the disk afterwards, later ones over earlier ones. */
  readonly writes: readonly MapWrite[]
  readonly signal: AbortSignal
  /** Called with the bytes of the disk that are done. */
  readonly advance: (doneBytes: number) => void
  /** `smaller`: only if the file becomes smaller. */
  readonly keep: 'always' | 'smaller'
}

/** Throws DeviceError E_DST_FULL, …; E_DST_BUSY when somebody else writes the file; the signal's reason. */
export async function rewriteSparseImage(
  editor: SparseImageEditor,
  { file: { path }, newFile }: Pick<EditedImageFile, 'file' | 'newFile'>,
  { sizeBytes, writes, signal, advance, keep }: RewriteOptions,
): Promise<void> {
  const before = await stampOf(path)
  const { bandBytes } = editor.geometry
  await using file = await openReplacementFile(path, { mode: 'replace' })
  const inside = await newFile(file)
  const writer = new SparseImageWriter(inside, bandBytes)
  const written = writes.flatMap((write) => bandsOf(write, bandBytes))
  for (const index of [...new Set([...editor.storedBands(), ...written])].toSorted((a, b) => a - b)) {
    const end = Math.min(sizeBytes, (index + 1) * bandBytes)
    for (let at = index * bandBytes; at < end; at += pieceBytes) {
      signal.throwIfAborted()
      const piece = await editor.read(at, Math.min(pieceBytes, end - at))
      for (const write of writes) overlay(piece, at, write)
      await writer.write(piece, at)
      advance(Math.min(end, at + pieceBytes))
    }
  }
  const storedBytes = await inside.finish(await writer.finish(sizeBytes))
  const now = await stampOf(path)
  if (now !== before)
    throw new DeviceError('E_DST_BUSY', `${path} is being written`, {
      details: { path, holders: ['another program'] },
    })
  if (keep === 'smaller' && storedBytes >= (await stat(path)).size) return
  signal.throwIfAborted()
  await file.commit(storedBytes)
}

function bandsOf({ offset, bytes }: MapWrite, bandBytes: number): readonly number[] {
  const first = Math.floor(offset / bandBytes)
  const end = Math.ceil((offset + bytes.length) / bandBytes)
  return Array.from({ length: end - first }, (_, index) => first + index)
}

/** `piece` lies at `at` of the disk. */
function overlay(piece: Uint8Array, at: number, { offset, bytes }: MapWrite): void {
  const from = Math.max(at, offset)
  const to = Math.min(at + piece.length, offset + bytes.length)
  if (from < to) piece.set(bytes.subarray(from - offset, to - offset), from - at)
}

async function stampOf(path: string): Promise<string> {
  return fileStamp(
    await stat(path).catch((error: unknown) => {
      throw openFailure(error, path, 'source')
    }),
  )
}
