/** What the pool is filled from. Plain data, shared memory and a port: everything survives `workerData`. */
import type { MessagePort } from 'node:worker_threads'
import type { ExtentTable, SequentialLayout } from '#engine/formats/extents'
import type { SerializedError } from '#shared/errors'
import type { BlockMap } from './block-map.ts'
import type { HashOrder } from './hash-check.ts'
import type { Ring } from './ring.ts'
import type { OpenPart } from './stored-reader.ts'

interface CommonJob {
  readonly ring: Ring
  /** Four numbers of this worker's own: see `WorkerCounters`. */
  readonly counters: Float64Array<SharedArrayBuffer>
}

/** Decode the runs of an image; several workers share the work. */
export interface ExtentsJob extends CommonJob {
  readonly kind: 'extents'
  readonly map: BlockMap
  readonly extents: ExtentTable
  readonly parts: readonly OpenPart[]
  /** What each window is compared with. Null: nothing. */
  readonly hashes: HashOrder | null
}

/** Decode one compressed stream; one worker. */
export interface StreamJob extends CommonJob {
  readonly kind: 'stream'
  readonly layout: SequentialLayout
  /** How the file is read where it is on a server, or open already; null: it is opened by its path. */
  readonly part: OpenPart | null
}

export type FillJob = ExtentsJob | StreamJob

/** A worker thread's `workerData`. */
export interface WorkerJob {
  readonly job: FillJob
  /** Takes `WorkerFailure`s. */
  readonly failures: MessagePort
}

/** Posted before the block that holds `diskOffset` is marked as failed. */
export interface WorkerFailure {
  readonly diskOffset: number
  readonly error: SerializedError
}
