/** A regular file as a `BlockSource`: what format parsers read an image through. */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { FormatError } from '#shared/errors'
import type { BlockSource } from './block-source.ts'
import { openFailure, readFailure } from './system-failure.ts'

/**
 * Open the file at `path` for reading. Its size is taken now: a file that shrinks later ends early and says so.
 * Throws DeviceError E_NOT_FOUND, E_DENIED, E_SRC_GONE, E_IO_READ; FormatError E_SRC_FORMAT for what isn't a regular
 * file (a folder, a socket, a pipe; a device is opened by the platform, which knows its size).
 */
export async function openFileSource(path: string): Promise<BlockSource> {
  // Without O_NONBLOCK, opening a pipe would wait for someone to write into it. It means nothing for a file.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw openFailure(error, path, 'source')
  })
  return {
    path,
    sizeBytes: await regularFileSize(handle, path),
    read: (into, offset, signal) => readFully(handle, path, { into, offset, signal }),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** How long the file at `path` is, in bytes. Closes it and throws FormatError E_SRC_FORMAT if it isn't a regular one. */
export async function regularFileSize(handle: FileHandle, path: string): Promise<number> {
  try {
    const stat = await handle.stat()
    if (stat.isFile()) return stat.size
    throw new FormatError('E_SRC_FORMAT', `${path} is not a regular file`, {
      details: { format: 'file', field: 'kind', offset: 0, expected: 'a regular file', path },
    })
  } catch (error) {
    await handle.close()
    throw error
  }
}

interface Read {
  readonly into: Uint8Array
  readonly offset: number
  readonly signal: AbortSignal | undefined
}

/** As `BlockSource.read`: all of `into`, however many reads the system makes of it. */
export async function readFully(
  handle: FileHandle,
  path: string,
  { into, offset, signal }: Read,
): Promise<void> {
  for (let done = 0; done < into.length;) {
    signal?.throwIfAborted()
    const at = offset + done
    const { bytesRead } = await handle.read(into, done, into.length - done, at).catch((error: unknown) => {
      throw readFailure(error, path, at, 'source')
    })
    if (bytesRead === 0)
      throw new FormatError('E_SRC_CORRUPT', `${path} ends at ${at}, inside ${offset}+${into.length}`, {
        details: { format: 'file', field: 'length', offset, expected: offset + into.length, found: at, path },
      })
    done += bytesRead
  }
}
