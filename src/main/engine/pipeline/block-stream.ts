/**
 * The block pipeline's face: an image as a stream of blocks in ascending order, decoded on all cores into one bounded,
 * page-aligned pool. Copy writes it, verify checks it, scan and convert will read it. Pull-based: nothing is decoded
 * further ahead than the pool has room.
 */

/** A stretch of the disk, in order, without gap or overlap from one item to the next. */
export type StreamItem =
  | {
      readonly kind: 'data'
      readonly offset: number
      /**
       * Lies in the shared pool, page-aligned when `offset` is; valid until `release`. `bytes.length` is at most the
       * pool's buffer size and a multiple of the stream's alignment (the last item of the image may be shorter).
       */
      readonly bytes: Uint8Array
      /**
       * Gives the buffer back. Items may be released in any order; each must be, exactly once, and without waiting for a
       * later item: the pool may be full of those that are held.
       */
      release(): void
    }
  /** Reads as zeros. Whole alignment units (the last item of the image may be shorter). */
  | { readonly kind: 'zero'; readonly offset: number; readonly lengthBytes: number }
  /** Not in use (ignore runs). Whole alignment units; an unused part inside a unit comes as zeros within data. */
  | { readonly kind: 'unused'; readonly offset: number; readonly lengthBytes: number }

/** Counters for progress, bumped by the workers; read them whenever you draw. */
export interface StreamCounters {
  /** Nanoseconds that workers spent reading the source, decoding, and waiting for room in the pool. */
  readonly readNs: number
  readonly decodeNs: number
  readonly waitNs: number
  /** Bytes read from the stored image; 0 for a compressed stream, whose decoder reads by itself. */
  readonly storedBytesRead: number
}

export interface BlockStream extends AsyncDisposable {
  /**
   * The next item, or null at the end. Rejects with the `FormatError` or `DeviceError` a worker met (then the stream
   * is dead), or with the signal's reason. One call at a time.
   */
  next(): Promise<StreamItem | null>
  counters(): StreamCounters
}
