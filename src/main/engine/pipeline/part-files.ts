/**
 * Files of an image that has too many to hold open: opened when they are read, a few of them kept. A sparse bundle may
 * have a hundred thousand bands. Every thread has its own; a part that has a descriptor already is read by that.
 */
import { closeSync, constants, fstat, fstatSync, open, openSync, type Stats } from 'node:fs'
import { promisify } from 'node:util'
import { errnoOf, openFailure } from '#engine/block-io'
import { fileStamp } from '#engine/formats/extents'
import { DeviceError } from '#shared/errors'
import type { OpenPart } from './stored-reader.ts'

interface OpenFile {
  readonly fd: number
  /** Reads that are under way. */
  users: number
}

/** Without O_NONBLOCK a pipe that took the file's place would keep us waiting. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK

const openLater = promisify(open)
const fstatLater = promisify(fstat)

export class PartFiles implements Disposable {
  readonly #limit: number
  /** The one that was used last is the last. */
  readonly #files = new Map<string, OpenFile>()
  readonly #opening = new Map<string, Promise<OpenFile>>()
  #isClosed = false

  /** Keeps `limit` files open when none is being read. */
  constructor(limit = 8) {
    this.#limit = limit
  }

  /** `read` with a descriptor of the part's file. Throws DeviceError E_SRC_GONE, E_SRC_CHANGED, … for one that isn't what it was. */
  with<T>(part: OpenPart, read: (fd: number) => T): T {
    if (part.fd !== null) return read(part.fd)
    return read((this.#known(part.path) ?? this.#openNow(part)).fd)
  }

  /** The same, without blocking. */
  async withLater<T>(part: OpenPart, read: (fd: number) => Promise<T>): Promise<T> {
    if (part.fd !== null) return await read(part.fd)
    let file = this.#known(part.path)
    // Another read may have pushed it out before its turn came.
    for (; file === null; file = this.#known(part.path)) await this.#openLater(part)
    file.users++
    try {
      return await read(file.fd)
    } finally {
      file.users--
      if (this.#isClosed) this.#closeIdle(0)
    }
  }

  /** Files that are being read are closed when they aren't any more. */
  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#closeIdle(0)
  }

  #known(path: string): OpenFile | null {
    const file = this.#files.get(path)
    if (file === undefined) return null
    this.#files.delete(path)
    this.#files.set(path, file)
    return file
  }

  #openNow(part: OpenPart): OpenFile {
    let fd: number
    try {
      fd = openSync(part.path, flags)
    } catch (error) {
      throw vanished(error, part.path)
    }
    return this.#keep(part, fd, () => fstatSync(fd))
  }

  #openLater(part: OpenPart): Promise<OpenFile> {
    const { path } = part
    const opening =
      this.#opening.get(path) ??
      openLater(path, flags)
        .catch((error: unknown) => {
          throw vanished(error, path)
        })
        .then(async (fd) => {
          const stats = await fstatLater(fd).catch((error: unknown) => {
            closeSync(fd)
            throw openFailure(error, path, 'source')
          })
          return this.#keep(part, fd, () => stats)
        })
        .finally(() => this.#opening.delete(path))
    this.#opening.set(path, opening)
    return opening
  }

  #keep({ path, stamp }: OpenPart, fd: number, stats: () => Stats): OpenFile {
    try {
      if (stamp !== undefined && fileStamp(stats()) !== stamp) throw changed(path)
    } catch (error) {
      closeSync(fd)
      throw error
    }
    this.#closeIdle(this.#limit - 1)
    const file = { fd, users: 0 }
    this.#files.set(path, file)
    return file
  }

  #closeIdle(limit: number): void {
    for (const [path, { fd, users }] of this.#files) {
      if (this.#files.size <= limit) return
      if (users > 0) continue
      this.#files.delete(path)
      closeSync(fd)
    }
  }
}

/** The image was read and had it then. */
function vanished(error: unknown, path: string): unknown {
  const errno = errnoOf(error)
  if (errno !== 'ENOENT' && errno !== 'ENOTDIR') return openFailure(error, path, 'source')
  return new DeviceError('E_SRC_GONE', `${path} is gone`, { details: { path, errno }, cause: error })
}

const changed = (path: string) =>
  new DeviceError('E_SRC_CHANGED', `${path} isn't what it was when the image was opened`, {
    details: { path },
  })
