/** The one door to image files: tells what a file is and where every byte of the disk inside comes from. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { openFileSource, type BlockSource } from '#engine/block-io'
import type { ImageLayout } from '#engine/formats/extents'
import { rawLayout, sniffStreamCodec } from '#engine/formats/raw'
import { formatError } from '#engine/formats/struct'
import { isKoly, kolyBytes, parseKoly, readUdif } from '#engine/formats/udif'
import type { ImageInfo } from '#shared/model'

export interface OpenImage {
  readonly info: ImageInfo
  readonly layout: ImageLayout
  /** The master checksum over the tables' checksums; null when the image has none. A verify compares them. */
  readonly masterCheck: { readonly stored: number; readonly computed: number } | null
}

export interface OpenImageOptions {
  readonly signal?: AbortSignal
}

/**
 * Read what the image at `path` says of itself. Nothing stays open. Throws `FormatError` (E_SRC_FORMAT: not an image we
 * read; E_SRC_CORRUPT; E_SRC_ENCRYPTED; E_SRC_SEGMENT), `DeviceError` from the system, the signal's reason.
 */
export async function openImage(path: string, options: OpenImageOptions = {}): Promise<OpenImage> {
  const { signal } = options
  signal?.throwIfAborted()
  await using source = await openFileSource(path)
  const { mtimeMs } = await stat(path)
  const basics = { path, name: basename(path), modifiedMs: mtimeMs }
  const tail = await readTail(source, signal)
  if (isKoly(tail)) {
    const udif = await readUdif(source, parseKoly(tail, source.sizeBytes), openFileSource, signal)
    const { layout, masterCheck, ...about } = udif
    return {
      info: { ...basics, ...about, sizeBytes: layout.sizeBytes, partitionMap: 'none', partitions: [] },
      layout,
      masterCheck,
    }
  }
  const head = new Uint8Array(Math.min(source.sizeBytes, 4096))
  await source.read(head, 0, signal)
  const codec = sniffStreamCodec(head)
  const layout: ImageLayout =
    codec === null
      ? rawLayout(path, source.sizeBytes)
      : { kind: 'stream', codec, path, storedBytes: source.sizeBytes, sizeBytes: null }
  if (Buffer.from(head.subarray(0, 8)).toString('latin1') === 'encrcdsa')
    throw formatError('E_SRC_ENCRYPTED', { format: 'encrcdsa', field: 'signature', offset: 0 })
  const formats = { gzip: 'raw.gz', bzip2: 'raw.bz2', xz: 'raw.xz', zstd: 'raw.zst' } as const
  return {
    info: {
      ...basics,
      format: codec === null ? 'raw' : formats[codec],
      storedBytes: source.sizeBytes,
      sizeBytes: layout.sizeBytes,
      segmentCount: 1,
      partitionMap: 'none',
      partitions: [],
      tables: [],
      runCounts: {},
      dataBytes: null,
      dataForkChecksum: null,
      masterChecksum: null,
      inOrder: null,
      scan: null,
    },
    layout,
    masterCheck: null,
  }
}

async function readTail(source: BlockSource, signal?: AbortSignal): Promise<Uint8Array> {
  const tail = new Uint8Array(Math.min(source.sizeBytes, kolyBytes))
  await source.read(tail, source.sizeBytes - tail.length, signal)
  return tail
}
