/**
 * Every way in which a restore touches the outside, beside the `Platform`: image files, devices, free space. One
 * interface, so that a test can put a disk that lies in the place of a real one. `system-io.ts` is the real thing.
 */
import type { BlockSink } from '#engine/block-io'
import type { ImageLayout, LeastSize } from '#engine/formats/extents'
import type { BlockHashes } from '#engine/formats/udif'
import type { BlockStream, DiskChecker, HashDemand } from '#engine/pipeline'
import type { StreamConnection } from '#engine/stream-connection'
import type { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { ImageInfo, StreamLocator } from '#shared/model'
import type { BufferSizes } from './buffer-sizes.ts'

/** What tells one file, in one state, from another. */
export interface FileFacts {
  readonly path: string
  readonly device: number
  readonly inode: number
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** Of a sparse bundle: a digest of what all its files are. */
  readonly contents?: string
}

export interface OpenedImage {
  readonly info: ImageInfo
  readonly layout: ImageLayout
  /** How large the disk has to be by what is on it; null: nothing says so. */
  readonly least?: LeastSize | null
}

/** Files or devices of a source, held open while it is read. */
export interface HeldFile extends AsyncDisposable {
  readonly fd: number
}

export interface StreamOptions {
  /** The pool: `buffers` of `bufferBytes`, whole pages. */
  readonly buffers: number
  readonly bufferBytes: number
  readonly uncompressed: BufferSizes['uncompressed']
  /** Of the sink: items begin and end at multiples of it. */
  readonly alignmentBytes: number
  /** Descriptors to read from, by the paths of the layout's parts. */
  readonly openFiles: ReadonlyMap<string, number>
  /** Each block is compared before any of it is handed out. */
  readonly hashes: HashDemand | null
  readonly signal: AbortSignal
}

export interface RestoreIo {
  /** `again`: it was opened for the plan that is being carried out. Throws FormatError, DeviceError. */
  openImage(path: string, signal: AbortSignal, options?: { readonly again?: boolean }): Promise<OpenedImage>
  /** Null where no scan left any. Throws FormatError E_SRC_CORRUPT when they contradict themselves; DeviceError. */
  readBlockHashes(image: ImageInfo, signal: AbortSignal): Promise<BlockHashes | null>
  /**
   * Look at a multicast stream, with the password that was given for it. Throws NetworkError, the signal's reason; UsageError
   * E_UNSUPPORTED where there is no client.
   */
  connectStream(
    locator: StreamLocator,
    options: { readonly log: Logger; readonly signal: AbortSignal; readonly interface?: string | null },
  ): Promise<StreamConnection>
  openStream(layout: ImageLayout, options: StreamOptions): Promise<BlockStream>
  /** Those with files of the layout still give them. Throws NetworkError, DeviceError E_SRC_CHANGED. */
  askServers(layout: ImageLayout, signal: AbortSignal): Promise<void>
  /** Null where the image holds no checksums of its disk. */
  createChecker(layout: ImageLayout): DiskChecker | null
  /** A source file, and what it is now. */
  holdFile(path: string): Promise<HeldFile & { readonly facts: FileFacts }>
  /**
   * A source device: read only. `alone`: as long as it is held nobody mounts it. Another program that reads it for itself is let be:
   * then a Reprise doesn't mount it, though others may, and `isAlone` is false; one that writes to it isn't. Throws DeviceError
   * E_SRC_IN_USE, the signal's reason.
   */
  holdDevice(
    path: string,
    options: { readonly alone: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<HeldFile & { readonly sizeBytes: number; readonly isAlone: boolean }>
  /**
   * The one exclusive handle of a destination. `warn` is called once where it can't be read past the cache of a file that it lies in,
   * with DeviceError E_DEVICE_TOOL.
   */
  openDeviceSink(path: string, warn?: (error: DeviceError) => void): Promise<BlockSink>
  /** `create`: fails when there is something. `overwrite`: the file must be there; opening it doesn't empty it. */
  openFileSink(path: string, mode: 'create' | 'overwrite'): Promise<BlockSink>
  /** Facts of what is at `path`, symbolic links followed; null when there is nothing. Throws DeviceError E_DENIED. */
  readFacts(path: string): Promise<FileFacts | null>
  /** Bytes this process could still write into the file system that holds `folder`. */
  readFreeBytes(folder: string): Promise<number>
  /** May this process write to the file, or make one in the folder? Throws DeviceError E_DENIED, E_DST_READONLY. */
  checkWritable(path: string): Promise<void>
  /** Bytes that a file takes up now; what overwriting it gives back. */
  readAllocated(path: string): Promise<number>
  /** For a file of ours that a failed restore leaves behind. */
  truncate(path: string, sizeBytes: number): Promise<void>
  remove(path: string): Promise<void>
}
