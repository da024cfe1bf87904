/** The checksum of a file's data fork: over its bytes as they are stored, whatever they mean. */
import { crc32 } from 'node:zlib'
import { allocatePageAligned } from '#engine/block-io'
import { openDecrypted } from '#engine/formats/encrypted'
import type { ExtentLayout } from '#engine/formats/extents'
import { openStoredAgain } from '#engine/formats/stored'
import { FormatError } from '#shared/errors'
import { publicLocator } from '#shared/model'

export type StoredCheck = ExtentLayout['storedChecks'][number]

const pieceBytes = 1024 * 1024

/**
 * Read the stretch and compare. `advance` is called with the bytes read so far. Throws FormatError E_SRC_CORRUPT, what
 * reading throws, the signal's reason.
 */
export async function checkStoredBytes(
  check: StoredCheck,
  signal: AbortSignal,
  advance: (doneBytes: number) => void,
): Promise<void> {
  const file = await openStoredAgain(check, { signal })
  await using source = check.cipher === undefined ? file : openDecrypted(file, check.cipher)
  // Two pieces: one is read while the other is counted.
  const room = allocatePageAligned(2 * pieceBytes)
  const end = check.fileOffset + check.lengthBytes
  const piece = (offset: number) => {
    const at = (((offset - check.fileOffset) / pieceBytes) % 2) * pieceBytes
    return room.subarray(at, at + Math.min(pieceBytes, end - offset))
  }
  let crc = 0
  let coming = source.read(piece(check.fileOffset), check.fileOffset, signal)
  for (let offset = check.fileOffset; offset < end; offset += pieceBytes) {
    await coming
    const next = offset + pieceBytes
    coming = next < end ? source.read(piece(next), next, signal) : Promise.resolve()
    // When counting fails nobody waits for it.
    coming.catch(() => undefined)
    const bytes = piece(offset)
    crc = crc32(bytes, crc)
    advance(offset + bytes.length - check.fileOffset)
  }
  if (crc !== check.crc32) throw wrongChecksum(check, crc)
}

function wrongChecksum(
  { path, fileOffset, lengthBytes, crc32: expected }: StoredCheck,
  found: number,
): FormatError {
  const shown = publicLocator(path)
  return new FormatError('E_SRC_CORRUPT', `${shown}: checksum of the data fork is wrong`, {
    details: {
      format: 'udif',
      field: 'koly.dataChecksum',
      offset: fileOffset,
      lengthBytes,
      expected: hex(expected),
      found: hex(found),
      path: shown,
    },
  })
}

/** As image tools print them. */
export const hex = (crc: number) => crc.toString(16).padStart(8, '0')
