/** Reads the stored stream of an image, which may lie in several files, in a worker: blocking, by shared descriptors. */
import { readSync } from 'node:fs'
import { readFailure } from '#engine/block-io'
import type { StoredPart } from '#engine/formats/extents'
import { FormatError } from '#shared/errors'

/** A part and an open descriptor of its file. Parts ascend by `streamOffset`. */
export interface OpenPart extends StoredPart {
  readonly fd: number
}

export interface StoredPlace {
  readonly path: string
  /** In the file at `path`. */
  readonly offset: number
}

/** Where byte `streamOffset` of the stored stream lies, for messages; past the last part: as if that went on. */
export function storedPlace(parts: readonly OpenPart[], streamOffset: number): StoredPlace {
  const part = parts[Math.max(0, partAt(parts, streamOffset))]
  if (part === undefined) return { path: '', offset: streamOffset }
  return { path: part.path, offset: part.fileOffset + streamOffset - part.streamOffset }
}

/**
 * Fill `into` from `streamOffset`. Throws DeviceError E_IO_READ or E_SRC_GONE, FormatError E_SRC_CORRUPT when the
 * stream ends before. Returns how many bytes were read: all.
 */
export function readStored(parts: readonly OpenPart[], streamOffset: number, into: Uint8Array): number {
  let done = 0
  while (done < into.length) {
    const at = streamOffset + done
    const part = parts[partAt(parts, at)]
    const left = part === undefined ? 0 : part.streamOffset + part.lengthBytes - at
    if (part === undefined || left <= 0) throw endsEarly(parts, streamOffset, into.length, at)
    const want = Math.min(left, into.length - done)
    const fileOffset = part.fileOffset + at - part.streamOffset
    const got = readSome(part, into, done, want, fileOffset)
    if (got === 0) throw endsEarly(parts, streamOffset, into.length, at)
    done += got
  }
  return done
}

function readSome(
  part: OpenPart,
  into: Uint8Array,
  at: number,
  lengthBytes: number,
  fileOffset: number,
): number {
  for (;;) {
    try {
      return readSync(part.fd, into, at, lengthBytes, fileOffset)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EINTR') continue
      throw readFailure(error, part.path, fileOffset, 'source')
    }
  }
}

/** The last part that begins at or before `streamOffset`; -1 when there is none. */
function partAt(parts: readonly OpenPart[], streamOffset: number): number {
  let low = 0
  let high = parts.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if ((parts[middle]?.streamOffset ?? 0) <= streamOffset) low = middle + 1
    else high = middle - 1
  }
  return high
}

function endsEarly(parts: readonly OpenPart[], from: number, lengthBytes: number, end: number): FormatError {
  const start = storedPlace(parts, from)
  return new FormatError('E_SRC_CORRUPT', `${start.path} ends inside the data at ${start.offset}`, {
    details: {
      format: 'image',
      field: 'data',
      offset: start.offset,
      expected: lengthBytes,
      found: end - from,
      path: start.path,
    },
  })
}
