/**
 * Writes the files of a sparse bundle in one pass. A band gets its file when something in it isn't zeros, and ends where its
 * last such byte is. Every file is on the medium before the next but one is begun: a flush at the end is short. Encrypted, a
 * band has no holes, and its blocks are counted from 0 in each, as hdiutil counts them.
 */
import { open, mkdir, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, writeFailure } from '#engine/block-io'
import { EncryptedFile, type NewEncryption } from '#engine/formats/encrypted'
import { bandPieces } from './band-pieces.ts'
import { bandPath, bundleNames } from './bundle-folder.ts'
import { encodeBundlePlist } from './bundle-plist.ts'

/** What hdiutil writes. */
export const usualBundleBandBytes = 8 * 1024 * 1024

export class SparseBundleWriter implements AsyncDisposable {
  readonly #folder: string
  readonly #bandBytes: number
  readonly #encryption: NewEncryption | null
  #band = -1
  #file: FileHandle | null = null
  /** The band being written, where it is encrypted. */
  #encrypted: EncryptedFile | null = null
  #endBytes = 0
  #storedBytes = 0
  /** The band before, on its way to the medium. */
  #syncing: Promise<void> = Promise.resolve()

  /** `folder` is there and empty; nobody else knows it. */
  constructor(
    folder: string,
    bandBytes: number,
    { encryption = null }: { readonly encryption?: NewEncryption | null } = {},
  ) {
    this.#folder = folder
    this.#bandBytes = bandBytes
    this.#encryption = encryption
  }

  /** Throws DeviceError. */
  async begin(): Promise<void> {
    await this.#try(mkdir(join(this.#folder, bundleNames.bands)))
  }

  /** `bytes` are at `offset` of the disk. Calls ascend. Throws DeviceError E_DST_FULL, E_IO_WRITE, … */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (const piece of bandPieces(bytes, offset, this.#bandBytes)) {
      if (piece.index !== this.#band) await this.#nextBand(piece.index)
      if (this.#encrypted === null) await this.#writeAll(piece.bytes, piece.within)
      else await this.#encrypted.write(piece.bytes, piece.within)
    }
  }

  /** The disk has `sizeBytes`, whole sectors: complete the folder and bring it to the medium. Resolves to its bytes. */
  async finish(sizeBytes: number): Promise<number> {
    await this.#endBand()
    await this.#try(this.#syncing)
    const plist = encodeBundlePlist({ sizeBytes, bandBytes: this.#bandBytes })
    const files: readonly (readonly [string, Uint8Array])[] = [
      [bundleNames.info, plist],
      [bundleNames.backup, plist],
      [bundleNames.token, this.#encryption?.header(0) ?? new Uint8Array(0)],
    ]
    for (const [name, bytes] of files) {
      this.#storedBytes += bytes.length
      await this.#try(writeFile(join(this.#folder, name), bytes, { flush: true, flag: 'wx' }))
    }
    await syncFolder(join(this.#folder, bundleNames.bands))
    await syncFolder(this.#folder)
    return this.#storedBytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing.catch(() => undefined)
    const file = this.#file
    this.#file = null
    await file?.close()
  }

  async #nextBand(index: number): Promise<void> {
    await this.#endBand()
    this.#band = index
    this.#endBytes = 0
    this.#file = await this.#try(open(bandPath(this.#folder, index), 'wx'))
    if (this.#encryption === null) return
    const write = (bytes: Uint8Array, offset: number) => this.#writeAll(bytes, offset)
    this.#encrypted = new EncryptedFile({ write }, { ...this.#encryption.cipher, dataOffset: 0 })
  }

  async #endBand(): Promise<void> {
    const file = this.#file
    if (file === null) return
    await this.#encrypted?.finish(this.#encrypted.sizeBytes)
    this.#storedBytes += this.#endBytes
    await this.#try(this.#syncing)
    this.#file = null
    this.#syncing = syncAndClose(file)
    // Nobody waits for it when something else fails first.
    this.#syncing.catch(() => undefined)
  }

  async #writeAll(bytes: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const written = this.#file?.write(bytes, done, bytes.length - done, offset + done)
      done += (await this.#try(written ?? Promise.resolve({ bytesWritten: 0 }))).bytesWritten
    }
    this.#endBytes = offset + bytes.length
  }

  async #try<T>(work: Promise<T>): Promise<T> {
    return await work.catch((error: unknown) => {
      throw writeFailure(error, this.#folder)
    })
  }
}

async function syncAndClose(file: FileHandle): Promise<void> {
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
