/** An image that is one compressed stream: gzip, bzip2, xz or zstd of a raw disk. */
import type { BlockSource } from '#engine/block-io'
import type { StreamCodec, StreamLayout } from '#engine/formats/extents'
import { readXzSize, readZstdSize } from '#engine/formats/raw'
import { corrupt } from '#engine/formats/struct'
import type { ImageFormat, ImageInfo } from '#shared/model'

const formats: { readonly [codec in StreamCodec]: ImageFormat } = {
  gzip: 'raw.gz',
  bzip2: 'raw.bz2',
  xz: 'raw.xz',
  zstd: 'raw.zst',
}

/**
 * What is known of the stream in `source` without expanding it. Throws `FormatError` E_SRC_CORRUPT when its structure
 * shows that it isn't complete, as that of xz does.
 */
export async function openStream(
  source: BlockSource,
  codec: StreamCodec,
  file: Pick<ImageInfo, 'path' | 'name' | 'modifiedMs'>,
  signal?: AbortSignal,
): Promise<{ readonly info: ImageInfo; readonly layout: StreamLayout }> {
  const expandedBytes = await expandedSize(source, codec, signal)
  if (expandedBytes === 0)
    throw corrupt({ format: codec, field: 'size', offset: 0, found: 0, expected: 'at least a sector' })
  // A disk has whole sectors; the last one ends in zeros where the stream doesn't fill it.
  const sizeBytes = expandedBytes === null ? null : Math.ceil(expandedBytes / 512) * 512
  return {
    info: {
      ...file,
      format: formats[codec],
      storedBytes: source.sizeBytes,
      sizeBytes,
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
    layout: { kind: 'stream', codec, path: file.path, storedBytes: source.sizeBytes, sizeBytes },
  }
}

/** gzip states its size modulo 4 GiB and of its last member only, bzip2 not at all. */
async function expandedSize(
  source: BlockSource,
  codec: StreamCodec,
  signal?: AbortSignal,
): Promise<number | null> {
  if (codec === 'xz') return await readXzSize(source, signal)
  return codec === 'zstd' ? await readZstdSize(source, signal) : null
}
