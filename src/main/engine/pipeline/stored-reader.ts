/** Reads the stored stream of an image, which may lie in several files, by descriptors that threads share. */
import { read, readSync } from 'node:fs'
import { readFailure, type BlockSource } from '#engine/block-io'
import type { StoredPart } from '#engine/formats/extents'
import { FormatError } from '#shared/errors'
import { publicLocator } from '#shared/model'
import { readPiece, readPieceLater } from './encrypted-reader.ts'
import { PartFiles } from './part-files.ts'
import { readWindow, readWindowLater, type WindowFile } from './web-window.ts'

/** A part and an open descriptor of its file; null: it is opened when it is read. Parts ascend by `streamOffset`. */
export interface OpenPart extends StoredPart {
  readonly fd: number | null
  /** What is read in its place where the file is on a server. */
  readonly web?: WindowFile
  /** Fills `into` from there, on this thread alone: no worker gets such a part. */
  readonly fetch?: (into: Uint8Array, offset: number) => Promise<void>
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
  return { path: publicLocator(part.path), offset: part.fileOffset + streamOffset - part.streamOffset }
}

/**
 * Fill `into` from `streamOffset`, blocking the thread. Throws DeviceError E_IO_READ or E_SRC_GONE, FormatError
 * E_SRC_CORRUPT when the stream ends before.
 */
export function readStored(
  parts: readonly OpenPart[],
  streamOffset: number,
  into: Uint8Array,
  files: PartFiles,
): void {
  for (let done = 0; done < into.length;) {
    const { part, offset, lengthBytes } = nextRead(parts, streamOffset, done, into.length)
    let got: number
    try {
      got = files.with(part, (fd) =>
        part.cipher === undefined
          ? readNow(part, fd, into.subarray(done, done + lengthBytes), offset)
          : readPiece(part.cipher, offset, into.subarray(done, done + lengthBytes), (room, length, at) =>
              readNow(part, fd, room.subarray(0, length), at),
            ),
      )
    } catch (error) {
      if (isInterruption(error)) continue
      throw readFailure(error, publicLocator(part.path), offset, 'source')
    }
    if (got === 0) throw endsEarly(parts, streamOffset, into.length, done)
    done += got
  }
}

function readNow(part: OpenPart, fd: number, room: Uint8Array, offset: number): number {
  return part.web === undefined
    ? readSync(fd, room, 0, room.length, offset)
    : readWindow(part.web, offset, room)
}

/** The same, without blocking. */
export async function readStoredLater(
  parts: readonly OpenPart[],
  streamOffset: number,
  into: Uint8Array,
  files: PartFiles,
): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { part, offset, lengthBytes } = nextRead(parts, streamOffset, done, into.length)
    const readFrom = (fd: number, room: Uint8Array, length: number, at: number) =>
      part.fetch !== undefined
        ? part.fetch(room.subarray(0, length), at).then(() => length)
        : part.web !== undefined
          ? readWindowLater(part.web, at, room.subarray(0, length))
          : new Promise<number>((resolve, reject) => {
              read(fd, room, 0, length, at, (error, bytes) => {
                if (error === null) resolve(bytes)
                else if (isInterruption(error)) resolve(-1)
                else reject(readFailure(error, publicLocator(part.path), offset, 'source'))
              })
            })
    const wanted = into.subarray(done, done + lengthBytes)
    const readPart = (fd: number) =>
      part.cipher === undefined
        ? readFrom(fd, wanted, lengthBytes, offset)
        : readPieceLater(part.cipher, offset, wanted, (room, length, at) => readFrom(fd, room, length, at))
    // An open file costs no trip through another promise.
    const got = await (part.fd === null ? files.withLater(part, readPart) : readPart(part.fd))
    if (got === 0) throw endsEarly(parts, streamOffset, into.length, done)
    done += Math.max(0, got)
  }
}

/** A part that is a whole file, as a source whose reads block the thread. */
export function partSource(part: OpenPart): BlockSource {
  const files = new PartFiles()
  return {
    path: part.path,
    sizeBytes: part.lengthBytes,
    async read(into, offset, signal) {
      signal?.throwIfAborted()
      readStored([part], offset, into, files)
    },
    async [Symbol.asyncDispose]() {
      files[Symbol.dispose]()
    },
  }
}

/** What to ask of which file, when `done` of `wanted` bytes from `streamOffset` are there. */
function nextRead(parts: readonly OpenPart[], streamOffset: number, done: number, wanted: number) {
  const at = streamOffset + done
  const part = parts[partAt(parts, at)]
  const left = part === undefined ? 0 : part.streamOffset + part.lengthBytes - at
  if (part === undefined || left <= 0) throw endsEarly(parts, streamOffset, wanted, done)
  return {
    part,
    offset: part.fileOffset + at - part.streamOffset,
    lengthBytes: Math.min(left, wanted - done),
  }
}

const isInterruption = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EINTR'

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

function endsEarly(parts: readonly OpenPart[], from: number, wanted: number, found: number): FormatError {
  const start = storedPlace(parts, from)
  return new FormatError('E_SRC_CORRUPT', `${start.path} ends inside the data at ${start.offset}`, {
    details: {
      format: 'image',
      field: 'data',
      offset: start.offset,
      expected: wanted,
      found,
      path: start.path,
    },
  })
}
