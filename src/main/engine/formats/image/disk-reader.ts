/**
 * Random access to the disk inside an image: for partition maps and file systems, a few kilobytes here and there. One
 * decoded run is kept. What restores read goes through the pipeline instead. Codecs are loaded with the first run that needs one.
 */
import type { BlockSource } from '#engine/block-io'
import { openDecrypted } from '#engine/formats/encrypted'
import { findExtent, type ExtentLayout, type StoredPart } from '#engine/formats/extents'
import { corrupt, type ReadDisk } from '#engine/formats/struct'
import { runKinds } from '#shared/model'

export interface DiskReaderOptions {
  /** Opens a file of the image. The reader closes what it opened. */
  readonly open: (path: string) => Promise<BlockSource>
  /** Bytes to decode at most: what looks into an image must not take longer than its answer is worth. */
  readonly decodeBudgetBytes: number
  readonly signal?: AbortSignal
}

/** Files of the image, of those it has. */
const mostOpen = 8

/** Decoders have one scratch memory per thread: their calls must follow one another, whoever makes them. */
let lastDecode: Promise<void> = Promise.resolve()

function inTurn(decode: () => void | Promise<void>): Promise<void> {
  const result = lastDecode.then(decode)
  lastDecode = result.catch(() => {})
  return result
}

export class DiskReader implements AsyncDisposable {
  readonly #layout: ExtentLayout
  readonly #options: DiskReaderOptions
  readonly #sources = new Map<string, Promise<BlockSource>>()
  #budgetBytes: number
  #cachedRow = -1
  #cached = new Uint8Array(0)

  constructor(layout: ExtentLayout, options: DiskReaderOptions) {
    this.#layout = layout
    this.#options = options
    this.#budgetBytes = options.decodeBudgetBytes
  }

  /** Calls must follow one another. */
  readonly read: ReadDisk = async (offset, lengthBytes) => {
    const { sizeBytes, extents } = this.#layout
    if (!(offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= sizeBytes))
      throw corrupt({
        format: 'disk',
        field: 'offset',
        offset,
        found: lengthBytes,
        expected: `within ${sizeBytes}`,
      })
    const bytes = new Uint8Array(lengthBytes)
    for (let done = 0; done < lengthBytes;) {
      const row = findExtent(extents, offset + done)
      const within = offset + done - (extents.diskOffset[row] ?? 0)
      const length = Math.min(lengthBytes - done, (extents.diskBytes[row] ?? 0) - within)
      await this.#readRow(row, within, bytes.subarray(done, done + length))
      done += length
    }
    return bytes
  }

  async #readRow(row: number, within: number, into: Uint8Array): Promise<void> {
    const { extents } = this.#layout
    const kind = runKinds[extents.kind[row] ?? 0]
    const storedOffset = extents.storedOffset[row] ?? 0
    const storedBytes = extents.storedBytes[row] ?? 0
    if (kind === undefined || kind === 'zero' || kind === 'ignore') return
    if (kind === 'raw') {
      const length = Math.min(into.length, Math.max(0, storedBytes - within))
      await this.#readStored(into.subarray(0, length), storedOffset + within)
      return
    }
    if (row !== this.#cachedRow) {
      const diskBytes = extents.diskBytes[row] ?? 0
      this.#budgetBytes -= diskBytes
      if (this.#budgetBytes < 0)
        throw corrupt({
          format: 'disk',
          field: 'run',
          offset: storedOffset,
          expected: 'less to look through',
        })
      const stored = new Uint8Array(storedBytes)
      await this.#readStored(stored, storedOffset)
      const decoded = new Uint8Array(diskBytes)
      const { decodeRun } = await import('#engine/formats/codecs')
      await inTurn(() => decodeRun(kind, stored, decoded))
      this.#cachedRow = row
      this.#cached = decoded
    }
    into.set(this.#cached.subarray(within, within + into.length))
  }

  /** From the stored stream, which may go on in another file. */
  async #readStored(into: Uint8Array, streamOffset: number): Promise<void> {
    let done = 0
    for (const part of this.#layout.parts) {
      const at = streamOffset + done
      const within = at - part.streamOffset
      if (within < 0 || within >= part.lengthBytes) continue
      const length = Math.min(into.length - done, part.lengthBytes - within)
      const source = await this.#open(part)
      await source.read(into.subarray(done, done + length), part.fileOffset + within, this.#options.signal)
      done += length
      if (done === into.length) return
    }
    if (done < into.length)
      throw corrupt({ format: 'disk', field: 'run', offset: streamOffset + done, expected: 'stored bytes' })
  }

  async #open(part: StoredPart): Promise<BlockSource> {
    const known = this.#sources.get(part.path)
    if (known !== undefined) return await known
    // A sparse bundle has thousands of files.
    const [oldest] = this.#sources.keys()
    if (oldest !== undefined && this.#sources.size >= mostOpen) {
      const source = await this.#sources.get(oldest)
      this.#sources.delete(oldest)
      await source?.[Symbol.asyncDispose]()
    }
    const opened = this.#openPart(part)
    this.#sources.set(part.path, opened)
    return await opened
  }

  async #openPart({ path, cipher }: StoredPart): Promise<BlockSource> {
    const source = await this.#options.open(path)
    return cipher === undefined ? source : openDecrypted(source, cipher)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#sources.values()) {
      const source = await opened.catch(() => null)
      await source?.[Symbol.asyncDispose]()
    }
    this.#sources.clear()
  }
}
