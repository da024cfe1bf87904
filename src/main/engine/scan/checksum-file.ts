/** The file beside an image that has no place for a checksum of its own: `disk.img.sha256`, in the form of sha256sum(1). */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { openFileSource } from '#engine/block-io'
import { DeviceError, FormatError } from '#shared/errors'

export const checksumPath = (path: string): string => `${path}.sha256`

const pieceBytes = 1024 * 1024
/** A list of many files may be longer; one that belongs to an image isn't. */
const mostBytes = 64 * 1024

/** What is written into it. */
export const checksumLine = (path: string, sha256: string): string => `${sha256}  ${basename(path)}\n`

/**
 * The digest of the image at `path` that stands beside it; null when nothing does. Throws FormatError E_SRC_CORRUPT for a file
 * that names none; what reading throws.
 */
export async function readChecksumFile(path: string): Promise<string | null> {
  const beside = checksumPath(path)
  let text: string
  try {
    await using source = await openFileSource(beside)
    const bytes = new Uint8Array(Math.min(source.sizeBytes, mostBytes))
    await source.read(bytes, 0)
    text = Buffer.from(bytes).toString('utf8')
  } catch (error) {
    if (error instanceof DeviceError && error.code === 'E_NOT_FOUND') return null
    throw error
  }
  const lines = text.split('\n').map((line) => /^([0-9a-fA-F]{64})(?:\s+\*?(.*))?$/.exec(line.trim()))
  const named = lines.find((line) => line?.[2] !== undefined && basename(line[2]) === basename(path))
  const found = named ?? lines.find((line) => line !== null && line[2] === undefined)
  if (found?.[1] === undefined)
    throw new FormatError('E_SRC_CORRUPT', `${beside} holds no SHA-256 of ${path}`, {
      details: {
        format: 'sha256',
        field: 'checksum',
        offset: 0,
        expected: 'a SHA-256 and the name of the image',
        path: beside,
      },
    })
  return found[1].toLowerCase()
}

/** SHA-256 of a file's bytes as they are. `advance` is called with the bytes read so far. */
export async function hashFile(
  path: string,
  signal: AbortSignal,
  advance: (doneBytes: number) => void,
): Promise<string> {
  await using source = await openFileSource(path)
  const hash = createHash('sha256')
  const room = [new Uint8Array(pieceBytes), new Uint8Array(pieceBytes)]
  const read = async (offset: number) => {
    const piece = room[(offset / pieceBytes) % 2]?.subarray(0, source.sizeBytes - offset) ?? new Uint8Array(0)
    await source.read(piece, offset, signal)
    return piece
  }
  // One piece is read while the other is hashed.
  let coming = source.sizeBytes > 0 ? read(0) : Promise.resolve(new Uint8Array(0))
  for (let offset = 0; offset < source.sizeBytes; offset += pieceBytes) {
    const piece = await coming
    const next = offset + pieceBytes
    coming = next < source.sizeBytes ? read(next) : Promise.resolve(new Uint8Array(0))
    // When hashing fails nobody waits for it.
    coming.catch(() => undefined)
    hash.update(piece)
    advance(offset + piece.length)
  }
  return hash.digest('hex')
}

/** Throws FormatError E_SRC_CORRUPT when the two differ. */
export function compareChecksum(path: string, expected: string, found: string): void {
  if (expected === found) return
  throw new FormatError('E_SRC_CORRUPT', `${path} isn't what ${checksumPath(path)} says`, {
    details: { format: 'sha256', field: 'SHA-256', offset: 0, expected, found, path },
  })
}
