/** A regular file that is changed where it is: what editors of images write through. */
import { open } from 'node:fs/promises'
import type { BlockSource } from './block-source.ts'
import { readFully, regularFileSize } from './file-source.ts'
import { openFailure, writeFailure } from './system-failure.ts'

export interface SetSizeOptions {
  readonly signal: AbortSignal
  /** Called with the new bytes that are there, where they have to be written. */
  readonly advance: (doneBytes: number) => void
}

/**
 * A `BlockSource` that is written into, by one caller, one call after another. What is written counts when `flush` resolves; before,
 * a stop leaves the file as it was, or as it will be.
 */
export interface EditableFile extends BlockSource {
  /** All of `bytes`; a file that ends before grows, with zeros in between. Throws DeviceError. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** Everything written is on the medium. Throws DeviceError. */
  flush(): Promise<void>
  /**
   * On the medium when it resolves; what is new is zeros. Throws DeviceError, the signal's reason: the file is then as long as it
   * was, and good for nothing but to be closed.
   */
  setSize(sizeBytes: number, options: SetSizeOptions): Promise<void>
}

/** Throws DeviceError E_NOT_FOUND, E_DENIED, E_DST_READONLY, …; FormatError E_SRC_FORMAT for what isn't a regular file. */
export async function openEditableFile(path: string): Promise<EditableFile> {
  const handle = await open(path, 'r+').catch((error: unknown) => {
    throw openFailure(error, path, 'destination')
  })
  let sizeBytes = await regularFileSize(handle, path)
  const writing = async <T>(work: Promise<T>, offset?: number): Promise<T> =>
    await work.catch((error: unknown) => {
      throw writeFailure(error, path, offset)
    })
  return {
    path,
    get sizeBytes() {
      return sizeBytes
    },
    read: (into, offset, signal) => readFully(handle, path, { into, offset, signal }),
    async write(bytes, offset) {
      for (let done = 0; done < bytes.length;) {
        const at = offset + done
        done += (await writing(handle.write(bytes, done, bytes.length - done, at), at)).bytesWritten
      }
      sizeBytes = Math.max(sizeBytes, offset + bytes.length)
    },
    flush: () => writing(handle.sync()),
    async setSize(newBytes) {
      await writing(handle.truncate(newBytes))
      await writing(handle.sync())
      sizeBytes = newBytes
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}
