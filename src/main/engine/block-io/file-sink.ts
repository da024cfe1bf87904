/**
 * A disk in a plain file, as a `BlockSink`. What isn't written is a hole. Direct I/O where the file system has it: then
 * nothing is cached and a read comes from the medium; elsewhere the cache is thrown away before the first read.
 */
import { close as closeFile, constants, ftruncate } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { DeviceError, UsageError } from '#shared/errors'
import { AlignedFile } from './aligned-file.ts'
import type { BlockSink, OnPiece } from './block-sink.ts'
import { sync } from './device-sink.ts'
import { dropFileCache } from './drop-file-cache.ts'
import { holdAlone } from './hold-alone.ts'
import { openFailure, writeFailure } from './system-failure.ts'
import { UnderWay } from './under-way.ts'
import { WrittenExtents } from './written-extents.ts'
import { ZeroDevice } from './zero-device.ts'

export interface FileSinkOptions {
  /**
   * `create`: there must be nothing at the path. `overwrite`: there must be a regular file; it keeps its bytes until
   * they are written over, or cut off by `finish(0)`.
   */
  readonly mode: 'create' | 'overwrite'
  /** Default `direct`, where the file system allows it. */
  readonly caching?: 'direct' | 'buffered'
  /** No other Reprise may write to the file until this is closed: see `holdAlone`. */
  readonly alone?: boolean
  /** `create`: nobody else may read it. Default: whoever the process's mask lets. */
  readonly isPrivate?: boolean
  /** Throws away the file's cached pages. For tests; default: by dd. */
  readonly dropCache?: (path: string) => Promise<void>
}

/** A sink that is open in this process: what is asked of its file by the descriptor is asked of no other, whatever its name leads to. */
export interface FileBlockSink extends BlockSink {
  readonly fd: number
}

/** What every file system with direct I/O is content with. */
const directAlignmentBytes = 4096

const close = promisify(closeFile)
const truncate = promisify(ftruncate)

/**
 * Throws UsageError E_DST_EXISTS (create), E_DST_KIND for what isn't a regular file; DeviceError E_NOT_FOUND, E_DENIED,
 * E_DST_READONLY, E_DST_FULL, E_DST_BUSY.
 */
export async function openFileSink(path: string, options: FileSinkOptions): Promise<FileBlockSink> {
  const mode = options.mode === 'create' ? constants.O_CREAT | constants.O_EXCL : 0
  const flags = constants.O_RDWR | constants.O_NONBLOCK | mode
  const permissions = options.isPrivate === true ? 0o600 : 0o644
  const { handle, isDirect } = await openFile(path, {
    flags,
    permissions,
    caching: options.caching ?? 'direct',
  })
  try {
    const stat = await handle.stat()
    if (!stat.isFile())
      throw new UsageError('E_DST_KIND', `${path} is not a regular file`, { details: { input: path } })
    const held = options.alone === true ? await holdAlone(path, stat) : null
    return new FileSink(path, handle, {
      held,
      isDirect,
      isNew: options.mode === 'create',
      heldBytes: stat.size,
      dropCache: options.dropCache ?? dropFileCache,
    })
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** A file that was just made at `path`, empty and open for reading and writing. It is buffered, and closed with the sink; its name is for who made it. */
export function createFileSink(fd: number, path: string): FileBlockSink {
  let closed: Promise<void> | null = null
  const handle = {
    fd,
    truncate: (sizeBytes: number) => truncate(fd, sizeBytes),
    // Closed once more, it could be somebody else's file that has the number by then.
    close: () => (closed ??= close(fd)),
  }
  const state = { held: null, isDirect: false, isNew: false, heldBytes: 0, dropCache: dropFileCache }
  return new FileSink(path, handle, state)
}

async function openFile(
  path: string,
  {
    flags,
    permissions,
    caching,
  }: { readonly flags: number; readonly permissions: number; readonly caching: 'direct' | 'buffered' },
) {
  try {
    const handle = await open(path, flags, permissions)
    return caching === 'direct' && process.platform === 'linux'
      ? await pastCache(handle)
      : { handle, isDirect: false }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw new UsageError('E_DST_EXISTS', `${path} exists`, { details: { input: path }, cause: error })
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR')
      throw new UsageError('E_DST_KIND', `${path} is a folder`, { details: { input: path }, cause: error })
    throw openFailure(error, path, 'destination')
  }
}

/** The same file once more, with direct I/O where the file system has it. By its descriptor: the name may lead somewhere else by now. */
async function pastCache(cached: FileHandle) {
  const flags = constants.O_RDWR | constants.O_NONBLOCK | constants.O_DIRECT
  const direct = await open(`/proc/self/fd/${cached.fd}`, flags).catch(() => null)
  if (direct === null) return { handle: cached, isDirect: false }
  await cached.close().catch(() => undefined)
  return { handle: direct, isDirect: true }
}

interface FileState {
  readonly held: AsyncDisposable | null
  readonly isDirect: boolean
  readonly isNew: boolean
  /** Bytes that the file had before. */
  readonly heldBytes: number
  readonly dropCache: (path: string) => Promise<void>
}

class FileSink implements FileBlockSink {
  readonly path: string
  readonly sizeBytes = null
  readonly alignmentBytes: number
  readonly #handle: Pick<FileHandle, 'fd' | 'truncate' | 'close'>
  readonly #state: FileState
  readonly #file: AlignedFile
  readonly #zeros: ZeroDevice
  readonly #written = new WrittenExtents()
  readonly #underWay = new UnderWay()
  /** Where the file has to end: direct I/O of its last, partial unit leaves it longer for a moment. */
  #endBytes: number
  #cacheHolds = true
  #folderIsSynced: boolean

  constructor(path: string, handle: Pick<FileHandle, 'fd' | 'truncate' | 'close'>, state: FileState) {
    this.path = path
    this.alignmentBytes = state.isDirect ? directAlignmentBytes : 1
    this.#handle = handle
    this.#state = state
    this.#written.add(0, state.heldBytes)
    this.#endBytes = state.heldBytes
    this.#folderIsSynced = !state.isNew
    const { alignmentBytes } = this
    const file = new AlignedFile({ fd: handle.fd, path, alignmentBytes, pastEnd: 'zeros' })
    this.#file = file
    this.#zeros = new ZeroDevice({ file, alignmentBytes, zeroOut: null })
  }

  get fd(): number {
    return this.#handle.fd
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#writing(offset, offset + bytes.length, () => this.#file.write(bytes, offset))
  }

  async zero(
    offset: number,
    lengthBytes: number,
    signal?: AbortSignal,
    onPiece?: OnPiece,
  ): Promise<'written' | 'hole'> {
    const end = offset + lengthBytes
    if (!this.#written.touches(offset, end)) return 'hole'
    await this.#writing(offset, end, async () => {
      await this.#zeros.zero(offset, lengthBytes, signal, onPiece)
    })
    return 'written'
  }

  async discard(offset: number, lengthBytes: number): Promise<'discarded' | 'left'> {
    return this.#written.touches(offset, offset + lengthBytes) ? 'left' : 'discarded'
  }

  flush(): Promise<void> {
    return this.#underWay.run(() => this.#sync())
  }

  read(into: Uint8Array, offset: number): Promise<void> {
    return this.#underWay.run(() => this.#readNow(into, offset))
  }

  finish(sizeBytes: number): Promise<void> {
    return this.#underWay.run(async () => {
      await this.#truncate(sizeBytes)
      this.#endBytes = sizeBytes
      this.#written.cut(sizeBytes)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#underWay.end()
    await this.#file.idle()
    try {
      await this.#handle.close()
    } finally {
      // Whatever closing says: nobody writes here any more.
      await this.#state.held?.[Symbol.asyncDispose]()
    }
  }

  async #sync(): Promise<void> {
    await sync(this.#handle.fd, this.path)
    // A new file is only there after a power cut when its name is on the medium, too.
    if (!this.#folderIsSynced) await syncFolder(dirname(this.path))
    this.#folderIsSynced = true
  }

  async #readNow(into: Uint8Array, offset: number): Promise<void> {
    if (!this.#state.isDirect && this.#cacheHolds) {
      await this.#sync()
      await this.#state.dropCache(this.path)
      this.#cacheHolds = false
    }
    if (offset + into.length > this.#endBytes)
      throw new DeviceError('E_IO_READ', `${this.path} ends at ${this.#endBytes}`, {
        details: { path: this.path, offset },
      })
    await this.#file.read(into, offset)
  }

  async #writing(from: number, to: number, work: () => Promise<void>): Promise<void> {
    await this.#underWay.run(async () => {
      this.#cacheHolds = true
      this.#written.add(from, to)
      this.#endBytes = Math.max(this.#endBytes, to)
      await work()
      // Every write that was started counts for the end, so that this cuts off nothing but padding.
      if (to % this.alignmentBytes !== 0 && to + this.alignmentBytes > this.#endBytes)
        await this.#truncate(this.#endBytes)
    })
  }

  async #truncate(sizeBytes: number): Promise<void> {
    await this.#handle.truncate(sizeBytes).catch((error: unknown) => {
      throw writeFailure(error, this.path, sizeBytes)
    })
  }
}

/** A name in it is on the medium when this resolves, where the file system can. */
export async function syncFolder(path: string): Promise<void> {
  // Not every file system can; what can be done was done.
  try {
    await using folder = await open(path, constants.O_RDONLY)
    await folder.sync()
  } catch {
    return
  }
}
