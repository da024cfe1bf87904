/** A worker's loop over an image that is one compressed stream: bytes go into the pool as they come, window by window. */
import { cutShort, type SequentialLayout } from '#engine/formats/extents'
import { FormatError, serializeError } from '#shared/errors'
import { publicLocator } from '#shared/model'
import { sectorBytes } from '#shared/units'
import { RingFiller, RingStopped } from './ring.ts'
import { WorkerCounters } from './worker-counters.ts'
import type { StreamJob, WorkerFailure } from './worker-job.ts'
import { findZeroPieces, zeroReference } from './zero-pieces.ts'

/** The expanded bytes of the job's file in order, in pieces of any size. */
export type ExpandFile = (options: { readonly signal: AbortSignal }) => AsyncIterable<Uint8Array>

/**
 * Expand the whole stream, pad its last sector with zeros, and mark the last block, which may be empty. A failure is
 * posted and marked in the block it belongs to.
 */
export async function fillStream(
  job: StreamJob,
  expand: ExpandFile,
  postFailure: (failure: WorkerFailure) => void,
): Promise<void> {
  const ring = new RingFiller(job.ring)
  const filler = new StreamFiller(job, ring)
  const stopping = new AbortController()
  try {
    let start = performance.now()
    for await (const bytes of expand({ signal: stopping.signal })) {
      filler.counters.spent('decodeNs', start)
      if (ring.isStopped) return
      filler.take(bytes)
      start = performance.now()
    }
    filler.finish()
  } catch (error) {
    if (error instanceof RingStopped) return
    filler.fail(error, postFailure)
  } finally {
    stopping.abort()
  }
}

class StreamFiller {
  readonly counters: WorkerCounters
  readonly #job: StreamJob
  readonly #ring: RingFiller
  readonly #zeros: Buffer
  #block = 0
  #filled = 0
  #total = 0

  constructor(job: StreamJob, ring: RingFiller) {
    this.#job = job
    this.#ring = ring
    this.counters = new WorkerCounters(job.counters)
    this.#zeros = zeroReference(ring.windowBytes)
  }

  take(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const take = Math.min(bytes.length - done, this.#ring.windowBytes - this.#filled)
      this.#room()
      this.#ring.view(this.#block, this.#filled, take).set(bytes.subarray(done, done + take))
      this.#filled += take
      this.#total += take
      done += take
      if (this.#filled === this.#ring.windowBytes) this.#complete({ isLast: false })
    }
  }

  finish(): void {
    const { sizeBytes, least, codec } = this.#job.layout
    if (sizeBytes !== null && this.#total !== sizeBytes && padded(this.#total) !== sizeBytes)
      throw wrongSize(this.#job.layout, sizeBytes, this.#total)
    if (least !== undefined && padded(this.#total) < least.sizeBytes)
      throw cutShort(codec, least, this.#total)
    this.#room()
    const padding = padded(this.#total) - this.#total
    this.#ring.view(this.#block, this.#filled, padding).fill(0)
    this.#filled += padding
    this.#complete({ isLast: true })
  }

  fail(error: unknown, postFailure: (failure: WorkerFailure) => void): void {
    try {
      this.#room()
    } catch {
      // Stopped: nobody wants to know any more.
      return
    }
    postFailure({ diskOffset: this.#total, error: serializeError(error) })
    this.#ring.markFailed(this.#block)
    this.#complete({ isLast: true })
  }

  #room(): void {
    if (this.#ring.hasRoom(this.#block)) return
    const start = performance.now()
    this.#ring.waitForRoom(this.#block)
    this.counters.spent('waitNs', start)
  }

  #complete({ isLast }: { isLast: boolean }): void {
    const window = this.#ring.view(this.#block, 0, this.#filled)
    const zeroPieces = findZeroPieces(window, this.#filled, this.#zeros)
    this.#ring.complete(this.#block, { filledBytes: this.#filled, zeroPieces, isLast })
    this.#block += 1
    this.#filled = 0
  }
}

const padded = (bytes: number) => Math.ceil(bytes / sectorBytes) * sectorBytes

function wrongSize(layout: SequentialLayout, expected: number, found: number): FormatError {
  return new FormatError(
    'E_SRC_CORRUPT',
    `${publicLocator(layout.path)} expands to ${found} bytes, not ${expected}`,
    {
      details: { format: layout.codec, field: 'size', offset: layout.storedBytes, expected, found },
    },
  )
}
