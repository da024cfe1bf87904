/** A regular file as a `BlockSource`: what format parsers read an image through. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
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
  try {
    const stat = await handle.stat()
    if (!stat.isFile())
      throw new FormatError('E_SRC_FORMAT', `${path} is not a regular file`, {
        details: { format: 'file', field: 'kind', offset: 0, expected: 'a regular file', path },
      })
    return {
      path,
      sizeBytes: stat.size,
      async read(into, offset, signal) {
        for (let done = 0; done < into.length;) {
          signal?.throwIfAborted()
          const { bytesRead } = await handle
            .read(into, done, into.length - done, offset + done)
            .catch((error: unknown) => {
              throw readFailure(error, path, offset + done, 'source')
            })
          if (bytesRead === 0) throw endsEarly(path, offset, into.length, offset + done)
          done += bytesRead
        }
      },
      async [Symbol.asyncDispose]() {
        await handle.close()
      },
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function endsEarly(path: string, offset: number, lengthBytes: number, end: number): FormatError {
  return new FormatError('E_SRC_CORRUPT', `${path} ends at ${end}, inside ${offset}+${lengthBytes}`, {
    details: { format: 'file', field: 'length', offset, expected: offset + lengthBytes, found: end, path },
  })
}
