/**
 * Told of each piece of a stretch when it is done, in any order; no other one begins in its place before it has been heard. What it
 * throws ends the stretch. Not told: edges that are less than a unit, and what costs nothing. A piece of no bytes: what the device was
 * asked for didn't work, and zeros are sent from here on.
 */
export type OnPiece = (lengthBytes: number, how: 'offloaded' | 'written') => void | Promise<void>

/**
 * Where a restore's bytes go: a device or a file held by one handle from the first write to the end of the verify.
 * The copy engine calls; implementers: device, plain file, and the fakes of the tests (test/support).
 */
export interface BlockSink extends AsyncDisposable {
  readonly path: string
  /** Null when it grows as needed (a plain file). */
  readonly sizeBytes: number | null
  /**
   * Offsets, lengths and addresses that are multiples of this go straight to the medium. Others are allowed, and slow:
   * they go through a buffer, and what shares a unit with them is read first and written back as it was.
   */
  readonly alignmentBytes: number
  /**
   * Write all of `bytes`. Several calls may be under way at once (four keep a disk busy), never overlapping. Throws
   * `DeviceError` E_IO_WRITE, E_DST_FULL, E_DST_GONE or E_DST_READONLY with the offset.
   */
  write(bytes: Uint8Array, offset: number): Promise<void>
  /**
   * Make the stretch read as zeros by the fastest way that is true on this device; resolves to how. `written` means
   * that zeros were sent.
   */
  zero(
    offset: number,
    lengthBytes: number,
    signal?: AbortSignal,
    onPiece?: OnPiece,
  ): Promise<'offloaded' | 'written' | 'hole'>
  /** Tell the device that the stretch is unused, where that is free; contents are undefined afterwards. */
  discard(
    offset: number,
    lengthBytes: number,
    signal?: AbortSignal,
    onPiece?: OnPiece,
  ): Promise<'discarded' | 'left'>
  /** Everything written is on the medium when this resolves. Throws what a late write error throws. */
  flush(): Promise<void>
  /** Read back from the medium, past the cache. Fills `into` or throws E_IO_READ / E_DST_GONE. */
  read(into: Uint8Array, offset: number): Promise<void>
  /** The restore wrote `sizeBytes` in all: a plain file is cut or grown (as a hole) to that; a device ignores it. */
  finish(sizeBytes: number): Promise<void>
}
