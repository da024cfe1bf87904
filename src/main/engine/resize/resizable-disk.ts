/** The disk inside an image, open to become larger or smaller: one face for the three ways such disks are stored. */
import { open, type FileHandle } from 'node:fs/promises'
import { openFailure, readFailure, writeFailure } from '#engine/block-io'
import { readBandCipher } from '#engine/formats/image'
import { SparseBundleEditor, SparseImageEditor } from '#engine/formats/sparse'
import { corrupt, type ReadDisk } from '#engine/formats/struct'
import { rewriteSparseImage } from './rewrite-sparse-image.ts'

export interface ResizableDisk extends AsyncDisposable {
  readonly sizeBytes: number
  /** Throws FormatError for what lies outside; DeviceError. */
  readonly read: ReadDisk
  /** `bytes` lie on the disk. On the medium when `flush` resolves. Throws DeviceError. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  flush(): Promise<void>
  /** Behind this the disk is zeros. */
  dataEnd(): Promise<number>
  /** Whole sectors. On the medium when it resolves; what is new is zeros. Throws DeviceError, the signal's reason. */
  setSize(sizeBytes: number, signal: AbortSignal): Promise<void>
}

/** Of the three kinds that can be written into. Throws DeviceError; FormatError of a sparse image. */
export async function openResizableDisk(path: string, kind: 'raw' | 'UDSP' | 'UDSB'): Promise<ResizableDisk> {
  if (kind === 'UDSB') return await openBundle(path)
  const file = await open(path, 'r+').catch((error: unknown) => {
    throw openFailure(error, path, 'destination')
  })
  try {
    return kind === 'UDSP' ? await openSparse(path, file) : await openRaw(path, file)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openRaw(path: string, file: FileHandle): Promise<ResizableDisk> {
  // The last sector of an odd file ends in zeros.
  let sizeBytes = Math.ceil((await file.stat()).size / 512) * 512
  const writing = async <T>(work: Promise<T>, offset?: number): Promise<T> =>
    await work.catch((error: unknown) => {
      throw writeFailure(error, path, offset)
    })
  return {
    get sizeBytes() {
      return sizeBytes
    },
    async read(offset, lengthBytes) {
      checkInside(offset, lengthBytes, sizeBytes)
      const bytes = new Uint8Array(lengthBytes)
      for (let done = 0; done < lengthBytes;) {
        const { bytesRead } = await file
          .read(bytes, done, lengthBytes - done, offset + done)
          .catch((error: unknown) => {
            throw readFailure(error, path, offset + done, 'source')
          })
        if (bytesRead === 0) break
        done += bytesRead
      }
      return bytes
    },
    async write(bytes, offset) {
      for (let done = 0; done < bytes.length;) {
        const at = offset + done
        done += (await writing(file.write(bytes, done, bytes.length - done, at), at)).bytesWritten
      }
    },
    flush: () => writing(file.sync()),
    dataEnd: async () => sizeBytes,
    async setSize(newBytes) {
      await writing(file.truncate(newBytes))
      await writing(file.sync())
      sizeBytes = newBytes
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

async function openSparse(path: string, file: FileHandle): Promise<ResizableDisk> {
  const editor = await SparseImageEditor.open(path, file)
  return {
    get sizeBytes() {
      return editor.geometry.sizeBytes
    },
    async read(offset, lengthBytes) {
      checkInside(offset, lengthBytes, editor.geometry.sizeBytes)
      return await editor.read(offset, lengthBytes)
    },
    write: (bytes, offset) => editor.write(bytes, offset),
    flush: () => editor.flush(),
    dataEnd: async () => editor.dataEnd(),
    async setSize(sizeBytes, signal) {
      if (sizeBytes >= editor.geometry.sizeBytes) return await editor.grow(sizeBytes)
      // Bands can't be taken out of the middle of the file: it is written anew.
      await rewriteSparseImage(editor, path, { sizeBytes, signal, advance: () => undefined, keep: 'always' })
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

async function openBundle(path: string): Promise<ResizableDisk> {
  const editor = await SparseBundleEditor.open(path, await readBandCipher(path))
  return {
    get sizeBytes() {
      return editor.geometry.sizeBytes
    },
    async read(offset, lengthBytes) {
      checkInside(offset, lengthBytes, editor.geometry.sizeBytes)
      return await editor.read(offset, lengthBytes)
    },
    write: (bytes, offset) => editor.write(bytes, offset),
    flush: () => editor.flush(),
    dataEnd: () => editor.dataEnd(),
    setSize: (sizeBytes) => editor.setSize(sizeBytes),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function checkInside(offset: number, lengthBytes: number, sizeBytes: number): void {
  if (offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= sizeBytes) return
  const expected = `within ${sizeBytes}`
  throw corrupt({ format: 'disk', field: 'offset', offset, found: lengthBytes, expected })
}
