/**
 * What a stream brings, read from its structure before anything of it is received: the disk inside, where in the stream every
 * byte of it lies, and the hashes that it is compared with in the end.
 */
import type { ExtentLayout } from '#engine/formats/extents'
import { contentsInfo, DiskReader, openImage, readDiskContents } from '#engine/formats/image'
import { rawLayout } from '#engine/formats/raw'
import { readBlockHashesFrom, type BlockHashes } from '#engine/formats/udif'
import type { StreamConnection } from '#engine/stream-connection'
import { FormatError, UsageError } from '#shared/errors'
import type { ImageInfo } from '#shared/model'
import { connectionSource } from './connection-source.ts'

export interface StreamImage {
  readonly image: ImageInfo
  readonly layout: ExtentLayout
  /** Of the disk's blocks; null where no scan left any. Of a raw stream, which is the disk, they are the stream's own. */
  readonly hashes: BlockHashes | null
}

/** A look at partitions and file systems of a raw disk fetches this much at most. */
const decodeBudgetBytes = 64 * 1024 * 1024
const digestBytes = 32

/**
 * Read the structure of the image that `connection` streams, called `path` from now on. Throws FormatError when it isn't one
 * that can be received in any order, NetworkError, the signal's reason.
 */
export async function openStreamImage(
  connection: StreamConnection,
  path: string,
  signal: AbortSignal,
): Promise<StreamImage> {
  const { info } = connection
  if (connection.sizeBytes === 0) throw notReceivable(path, 'an empty stream')
  if (info.imageFormat === 'raw') return await openRawStream(connection, path, signal)
  await using source = connectionSource(connection, path)
  const { info: image, layout } = await openImage(path, {
    signal,
    given: { source, name: info.imageName },
  })
  if (layout.kind === 'stream') throw notReceivable(path, `one ${layout.codec} stream`)
  if (image.encrypted !== null)
    throw new UsageError('E_UNSUPPORTED', `${path} is encrypted`, {
      details: {
        input: 'source',
        problem: 'The image in this stream is encrypted.',
        hint: 'Stream an image without encryption, and give the session a password.',
      },
    })
  const { blocks = null } = image.scan ?? {}
  const hashes = blocks === null ? null : await readBlockHashesFrom(source, layout.sizeBytes, signal)
  return { image, layout, hashes }
}

/**
 * What the image says of itself. Null where it isn't one that can be opened: whoever saves it as it is may do so all the same. Throws
 * NetworkError, the signal's reason.
 */
export async function readStreamImage(
  connection: StreamConnection,
  path: string,
  signal: AbortSignal,
): Promise<ImageInfo | null> {
  const { imageFormat, imageName: name } = connection.info
  try {
    if (imageFormat === 'raw') return (await openRawStream(connection, path, signal)).image
    await using source = connectionSource(connection, path)
    return (await openImage(path, { signal, given: { source, name } })).info
  } catch (error) {
    if (error instanceof FormatError || error instanceof UsageError) return null
    throw error
  }
}

async function openRawStream(
  connection: StreamConnection,
  path: string,
  signal: AbortSignal,
): Promise<StreamImage> {
  const { info, sizeBytes } = connection
  const layout = rawLayout(path, sizeBytes)
  await using disk = new DiskReader(layout, {
    open: async () => connectionSource(connection, path),
    decodeBudgetBytes,
    signal,
  })
  const contents = await readDiskContents(disk.read, layout.sizeBytes, signal)
  const image: ImageInfo = {
    path,
    name: info.imageName,
    modifiedMs: 0,
    format: 'raw',
    storedBytes: sizeBytes,
    encrypted: null,
    sizeBytes: layout.sizeBytes,
    segmentCount: 1,
    ...contentsInfo(contents),
    tables: [],
    runCounts: {},
    dataBytes: null,
    dataForkChecksum: null,
    masterChecksum: null,
    inOrder: null,
    scan: null,
  }
  return { image, layout, hashes: ownHashes(connection) }
}

/** Of a raw stream, whose blocks are the disk's. Null while one of them isn't known. */
export function ownHashes(connection: StreamConnection): BlockHashes | null {
  const { blocks, blockBytes } = connection
  const hashes = new Uint8Array(blocks * digestBytes)
  for (let block = 0; block < blocks; block++) {
    const hash = connection.hashOf(block)
    if (hash === null) return null
    hashes.set(hash, block * digestBytes)
  }
  return { blockBytes, hashes }
}

const notReceivable = (path: string, found: string) =>
  new FormatError('E_SRC_FORMAT', `${path} streams ${found}`, {
    details: {
      format: 'stream',
      field: 'imageFormat',
      offset: 0,
      found,
      expected: 'an image whose blocks can be decoded in any order',
      path,
    },
  })
