/**
 * Something with bytes at offsets: a file, a device, later a web server. Format parsers take this and nothing else.
 */
export interface BlockSource extends AsyncDisposable {
  /** For messages. */
  readonly path: string
  readonly sizeBytes: number
  /**
   * Fill `into` from `offset`. Reads all of it or throws: `DeviceError` E_IO_READ / E_SRC_GONE from the system,
   * `FormatError` E_SRC_CORRUPT when the source ends before. May be called concurrently.
   */
  read(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void>
}
