/** An image that is one compressed stream: gzip, bzip2, xz or zstd of a raw disk. */
import type { BlockSource } from '#engine/block-io'
import type { StreamCodec, SequentialLayout } from '#engine/formats/extents'
import { readXzSize, readZstdSize, sniffForeign } from '#engine/formats/raw'
import { corrupt, formatError, type ReadDisk } from '#engine/formats/struct'
import { isWebLocator, type ImageFormat, type ImageInfo } from '#shared/model'
import { readStreamChecksum } from './stream-checksum.ts'
import { checkNotCutShort, isDisk, isNamedRaw, noTables, readDiskContents } from './disk-contents.ts'

const formats: { readonly [codec in StreamCodec]: ImageFormat } = {
  gzip: 'raw.gz',
  bzip2: 'raw.bz2',
  xz: 'raw.xz',
  zstd: 'raw.zst',
}

/** What is expanded for a look inside: partition maps, and the first partition of most disks, begin in here. */
const prefixBytes = 5 * 1024 * 1024
/** On a server, hopping over blocks is fetching all of the file, to learn a number. */
const mostWebBytes = 1024 * 1024

/**
 * What is known of the stream in `source` without expanding it all. Throws `FormatError` E_SRC_CORRUPT when its beginning
 * can't be expanded or its structure shows that it isn't complete, as that of xz does; E_SRC_FORMAT when there is no
 * disk inside.
 */
export async function openStream(
  source: BlockSource,
  codec: StreamCodec,
  file: Pick<ImageInfo, 'path' | 'name' | 'modifiedMs'>,
  signal?: AbortSignal,
): Promise<{ readonly info: ImageInfo; readonly layout: SequentialLayout }> {
  const statedBytes = await statedSize(source, codec, file.path, signal)
  const streamChecksum = await readStreamChecksum(source, codec, signal)
  const prefix = await expandPrefix(codec, source, signal)
  const expandedBytes = prefix.isWhole ? prefix.bytes.length : statedBytes
  if (expandedBytes === 0)
    throw corrupt({ format: codec, field: 'size', offset: 0, found: 0, expected: 'at least a sector' })
  // A disk has whole sectors; the last one ends in zeros where the stream doesn't fill it.
  const sizeBytes = expandedBytes === null ? null : Math.ceil(expandedBytes / 512) * 512

  const contents = await readDiskContents(prefixDisk(codec, prefix.bytes), sizeBytes, signal)
  refuseNoDisk(codec, file.name, prefix.bytes, isDisk(contents, prefix.bytes))
  // That a partition is larger than what comes isn't a fault: some are meant to be filled by what boots from the disk. Whether its file
  // system is whole could only be seen where it lies in what was expanded here.
  const least = prefix.isWhole || contents.partitionMap === 'none' ? contents.least : null
  if (sizeBytes !== null) checkNotCutShort({ least }, sizeBytes)
  return {
    info: {
      ...noTables,
      ...file,
      format: formats[codec],
      storedBytes: source.sizeBytes,
      encrypted: null,
      sizeBytes,
      partitionMap: contents.partitionMap,
      mapBlockBytes: contents.mapBlockBytes,
      partitions: contents.partitions,
      dataBytes: null,
      ...(typeof streamChecksum === 'string' ? { streamChecksum } : {}),
    },
    layout: {
      kind: 'stream',
      codec,
      path: file.path,
      storedBytes: source.sizeBytes,
      sizeBytes,
      ...(sizeBytes !== null || least === null ? {} : { least }),
      ...(streamChecksum === null ? { unchecked: true } : {}),
    },
  }
}

/** gzip states its size modulo 4 GiB and of its last member only, bzip2 not at all. */
async function statedSize(
  source: BlockSource,
  codec: StreamCodec,
  path: string,
  signal?: AbortSignal,
): Promise<number | null> {
  if (codec === 'xz') return await readXzSize(source, signal)
  if (codec !== 'zstd') return null
  return await readZstdSize(source, { signal, ...(isWebLocator(path) ? { mostBytes: mostWebBytes } : {}) })
}

/** The first bytes of the disk; `isWhole` when there are no more. */
async function expandPrefix(
  codec: StreamCodec,
  source: BlockSource,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: Uint8Array; readonly isWhole: boolean }> {
  // Not loaded for an image that needs no codec.
  const { decodeStream, usualPieceBytes } = await import('#engine/formats/codecs')
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of decodeStream(codec, source, {
    signal: signal ?? new AbortController().signal,
    pieceBytes: usualPieceBytes,
  })) {
    pieces.push(piece)
    length += piece.length
    if (length > prefixBytes) return { bytes: Buffer.concat(pieces), isWhole: false }
  }
  return { bytes: Buffer.concat(pieces), isWhole: true }
}

/** The last sector of a whole disk may be completed with zeros. */
function prefixDisk(codec: StreamCodec, prefix: Uint8Array): ReadDisk {
  const disk = Buffer.concat([prefix, Buffer.alloc((512 - (prefix.length % 512)) % 512)])
  return async (offset, lengthBytes) => {
    if (offset < 0 || offset + lengthBytes > disk.length)
      throw corrupt({ format: codec, field: 'offset', offset, found: lengthBytes, expected: 'the beginning' })
    return new Uint8Array(disk.subarray(offset, offset + lengthBytes))
  }
}

/** What was compressed may be anything: an archive, a document. Its own name may speak for it: `disk.img.gz`. */
function refuseNoDisk(codec: StreamCodec, name: string, prefix: Uint8Array, isDisk: boolean): void {
  const foreign = sniffForeign(prefix, new Uint8Array(0))
  if (foreign === null && (isDisk || isNamedRaw(name.replace(/\.\w+$/, '')))) return
  throw formatError('E_SRC_FORMAT', {
    format: codec,
    field: 'contents',
    offset: 0,
    found: foreign ?? Buffer.from(prefix.subarray(0, 16)).toString('hex'),
    expected: 'a disk image',
  })
}
