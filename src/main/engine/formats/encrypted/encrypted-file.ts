/**
 * A file that is encrypted as it is written: whoever writes into it sees a plain one. What is left out reads as zeros, as in any
 * file; but zeros must be stored here, or they would come out as noise.
 */
import { invariant } from '#shared/errors'
import { pieceBytes } from './decrypt-blocks.ts'
import { BlockEncryptor } from './encrypt-blocks.ts'
import { wholeBlocks } from './header-v2.ts'
import type { NewEncryption } from './new-header.ts'

/** What is written into; offsets are those of the file. */
interface PlainFile {
  write(bytes: Uint8Array, offset: number): Promise<void>
}

export class EncryptedFile {
  readonly #file: PlainFile
  readonly #encryption: NewEncryption
  readonly #encryptor: BlockEncryptor
  readonly #blockBytes: number
  readonly #signal: AbortSignal | undefined
  /** Everything before is stored, or waits in `#pending`. */
  #end = 0
  /** The block that `#end` is in, as far as it is there: zeros behind. */
  readonly #pending: Uint8Array
  readonly #zeros = new Uint8Array(pieceBytes)

  /** `signal` ends what takes long: a hole of a terabyte is a terabyte to be written. */
  constructor(
    file: PlainFile,
    encryption: NewEncryption,
    { signal }: { readonly signal?: AbortSignal } = {},
  ) {
    this.#signal = signal
    this.#file = file
    this.#encryption = encryption
    this.#encryptor = new BlockEncryptor(encryption.cipher)
    this.#blockBytes = encryption.cipher.blockBytes
    this.#pending = new Uint8Array(this.#blockBytes)
  }

  /**
   * One write after another. Going on from the end of what is there, or behind it, at any byte; before it only in whole blocks.
   * Rejects with what writing throws, the signal's reason.
   */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    if (offset < this.#end) {
      const isWhole = offset % this.#blockBytes === 0 && bytes.length % this.#blockBytes === 0
      invariant(isWhole && offset + bytes.length <= this.#wholeEnd, 'a block is written again in part')
      await this.#store(bytes, offset)
      return
    }
    while (this.#end < offset)
      await this.#append(this.#zeros.subarray(0, Math.min(pieceBytes, offset - this.#end)))
    await this.#append(bytes)
  }

  /** All is there, `dataBytes` of it: the rest is zeros. Resolves to the length of the file. */
  async finish(dataBytes: number): Promise<number> {
    const { dataOffset } = this.#encryption.cipher
    invariant(dataBytes >= this.#end, 'a file ends before its last byte')
    const end = wholeBlocks(dataBytes, this.#blockBytes)
    while (this.#end < end) await this.#append(this.#zeros.subarray(0, Math.min(pieceBytes, end - this.#end)))
    await this.#file.write(this.#encryption.header(dataBytes), 0)
    return dataOffset + end
  }

  get #wholeEnd(): number {
    return this.#end - (this.#end % this.#blockBytes)
  }

  async #append(bytes: Uint8Array): Promise<void> {
    let done = 0
    const within = this.#end % this.#blockBytes
    if (within > 0) {
      done = Math.min(bytes.length, this.#blockBytes - within)
      this.#pending.set(bytes.subarray(0, done), within)
      if (within + done === this.#blockBytes) await this.#store(this.#pending, this.#wholeEnd)
      this.#end += done
    }
    const whole = bytes.length - done - ((bytes.length - done) % this.#blockBytes)
    if (whole > 0) await this.#store(bytes.subarray(done, done + whole), this.#end)
    this.#end += whole
    done += whole
    if (done === bytes.length) return
    this.#pending.fill(0)
    this.#pending.set(bytes.subarray(done))
    this.#end += bytes.length - done
  }

  /** Whole blocks. */
  async #store(bytes: Uint8Array, offset: number): Promise<void> {
    const { dataOffset } = this.#encryption.cipher
    for (let done = 0; done < bytes.length; done += pieceBytes) {
      this.#signal?.throwIfAborted()
      const plain = bytes.subarray(done, done + pieceBytes)
      const stored = this.#encryptor.encrypt((offset + done) / this.#blockBytes, plain)
      await this.#file.write(stored, dataOffset + offset + done)
    }
  }
}
