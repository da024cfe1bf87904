/**
 * One file of a segmented image while it is written: under a hidden name, written anywhere and read again, and open only while
 * it is worked on, for there may be thousands. Encrypted, it is an encrypted file of its own, as hdiutil makes them: a header,
 * keys that no other segment has, and inside the segment with its trailer.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  errnoOf,
  exchanged,
  isSameFile,
  makeLike,
  openFailure,
  writeFailure,
  type FileIdentity,
  type Permissions,
} from '#engine/block-io'
import { EncryptedFile, newEncryption, type NewEncryption } from '#engine/formats/encrypted'

export interface SegmentPartOptions {
  /** Null: it isn't encrypted. */
  readonly password: string | null
  /** What it replaces is somebody's: it gets these permissions when it is complete, and nobody else may read it before. Null: it replaces nothing. */
  readonly like: Permissions | null
}

interface Parts extends Pick<SegmentPartOptions, 'like'> {
  readonly target: string
  readonly hidden: string
  readonly made: FileIdentity
  readonly file: FileHandle
  readonly encryption: NewEncryption | null
}

/** It is there already, in a folder that may be somebody else's: what lies at its name now may be a link to any file. */
const reopening = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK

export class SegmentPart {
  /** Where it is until it is complete. */
  readonly hidden: string
  /** Of its part of the data fork, and their CRC-32: whoever writes it counts. */
  dataBytes = 0
  crc = 0
  readonly #target: string
  /** Null while nothing is written into it. */
  #file: FileHandle | null
  readonly #encryption: NewEncryption | null
  readonly #inside: Pick<EncryptedFile, 'read' | 'write'>
  readonly #encrypted: EncryptedFile | null
  readonly #like: Permissions | null
  #made: FileIdentity

  private constructor({ target, hidden, made, file, encryption, like }: Parts) {
    this.#target = target
    this.hidden = hidden
    this.#made = made
    this.#file = file
    this.#encryption = encryption
    this.#like = like
    const stored = {
      write: (bytes: Uint8Array, offset: number) => this.#writeStored(bytes, offset),
      read: (into: Uint8Array, offset: number) => this.#readStored(into, offset),
    }
    this.#encrypted = encryption === null ? null : new EncryptedFile(stored, encryption.cipher)
    this.#inside = this.#encrypted ?? stored
  }

  /** What it was when it was made, or is complete: it may have another owner since. */
  get made(): FileIdentity {
    return this.#made
  }

  /** Beside `target`, which errors name. Throws DeviceError. */
  static async create(target: string, { password, like }: SegmentPartOptions): Promise<SegmentPart> {
    const encryption = password === null ? null : await newEncryption(password)
    const folder = dirname(target)
    const hidden = join(folder, `.reprise-${randomBytes(6).toString('hex')}.part`)
    const file = await open(hidden, 'wx+', like === null ? 0o666 : 0o600).catch((error: unknown) => {
      throw openFailure(error, folder, 'destination')
    })
    try {
      const made = await file.stat()
      return new SegmentPart({ target, hidden, made, file, encryption, like })
    } catch (error) {
      await file.close().catch(() => undefined)
      await unlink(hidden).catch(() => undefined)
      throw writeFailure(error, target)
    }
  }

  /** Throws DeviceError. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#inside.write(bytes, offset)
  }

  /** What was written there. Throws DeviceError. */
  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes)
    await this.#inside.read(bytes, offset)
    return bytes
  }

  /** It ends after `sizeBytes`: complete, on the medium and closed when it resolves. */
  async finish(sizeBytes: number): Promise<void> {
    const storedBytes = (await this.#encrypted?.finish(sizeBytes)) ?? sizeBytes
    if (this.#encryption !== null) await this.#writeStored(this.#encryption.header(sizeBytes), 0)
    const file = await this.#open()
    await this.#try(file.truncate(storedBytes))
    if (this.#like !== null) makeLike(file.fd, this.#like)
    this.#made = await this.#try(file.stat())
    await this.putDown()
  }

  /** On the medium, and closed until it is needed again. */
  async putDown(): Promise<void> {
    const file = this.#file
    this.#file = null
    try {
      await this.#try(file?.sync() ?? Promise.resolve())
    } finally {
      await file?.close()
    }
  }

  /** Whatever state it is in. */
  async remove(): Promise<void> {
    await this.#file?.close().catch(() => undefined)
    await unlink(this.hidden).catch(() => undefined)
  }

  async #open(): Promise<FileHandle> {
    this.#file ??= await this.#reopen()
    return this.#file
  }

  /** Throws DeviceError E_DST_CHANGED when it isn't the file that was made. */
  async #reopen(): Promise<FileHandle> {
    const file = await open(this.hidden, reopening).catch((error: unknown) => {
      throw errnoOf(error) === 'ELOOP' ? exchanged(this.#target) : writeFailure(error, this.#target)
    })
    try {
      if (isSameFile(await this.#try(file.stat()), this.#made)) return file
      throw exchanged(this.#target)
    } catch (error) {
      await file.close().catch(() => undefined)
      throw error
    }
  }

  async #writeStored(bytes: Uint8Array, offset: number): Promise<void> {
    const file = await this.#open()
    for (let done = 0; done < bytes.length;)
      done += (await this.#try(file.write(bytes, done, bytes.length - done, offset + done))).bytesWritten
  }

  async #readStored(into: Uint8Array, offset: number): Promise<void> {
    const file = await this.#open()
    for (let done = 0; done < into.length;) {
      const { bytesRead } = await this.#try(file.read(into, done, into.length - done, offset + done))
      if (bytesRead === 0) break
      done += bytesRead
    }
  }

  async #try<T>(work: Promise<T>): Promise<T> {
    return await work.catch((error: unknown) => {
      throw writeFailure(error, this.#target)
    })
  }
}
