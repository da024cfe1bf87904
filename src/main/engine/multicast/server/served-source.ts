/** What may be streamed: an image in one file, scanned by us, in order. Looked at before anything is sent. */
import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openImage } from '#engine/formats/image'
import { openStored } from '#engine/formats/stored'
import type { StreamBytes } from '#engine/multicast/orders'
import { FormatError, UsageError, type AppError, type Detail } from '#shared/errors'
import { isWebLocator } from '#shared/model'

export interface ServedSource {
  readonly bytes: StreamBytes
  /** A file's name, never a path. */
  readonly imageName: string
  readonly imageFormat: string
  /** One line that is the same for the same contents, for the list of hashes that is kept; null: nothing tells. */
  readonly identity: string | null
  /** Gives back what was taken for it, and removes what was made. Called once, when its session is over. */
  readonly release?: () => Promise<void>
}

/** What has to be made, or taken, before it can be streamed: a disk or a volume of this machine. */
export interface PreparedSource {
  /** Of what is read for it. */
  readonly sizeBytes: number
  /** Of the stream; null: that is an image, whose size is known when it is made. */
  readonly streamBytes: number | null
  /** What should be known before and until it is prepared, and stops nothing. */
  readonly warnings: readonly AppError[]
  /** As far as is known before. */
  readonly imageName: string
  readonly imageFormat: string
  /** Throws what reading and making throws, the signal's reason; then nothing is left of it. */
  prepare(context: {
    readonly signal: AbortSignal
    readonly progress: (doneBytes: number, totalBytes: number) => void
  }): Promise<ServedSource>
}

/**
 * Throws UsageError E_SRC_NOSCAN, E_MC_NOTORDERED (what a scan changes), E_UNSUPPORTED (what can't be multicast at all), and what
 * opening an image throws.
 */
export async function examineImage(locator: string, signal?: AbortSignal): Promise<ServedSource> {
  const { info } = await openImage(locator, signal === undefined ? {} : { signal }).catch(
    (error: unknown) => {
      if (error instanceof FormatError && error.code === 'E_SRC_ENCRYPTED') throw encrypted(locator)
      throw error
    },
  )
  const { name, path, format, segmentCount, storedBytes } = info
  if (info.encrypted !== null) throw encrypted(path)
  if (info.inOrder === null || info.tables.length === 0)
    throw unsupported(
      path,
      `'${name}' is no image of the kind that can be multicast (${format}).`,
      'Convert it to a compressed image with reprise image convert, and scan that with reprise imagescan.',
    )
  if (segmentCount !== 1)
    throw unsupported(
      path,
      `'${name}' consists of ${segmentCount} files, and only an image in one file can be multicast.`,
      'Convert it to one file with reprise image convert, and scan that with reprise imagescan.',
    )
  if (!info.inOrder) {
    const free = isWebLocator(path) ? null : await statfs(dirname(path)).catch(() => null)
    throw notOrdered({
      path,
      name,
      neededBytes: storedBytes,
      ...(free === null ? {} : { freeBytes: free.bavail * free.bsize }),
    })
  }
  if (info.scan?.blocks === undefined || info.scan.blocks === null)
    throw new UsageError('E_SRC_NOSCAN', `${path} has no hashes of its blocks`, {
      details: {
        input: '--source',
        path,
        name,
        purpose: 'multicast',
        // Apple's asr scans, too, but hashes partitions as a whole.
        scanned: info.scan === null ? 'never' : 'by-another',
      },
    })
  return { ...(await identify(path, signal)), imageName: name, imageFormat: format }
}

async function identify(
  path: string,
  signal?: AbortSignal,
): Promise<Pick<ServedSource, 'bytes' | 'identity'>> {
  await using source = await openStored(path, {
    again: true,
    look: true,
    ...(signal === undefined ? {} : { signal }),
  })
  const { sizeBytes, version } = source
  const kind = isWebLocator(path) ? 'web' : 'file'
  const bytes: StreamBytes = { locator: path, stamp: version, kind, sizeBytes }
  if (isWebLocator(path)) return { bytes, identity: version === null ? null : `${path} ${version}` }
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
  return { bytes, identity: [dev, ino, size, mtimeNs, ctimeNs].join(' ') }
}

function unsupported(path: string, problem: string, hint: string): UsageError {
  return new UsageError('E_UNSUPPORTED', problem, { details: { input: '--source', path, problem, hint } })
}

const encrypted = (path: string) =>
  unsupported(
    path,
    "An encrypted image can't be multicast: all clients would need its password.",
    'Convert it without encryption, and give the session a password instead.',
  )

const notOrdered = (details: { readonly [key: string]: Detail }) =>
  new UsageError('E_MC_NOTORDERED', 'the image is not in order', {
    details: { input: '--source', ...details },
  })
