/**
 * A file that takes its name when it is complete. Until then its bytes are in a hidden file beside it, what was there
 * before stays whole, and a failure leaves nothing: no half file is ever found under a name that promises a whole one.
 */
import { randomBytes } from 'node:crypto'
import { fstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DeviceError, UsageError } from '#shared/errors'
import { refuseDanglingLink } from './dangling-link.ts'
import { refuseExchanged } from './exchanged.ts'
import { refuseFolderName } from './folder-name.ts'
import { namesOf, ownNames, type FileNames } from './file-names.ts'
import type { FileOwner } from './file-owner.ts'
import type { FileBlockSink } from './file-sink.ts'
import { errnoOf, openFailure, writeFailure } from './system-failure.ts'

export interface ReplacementFile extends AsyncDisposable {
  /** Throws DeviceError E_DST_FULL, E_IO_WRITE, … with the path of the file that it will be. What isn't written is a hole. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  /**
   * The file is `sizeBytes` long and complete: bring it to the medium and give it its name. Throws like `write`;
   * UsageError E_DST_EXISTS when `create` was asked for and somebody else was faster, DeviceError E_DST_CHANGED when somebody exchanged it. Disposing without it removes all.
   * `check` looks at the complete file before it gets its name, at the path where it is until then; what it throws is thrown.
   */
  commit(sizeBytes: number, check?: (path: string) => Promise<void>): Promise<void>
}

/** Between flushes: what the last one may still have to write. */
const unflushedBytes = 128 * 1024 * 1024

interface ReplacementFileOptions {
  /** `create`: there must be nothing at the path. `replace`: there may be a regular file; the new one gets its permissions. */
  readonly mode: 'create' | 'replace'
  /** Whose rights count, and whose the file will be. Default, and null: this process's. */
  readonly owner?: FileOwner | null
  /** What makes and names files. For tests; default: the system, with the rights of `owner`. */
  readonly names?: FileNames
}

/**
 * Throws UsageError E_DST_EXISTS, E_DST_KIND; DeviceError E_NOT_FOUND (the folder), E_DENIED, E_DST_READONLY, E_DST_FULL.
 */
export async function openReplacementFile(
  path: string,
  { mode, owner = null, names = owner === null ? ownNames : namesOf(owner) }: ReplacementFileOptions,
): Promise<ReplacementFile> {
  const old = await names.stat(path)
  if (old !== null && !old.isFile()) throw notAFile(path, old.isDirectory() ? 'a folder' : 'not a plain file')
  if (old !== null && mode === 'create') throw exists(path)
  if (old === null) refuseFolderName(path)
  if (old === null) await refuseDanglingLink(path, (link) => names.readlink(link))
  // Behind a link: the link stays, what it leads to is replaced.
  const place = old === null ? path : await names.realpath(path)
  const hidden = join(dirname(place), `.reprise-${randomBytes(6).toString('hex')}.part`)
  try {
    // What replaces somebody's file is nobody else's business until it has that one's permissions.
    const sink = await names.openNew(hidden, old !== null)
    return new Replacement({ names, sink, path, place, hidden, mode, old })
  } catch (error) {
    throw called(error, error instanceof DeviceError && error.code === 'E_NOT_FOUND' ? dirname(path) : path)
  }
}

interface Parts {
  readonly names: FileNames
  readonly sink: FileBlockSink
  /** As it was asked for, for messages. */
  readonly path: string
  /** Where it will be. */
  readonly place: string
  /** Where it is until then. */
  readonly hidden: string
  readonly mode: 'create' | 'replace'
  readonly old: { readonly mode: number; readonly uid: number; readonly gid: number } | null
}

class Replacement implements ReplacementFile {
  readonly #parts: Parts
  /** One after another. Of what was lost the system tells once, so when one fails this stays so. */
  #flushing: Promise<void> = Promise.resolve()
  #unflushed = 0
  #isHidden = true

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#called(this.#parts.sink.write(bytes, offset))
    this.#unflushed += bytes.length
    if (this.#unflushed < unflushedBytes) return
    // The medium keeps up meanwhile, and the last flush, which nothing can stop, is short.
    await this.#called(this.#flushing)
    this.#unflushed = 0
    this.#flushing = this.#flushing.then(() => this.#parts.sink.flush())
    this.#flushing.catch(() => undefined)
  }

  async commit(sizeBytes: number, check?: (path: string) => Promise<void>): Promise<void> {
    const { names, sink, path, place, hidden, mode, old } = this.#parts
    await this.#called(this.#flushing)
    await this.#called(sink.finish(sizeBytes))
    await this.#called(sink.flush())
    // The file was somebody's.
    if (old !== null) names.makeLike(sink.fd, old)
    const made = fstatSync(sink.fd)
    await this.#close()
    await check?.(hidden)
    refuseExchanged(path, await names.lstat(hidden), made)
    try {
      if (mode === 'create') await nameNew(names, hidden, place, path)
      else await names.rename(hidden, place)
    } catch (error) {
      throw called(openFailure(error, path, 'destination'), path)
    }
    this.#isHidden = false
    await names.syncFolder(dirname(place))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isHidden) return
    await this.#flushing.catch(() => undefined)
    await this.#close().catch(() => undefined)
    await this.#parts.names.unlink(this.#parts.hidden).catch(() => undefined)
  }

  async #close(): Promise<void> {
    await this.#parts.sink[Symbol.asyncDispose]()
  }

  async #called<T>(work: Promise<T>): Promise<T> {
    return await work.catch((error: unknown) => {
      throw called(writeFailure(error, this.#parts.path), this.#parts.path)
    })
  }
}

/** Unlike a rename, a link doesn't replace what appeared in the meantime. Not every file system has links. */
async function nameNew(names: FileNames, hidden: string, place: string, path: string): Promise<void> {
  try {
    await names.link(hidden, place)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' || (await names.stat(place)) !== null) throw exists(path)
    return await names.rename(hidden, place)
  }
  await names.unlink(hidden).catch(() => undefined)
}

/** The same error, of the file that people know about. */
function called(error: unknown, path: string): unknown {
  if (!(error instanceof DeviceError)) return error
  const { code, message, details, transient } = error
  return new DeviceError(code, message, { details: { ...details, path }, transient, cause: error })
}

const exists = (path: string) =>
  new UsageError('E_DST_EXISTS', `${path} exists`, { details: { input: path, path } })

const notAFile = (path: string, what: string) =>
  new UsageError('E_DST_KIND', `${path} is ${what}`, {
    details: {
      input: path,
      path,
      what,
      problem: `'${path}' can't be replaced.`,
      hint: 'Choose another name for the file.',
    },
  })
