/** Decides, before anything is opened, how large the pool is and how many workers fill it. */
import { kindIndex, type ExtentTable } from '#engine/formats/extents'
import { FormatError } from '#shared/errors'

/** The pool a caller asks for: asr's `--buffers` and `--buffersize`. */
export interface PoolOptions {
  readonly buffers: number
  readonly bufferBytes: number
  /** For an image without compressed runs; null or absent: the same. */
  readonly uncompressed?: { readonly buffers: number; readonly bufferBytes: number } | null
}

/** asr's own default is eight buffers of a megabyte. */
export const defaultPool: PoolOptions = { buffers: 8, bufferBytes: 1024 * 1024 }

export interface PoolPlan {
  readonly windowBytes: number
  readonly slots: number
  readonly claimBytes: number
  readonly workers: number
  readonly crew: 'threads' | 'fibers'
}

const pageBytes = 4096
/** Runs decoded at once may hold this much stored data in all. */
const storedBudgetBytes = 64 * 1024 * 1024
/** A run as large as this needs a pool of its size; hdiutil writes 256 KiB and 1 MiB. */
const runLimitBytes = 64 * 1024 * 1024
/** Data that doesn't compress gets a little longer. */
const storedLimitBytes = runLimitBytes + 1024 * 1024
/** Compressed runs are shared out in parts of a window, so that several workers are busy with the next block. */
const compressedClaimBytes = 256 * 1024
/** One reads while the other waits for the medium; more don't make a disk faster. */
const rawWorkers = 2
/**
 * Of a server, each has a connection of its own. Far fewer than the buffers: those that fetch at the same time also finish at
 * about the same time, and then nothing would be fetched while they are all written, and nothing written after that.
 */
const fetchWorkers = 3
/** A request for less than this isn't worth its way there and back. */
export const leastFetchBytes = 4 * 1024 * 1024
/**
 * A worker is a JavaScript engine with its decoders: 17 MB for zlib, 26 for bzip2. Four keep a process under 220 MiB, and
 * make 2 GB/s of zlib.
 */
const mostWorkers = 4

interface PlanOptions {
  readonly alignmentBytes: number
  readonly cores: number
  /** A buffer holds whole units of this: a power of two, at least a page. */
  readonly unitBytes?: number
  /** Reading is computing, too: to decrypt, or to take what has arrived out of the window. */
  readonly readsCost?: 'always' | 'of-small-buffers'
}

/**
 * For an image of extents. `cores`: how many workers may be busy. The pool grows where one run needs more than was
 * asked for. Throws FormatError E_SRC_CORRUPT for a run that no pool can take.
 */
export function planPool(
  extents: ExtentTable,
  pool: PoolOptions,
  { alignmentBytes, cores, unitBytes = pageBytes, readsCost }: PlanOptions,
): PoolPlan {
  const { largestRun, largestStored } = measureRuns(extents)
  const isCompressed = largestRun > 0
  const isFetched = readsCost === 'of-small-buffers'
  const { buffers, bufferBytes } = choosePool(pool, isCompressed, isFetched)
  const askedBytes = roundUp(bufferBytes, Math.max(pageBytes, alignmentBytes))
  const windowBytes = roundUp(askedBytes, unitBytes)
  // Larger for the units' sake, they are fewer.
  const slots =
    windowBytes === askedBytes ? buffers : Math.max(2, Math.floor((buffers * askedBytes) / windowBytes))
  // A run may begin anywhere in its first window.
  const spannedSlots = isCompressed ? Math.ceil(largestRun / windowBytes) + 1 : 1
  const most = Math.floor(storedBudgetBytes / Math.max(1, largestStored))
  const needsThreads = readsCost === 'always' || (isFetched && windowBytes < leastFetchBytes)
  return {
    windowBytes,
    slots: Math.max(slots, spannedSlots),
    claimBytes: isCompressed ? Math.min(windowBytes, compressedClaimBytes) : windowBytes,
    workers: Math.max(
      1,
      isCompressed
        ? Math.min(cores, mostWorkers, most)
        : needsThreads || readsCost === undefined
          ? rawWorkers
          : fetchWorkers,
    ),
    crew: isCompressed || needsThreads ? 'threads' : 'fibers',
  }
}

/** For a compressed stream: one worker, the pool as asked for. */
export function planStreamPool(
  pool: PoolOptions,
  { alignmentBytes }: { readonly alignmentBytes: number },
): PoolPlan {
  const windowBytes = roundUp(pool.bufferBytes, Math.max(pageBytes, alignmentBytes))
  return {
    windowBytes,
    slots: Math.max(1, pool.buffers),
    claimBytes: windowBytes,
    workers: 1,
    crew: 'threads',
  }
}

/** Bytes on the disk and in the file, of the largest compressed run; 0 when there is none. */
function measureRuns({ count, kind, diskOffset, diskBytes, storedOffset, storedBytes }: ExtentTable) {
  let largestRun = 0
  let largestStored = 0
  for (let row = 0; row < count; row++) {
    const is = kind[row]
    if (is === kindIndex.zero || is === kindIndex.ignore || is === kindIndex.raw) continue
    const onDisk = diskBytes[row] ?? 0
    const stored = storedBytes[row] ?? 0
    if (onDisk > runLimitBytes || stored > storedLimitBytes)
      throw new FormatError('E_SRC_CORRUPT', `a run of ${onDisk} bytes from ${stored} is too large`, {
        details: {
          format: 'image',
          field: onDisk > runLimitBytes ? 'sectorCount' : 'compLength',
          offset: storedOffset[row] ?? 0,
          found: onDisk > runLimitBytes ? onDisk : stored,
          expected: onDisk > runLimitBytes ? runLimitBytes : storedLimitBytes,
          diskOffset: diskOffset[row] ?? 0,
        },
      })
    largestRun = Math.max(largestRun, onDisk)
    largestStored = Math.max(largestStored, stored)
  }
  return { largestRun, largestStored }
}

function choosePool(pool: PoolOptions, isCompressed: boolean, isFetched: boolean): PoolOptions {
  const { uncompressed = null } = pool
  if (isCompressed || uncompressed === null) return pool
  if (!isFetched) return uncompressed
  // In more buffers, each still worth its request, and twice as much in all: a network comes and goes.
  const parts = Math.max(1, Math.floor(uncompressed.bufferBytes / leastFetchBytes))
  return { buffers: 2 * uncompressed.buffers * parts, bufferBytes: uncompressed.bufferBytes / parts }
}

const roundUp = (bytes: number, unit: number) => Math.max(1, Math.ceil(bytes / unit)) * unit
