/**
 * Looking through a disk past its bad sectors. Where a file system keeps nothing, one of them is no reason to make no image;
 * but whoever looks for marks of other owners looks there as well.
 */
import { UnreadableError, type ReadDisk } from '#engine/formats/struct'
import { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'

/** One that says so often is left alone. */
const mostFailures = 24
/** A disk can take half a minute to find out that it can't read something, and its volumes are unmounted meanwhile. */
const mostFailingMs = 5 * 60_000

/** What Linux says of a sector rather than of the way to the disk. */
const ofTheMedium = new Set(['EIO', 'ENODATA', 'EREMOTEIO', 'EILSEQ'])

export interface ReadingPast {
  readonly readDisk: ReadDisk
  /** How many reads have failed. */
  failedReads(): number
}

/**
 * `readDisk` is `read`, but what that says of bad sectors is an `UnreadableError`, and none of them is asked for twice. When
 * there are many, or they took long, it is what `read` throws.
 */
export function pastBadSectors(
  read: ReadDisk,
  log: Logger,
  { now = () => performance.now() }: { readonly now?: () => number } = {},
): ReadingPast {
  const failed: { readonly from: number; readonly to: number; readonly error: DeviceError }[] = []
  let failingMs = 0
  const readDisk: ReadDisk = async (offset, lengthBytes) => {
    const end = offset + lengthBytes
    const known = failed.find(({ from, to }) => offset <= from && to <= end)
    if (known !== undefined) throw new UnreadableError(offset, lengthBytes, known.error)
    const startedMs = now()
    try {
      return await read(offset, lengthBytes)
    } catch (error) {
      if (!isBadSector(error) || failed.length >= mostFailures || failingMs >= mostFailingMs) throw error
      failingMs += now() - startedMs
      failed.push({ from: offset, to: end, error })
      log.info('not readable', { offset, lengthBytes, errno: error.details.errno ?? null })
      throw new UnreadableError(offset, lengthBytes, error)
    }
  }
  return { readDisk, failedReads: () => failed.length }
}

function isBadSector(error: unknown): error is DeviceError {
  return (
    error instanceof DeviceError && error.code === 'E_IO_READ' && ofTheMedium.has(error.details.errno ?? '')
  )
}
