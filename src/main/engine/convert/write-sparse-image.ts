/** A disk as a sparse image or a sparse bundle: what is zeros or unused isn't stored. */
import { openReplacementFolder, type ReplacementFile } from '#engine/block-io'
import { newEncryption } from '#engine/formats/encrypted'
import {
  chooseBandBytes,
  isReplaceableBundle,
  SparseBundleWriter,
  SparseImageWriter,
  usualBundleBandBytes,
} from '#engine/formats/sparse'
import { sectorBytes } from '#shared/units'
import type { DiskItem } from './disk-stream.ts'
import type { ImageTarget } from './write-image.ts'

export interface WriteOptions {
  readonly signal: AbortSignal
  readonly advance: (doneBytes: number) => void
}

interface Sizes {
  /** Of the disk. */
  readonly sizeBytes: number
  /** Of all files. */
  readonly storedBytes: number
}

/** Write `items`, the whole disk in order, into `file`. `sizeBytes`: what they will come to, where it is known. */
export async function writeSparseImage(
  items: AsyncIterable<DiskItem>,
  file: Pick<ReplacementFile, 'write'>,
  options: WriteOptions & { readonly sizeBytes: number | null },
): Promise<Sizes> {
  const writer = new SparseImageWriter(file, chooseBandBytes(options.sizeBytes))
  const sizeBytes = await writeItems(items, writer, options)
  return { sizeBytes, storedBytes: await writer.finish(sizeBytes) }
}

/**
 * A sparse bundle at `target`, which may replace one that holds nothing but its own files, and nothing else. `password`: of an encrypted one. Throws
 * UsageError E_DST_EXISTS, E_DST_KIND; DeviceError.
 */
export async function openBundleTarget(
  target: string,
  { mode, password }: { readonly mode: 'create' | 'replace'; readonly password: string | null },
): Promise<ImageTarget> {
  const folder = await openReplacementFolder(target, { mode, isReplaceable: isReplaceableBundle })
  return {
    async write({ items }, options) {
      const encryption = password === null ? null : await newEncryption(password)
      await using writer = new SparseBundleWriter(folder.path, usualBundleBandBytes, { encryption })
      await writer.begin()
      const sizeBytes = await writeItems(items, writer, options)
      const storedBytes = await writer.finish(sizeBytes)
      options.signal.throwIfAborted()
      await folder.commit()
      return { sizeBytes, storedBytes }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

async function writeItems(
  items: AsyncIterable<DiskItem>,
  writer: { write(bytes: Uint8Array, offset: number): Promise<void> },
  { signal, advance }: WriteOptions,
): Promise<number> {
  let end = 0
  for await (const { offset, lengthBytes, bytes } of items) {
    if (bytes !== null) await writer.write(bytes, offset)
    end = offset + lengthBytes
    advance(end)
    signal.throwIfAborted()
  }
  return Math.ceil(end / sectorBytes) * sectorBytes
}
