/**
 * An encrypted file (version 2) that is changed where it is: whoever edits it sees what is inside. Its header says how much that is,
 * in one sector of the medium: new blocks are on the medium before it counts them, and blocks are cut off when it doesn't count
 * them any more. Stopped anywhere, the file is what it was, or what it will be.
 */
import type { EditableFile, SetSizeOptions } from '#engine/block-io'
import type { BlockCipher } from '#engine/formats/extents'
import { corrupt } from '#engine/formats/struct'
import { EncryptedFile } from './encrypted-file.ts'
import { headerStruct, wholeBlocks } from './header-v2.ts'

const zeroPiece = new Uint8Array(1024 * 1024)

/** Takes `stored` over: closing the result closes it. `cipher`: that of its header. */
export function editEncryptedFile(stored: EditableFile, cipher: BlockCipher): EditableFile {
  return new EditedFile(stored, cipher)
}

/** A new file with the header, and so with the password and the keys, of `stored`; it is written by what it holds. */
export async function encryptedLike(
  stored: EditableFile,
  cipher: BlockCipher,
  file: { write(bytes: Uint8Array, offset: number): Promise<void> },
): Promise<{
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** All is there, `insideBytes` of it. Resolves to the length that the file has to have. */
  finish(insideBytes: number): Promise<number>
}> {
  const header = new Uint8Array(cipher.dataOffset)
  await stored.read(header, 0)
  const encrypted = new EncryptedFile(file, cipher)
  return {
    write: (bytes, offset) => encrypted.write(bytes, offset),
    async finish(insideBytes) {
      const sizeBytes = await encrypted.finish(insideBytes)
      header.set(encodeSize(insideBytes), sizeOffset)
      await file.write(header, 0)
      return sizeBytes
    },
  }
}

class EditedFile implements EditableFile {
  readonly path: string
  readonly #stored: EditableFile
  readonly #encrypted: EncryptedFile
  #sizeBytes: number
  /** What the header says. */
  #toldBytes: number

  constructor(stored: EditableFile, cipher: BlockCipher) {
    this.path = stored.path
    this.#stored = stored
    this.#sizeBytes = cipher.dataBytes
    this.#toldBytes = cipher.dataBytes
    this.#encrypted = new EncryptedFile(stored, cipher, {
      sizeBytes: wholeBlocks(cipher.dataBytes, cipher.blockBytes),
    })
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async read(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (offset + into.length > this.#sizeBytes)
      throw corrupt({
        format: 'encrcdsa',
        field: 'length',
        offset,
        found: this.#sizeBytes,
        expected: offset + into.length,
        path: this.path,
      })
    await this.#encrypted.read(into, offset)
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    const end = offset + bytes.length
    // The rest of the last block was nobody's.
    if (end > this.#sizeBytes) await this.#encrypted.finish(this.#sizeBytes)
    await this.#encrypted.write(bytes, offset)
    this.#sizeBytes = Math.max(this.#sizeBytes, end)
  }

  async flush(): Promise<void> {
    await this.#encrypted.finish(this.#sizeBytes)
    await this.#stored.flush()
    await this.#tell()
  }

  async setSize(sizeBytes: number, { signal, advance }: SetSizeOptions): Promise<void> {
    if (sizeBytes > this.#sizeBytes) return await this.#grow(sizeBytes, { signal, advance })
    this.#sizeBytes = sizeBytes
    await this.#tell()
    await this.#stored.setSize(await this.#encrypted.finish(sizeBytes), { signal, advance })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stored[Symbol.asyncDispose]()
  }

  /** Zeros must be stored: what isn't there would come out as noise. */
  async #grow(sizeBytes: number, { signal, advance }: SetSizeOptions): Promise<void> {
    const before = this.#sizeBytes
    const storedBefore = this.#stored.sizeBytes
    try {
      for (let at = before; at < sizeBytes; at = this.#sizeBytes) {
        signal.throwIfAborted()
        await this.write(zeroPiece.subarray(0, Math.min(zeroPiece.length, sizeBytes - at)), at)
        advance(this.#sizeBytes - before)
      }
      await this.#encrypted.finish(sizeBytes)
      await this.#stored.flush()
    } catch (error) {
      await this.#stored.setSize(storedBefore, { signal, advance }).catch(() => undefined)
      throw error
    }
    await this.#tell()
  }

  async #tell(): Promise<void> {
    if (this.#toldBytes === this.#sizeBytes) return
    await this.#stored.write(encodeSize(this.#sizeBytes), sizeOffset)
    await this.#stored.flush()
    this.#toldBytes = this.#sizeBytes
  }
}

const sizeOffset = headerStruct.offsetOf('dataSize')

function encodeSize(sizeBytes: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(sizeBytes))
  return bytes
}
