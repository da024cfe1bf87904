/** The disk inside an image, open to become larger or smaller: one face for the three ways such disks are stored. */
import type { SetSizeOptions } from '#engine/block-io'
import { editImageFile, readBandCipher, type EditedImageFile } from '#engine/formats/image'
import type { MapWrite } from '#engine/formats/partition-map'
import { SparseBundleEditor, SparseImageEditor } from '#engine/formats/sparse'
import { corrupt, type ReadDisk } from '#engine/formats/struct'
import { sectorBytes } from '#shared/units'
import { rewriteSparseImage } from './rewrite-sparse-image.ts'

export interface ResizableDisk extends AsyncDisposable {
  readonly sizeBytes: number
  /** What is new is written byte by byte, which takes its time. */
  readonly storesZeros: boolean
  /** Throws FormatError for what lies outside; DeviceError. */
  readonly read: ReadDisk
  /** `bytes` lie on the disk. On the medium when `flush` resolves. Throws DeviceError. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  flush(): Promise<void>
  /** Behind this the disk is zeros. */
  dataEnd(): Promise<number>
  /**
   * Whole sectors; only larger where there is `shrinkAnew`. On the medium when it resolves; what is new is zeros. Throws DeviceError, the
   * signal's reason: a disk that was to become larger is as it was then.
   */
  setSize(sizeBytes: number, options: SetSizeOptions): Promise<void>
  /**
   * After `setSize` made it larger: as large as it was when it was opened. What was written below that stays. It is good for nothing but to be
   * closed then. Throws DeviceError.
   */
  undoGrowth(options: SetSizeOptions): Promise<void>
  /**
   * Where a disk can't become smaller in its place: the file is written anew with `writes` on the disk. All of that is on the medium when
   * it resolves, and nothing is changed when it throws: DeviceError, the signal's reason. Else null.
   */
  readonly shrinkAnew:
    ((sizeBytes: number, writes: readonly MapWrite[], options: SetSizeOptions) => Promise<void>) | null
}

/** Of the three kinds that can be written into. Throws DeviceError; FormatError of a sparse image, E_SRC_ENCRYPTED. */
export async function openResizableDisk(path: string, kind: 'raw' | 'UDSP' | 'UDSB'): Promise<ResizableDisk> {
  if (kind === 'UDSB') return await openBundle(path)
  const image = await editImageFile(path)
  try {
    return kind === 'UDSP' ? await openSparse(image) : openRaw(image)
  } catch (error) {
    await image[Symbol.asyncDispose]()
    throw error
  }
}

function openRaw(image: EditedImageFile): ResizableDisk {
  const { file, isEncrypted } = image
  // The last sector of an odd file ends in zeros.
  const diskBytes = () => Math.ceil(file.sizeBytes / sectorBytes) * sectorBytes
  const fileBytes = file.sizeBytes
  return {
    get sizeBytes() {
      return diskBytes()
    },
    storesZeros: isEncrypted,
    async read(offset, lengthBytes) {
      checkInside(offset, lengthBytes, diskBytes())
      const bytes = new Uint8Array(lengthBytes)
      const there = Math.min(lengthBytes, file.sizeBytes - offset)
      if (there > 0) await file.read(bytes.subarray(0, there), offset)
      return bytes
    },
    write: (bytes, offset) => file.write(bytes, offset),
    flush: () => file.flush(),
    dataEnd: async () => diskBytes(),
    setSize: (sizeBytes, options) => file.setSize(sizeBytes, options),
    undoGrowth: (options) => file.setSize(fileBytes, options),
    shrinkAnew: null,
    [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
  }
}

async function openSparse(image: EditedImageFile): Promise<ResizableDisk> {
  const editor = await SparseImageEditor.open(image.file)
  return {
    get sizeBytes() {
      return editor.geometry.sizeBytes
    },
    storesZeros: false,
    async read(offset, lengthBytes) {
      checkInside(offset, lengthBytes, editor.geometry.sizeBytes)
      return await editor.read(offset, lengthBytes)
    },
    write: (bytes, offset) => editor.write(bytes, offset),
    flush: () => editor.flush(),
    dataEnd: async () => editor.dataEnd(),
    setSize: (sizeBytes) => editor.grow(sizeBytes),
    undoGrowth: (options) => editor.undoGrowth(options),
    // Bands can't be taken out of the middle of the file.
    shrinkAnew: (sizeBytes, writes, options) =>
      rewriteSparseImage(editor, image, { ...options, sizeBytes, writes, keep: 'always' }),
    [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
  }
}

async function openBundle(path: string): Promise<ResizableDisk> {
  const editor = await SparseBundleEditor.open(path, await readBandCipher(path))
  const beforeBytes = editor.geometry.sizeBytes
  return {
    get sizeBytes() {
      return editor.geometry.sizeBytes
    },
    storesZeros: false,
    async read(offset, lengthBytes) {
      checkInside(offset, lengthBytes, editor.geometry.sizeBytes)
      return await editor.read(offset, lengthBytes)
    },
    write: (bytes, offset) => editor.write(bytes, offset),
    flush: () => editor.flush(),
    dataEnd: () => editor.dataEnd(),
    setSize: (sizeBytes) => editor.setSize(sizeBytes),
    undoGrowth: () => editor.undoGrowth(beforeBytes),
    shrinkAnew: null,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function checkInside(offset: number, lengthBytes: number, sizeBytes: number): void {
  if (offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= sizeBytes) return
  const expected = `within ${sizeBytes}`
  throw corrupt({ format: 'disk', field: 'offset', offset, found: lengthBytes, expected })
}
