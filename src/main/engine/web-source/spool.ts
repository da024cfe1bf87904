/**
 * A file of a server that can't give parts of it: fetched once as a whole, into a file that has no name any more, and
 * read from there.
 */
import { createHash, randomUUID } from 'node:crypto'
import { closeSync, existsSync, openSync, read, unlinkSync, write } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errnoOf, openFailure, readFailure, writeFailure } from '#engine/block-io'
import { FormatError, NetworkError } from '#shared/errors'
import { publicLocator } from '#shared/model'
import { shownUrl } from './web-errors.ts'

/** What the rest of the system keeps for itself. */
const reserveBytes = 64 * 1024 * 1024
/** How much may come before free space is looked at again. */
const lookBytes = 64 * 1024 * 1024

/** What a test may slow down. */
export interface SpoolDisk {
  write(
    fd: number,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    offset: number,
    done: (error: NodeJS.ErrnoException | null, wrote: number) => void,
  ): void
  closeSync(fd: number): void
}

export class Spool {
  readonly #fd: number
  readonly #disk: SpoolDisk
  readonly #folder: string
  readonly #url: URL
  readonly #hash = createHash('sha256')
  #digest: string | null = null
  #sizeBytes = 0
  #sinceLook = 0
  #isOpen = true
  /** Reads and writes that the system has still to do: closed before, it might do them to another file of that number. */
  #underWay = 0

  /** Makes the file, and takes its name away. Throws DeviceError. */
  constructor(url: URL, folder: string | null, disk: SpoolDisk = { write, closeSync }) {
    this.#disk = disk
    this.#url = url
    this.#folder = folder ?? usualFolder()
    const path = join(this.#folder, `reprise-${randomUUID()}`)
    try {
      this.#fd = openSync(path, 'wx+', 0o600)
      unlinkSync(path)
    } catch (error) {
      throw openFailure(error, path, 'destination')
    }
  }

  get fd(): number {
    return this.#fd
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** SHA-256 of everything, hex. Nothing may be added any more. */
  get digest(): string {
    return (this.#digest ??= this.#hash.digest('hex'))
  }

  /** Throws NetworkError E_NET_SPACE when there is no room for so many more bytes. */
  async checkRoom(lengthBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder)
    if (bavail * bsize - reserveBytes >= lengthBytes) return
    throw noRoom(this.#url, this.#folder, lengthBytes)
  }

  /** Add what comes next. Throws NetworkError E_NET_SPACE, DeviceError E_IO_WRITE; an error when it was closed meanwhile. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#sinceLook += bytes.length
    if (this.#sinceLook >= lookBytes) {
      await this.checkRoom(lookBytes)
      this.#sinceLook = 0
    }
    this.#hash.update(bytes)
    for (let done = 0; done < bytes.length;) done += await this.#write(bytes, done)
    this.#sizeBytes += bytes.length
  }

  /** Fill `into`, as `BlockSource.read` does. */
  async read(path: string, into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    for (let done = 0; done < into.length;) {
      signal?.throwIfAborted()
      const got = await this.#read(path, into, done, offset)
      if (got === 0) throw endsBefore(path, offset, into.length, this.#sizeBytes)
      done += got
    }
  }

  /** At once for everybody; the file itself goes when nothing is under way any more. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#underWay === 0) this.#disk.closeSync(this.#fd)
  }

  #begin(): void {
    if (!this.#isOpen) throw new Error('the file was closed')
    this.#underWay += 1
  }

  #end(): void {
    this.#underWay -= 1
    if (!this.#isOpen && this.#underWay === 0) this.#disk.closeSync(this.#fd)
  }

  #write(bytes: Uint8Array, done: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#begin()
      this.#disk.write(this.#fd, bytes, done, bytes.length - done, this.#sizeBytes + done, (error, wrote) => {
        this.#end()
        if (error === null) resolve(wrote)
        else if (errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT')
          reject(noRoom(this.#url, this.#folder, bytes.length))
        else reject(writeFailure(error, this.#folder, this.#sizeBytes + done))
      })
    })
  }

  #read(path: string, into: Uint8Array, done: number, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#begin()
      read(this.#fd, into, done, into.length - done, offset + done, (error, got) => {
        this.#end()
        if (error === null) resolve(got)
        else reject(readFailure(error, publicLocator(path), offset + done, 'source'))
      })
    })
  }
}

const noRoom = (url: URL, folder: string, neededBytes: number) =>
  new NetworkError('E_NET_SPACE', `no room in ${folder} for an image that is fetched as a whole`, {
    details: { address: shownUrl(url), host: url.host, phase: 'body', folder, neededBytes },
  })

/** The disk rather than memory, where the system makes that difference. */
const usualFolder = () => process.env['TMPDIR'] ?? (existsSync('/var/tmp') ? '/var/tmp' : tmpdir())

export function endsBefore(path: string, offset: number, lengthBytes: number, end: number): FormatError {
  const shown = publicLocator(path)
  return new FormatError('E_SRC_CORRUPT', `${shown} ends at ${end}, inside ${offset}+${lengthBytes}`, {
    details: {
      format: 'file',
      field: 'length',
      offset,
      expected: offset + lengthBytes,
      found: end,
      path: shown,
    },
  })
}
