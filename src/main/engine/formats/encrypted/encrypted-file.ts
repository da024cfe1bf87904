/**
 * A file that is encrypted as it is written: whoever writes into it sees a plain one. What is left out reads as zeros, as in any
 * file; but zeros must be stored here, or they would come out as noise.
 */
import { invariant } from '#shared/errors'
import type { BlockCipher } from '#engine/formats/extents'
import { decryptPiece, pieceBytes, planPiece } from './decrypt-blocks.ts'
import { BlockEncryptor } from './encrypt-blocks.ts'
import { wholeBlocks } from './header-v2.ts'

/** What is written into; offsets are those of the file. */
interface StoredFile {
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** Fill `into` with what was written. Without it nothing can be read, and only whole blocks can be written again. */
  read?(into: Uint8Array, offset: number): Promise<void>
}

const zeros = new Uint8Array(pieceBytes)

export class EncryptedFile {
  readonly #file: StoredFile
  readonly #cipher: BlockCipher
  readonly #encryptor: BlockEncryptor
  readonly #blockBytes: number
  readonly #signal: AbortSignal | undefined
  /** Everything before is stored, or waits in `#pending`. */
  #end: number
  /** The block that `#end` is in, as far as it is there: zeros behind. */
  readonly #pending: Uint8Array

  /**
   * `sizeBytes`: so much is in the file already, whole blocks. `signal` ends what takes long: a hole of a terabyte is a terabyte
   * to be written.
   */
  constructor(
    file: StoredFile,
    cipher: BlockCipher,
    { sizeBytes = 0, signal }: { readonly sizeBytes?: number; readonly signal?: AbortSignal } = {},
  ) {
    invariant(sizeBytes % cipher.blockBytes === 0, 'an encrypted file ends inside a block')
    this.#signal = signal
    this.#file = file
    this.#cipher = cipher
    this.#encryptor = new BlockEncryptor(cipher)
    this.#blockBytes = cipher.blockBytes
    this.#end = sizeBytes
    this.#pending = new Uint8Array(this.#blockBytes)
  }

  /** Plain bytes that are there. */
  get sizeBytes(): number {
    return this.#end
  }

  /** Fill `into` with what was written at `offset`. Rejects with what reading throws. */
  async read(into: Uint8Array, offset: number): Promise<void> {
    invariant(offset + into.length <= this.#end, 'an encrypted file is read behind its end')
    for (let done = 0; done < into.length;) {
      const at = offset + done
      const stored = Math.min(into.length - done, this.#wholeEnd - at)
      if (stored <= 0) {
        const within = at - this.#wholeEnd
        into.set(this.#pending.subarray(within, within + into.length - done), done)
        return
      }
      const piece = planPiece(this.#cipher, at, stored)
      const bytes = await this.#readStored(piece.fileOffset, piece.storedBytes)
      decryptPiece(this.#cipher, piece, bytes, into.subarray(done, done + piece.plainBytes))
      done += piece.plainBytes
    }
  }

  /** One write after another, anywhere. Rejects with what writing throws, the signal's reason. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    const again = Math.min(bytes.length, Math.max(0, this.#end - offset))
    if (again > 0) await this.#change(bytes.subarray(0, again), offset)
    while (this.#end < offset)
      await this.#append(zeros.subarray(0, Math.min(zeros.length, offset - this.#end)))
    await this.#append(bytes.subarray(again))
  }

  /**
   * All is there, `sizeBytes` of it: what is missing at the end is zeros, and so is the rest of the last block. Resolves to the
   * length that the file has to have. More can be written afterwards.
   */
  async finish(sizeBytes: number): Promise<number> {
    const end = wholeBlocks(sizeBytes, this.#blockBytes)
    const behind = Math.min(this.#end, end) - sizeBytes
    if (behind > 0) await this.#change(zeros.subarray(0, behind), sizeBytes)
    while (this.#end < end) await this.#append(zeros.subarray(0, Math.min(zeros.length, end - this.#end)))
    this.#end = end
    return this.#cipher.dataOffset + end
  }

  get #wholeEnd(): number {
    return this.#end - (this.#end % this.#blockBytes)
  }

  /** `bytes` lie before `#end`: blocks that are changed in part are read before. */
  async #change(bytes: Uint8Array, offset: number): Promise<void> {
    const wholeEnd = this.#wholeEnd
    for (let done = 0; done < bytes.length;) {
      const within = (offset + done) % this.#blockBytes
      const start = offset + done - within
      const left = bytes.length - done
      const whole = Math.min(left - (left % this.#blockBytes), wholeEnd - start)
      if (within === 0 && whole > 0) {
        await this.#store(bytes.subarray(done, done + whole), start)
        done += whole
        continue
      }
      const piece = bytes.subarray(done, done + this.#blockBytes - within)
      if (start === wholeEnd) this.#pending.set(piece, within)
      else await this.#changeBlock(start, piece, within)
      done += piece.length
    }
  }

  async #changeBlock(start: number, piece: Uint8Array, within: number): Promise<void> {
    const block = new Uint8Array(this.#blockBytes)
    await this.read(block, start)
    block.set(piece, within)
    await this.#store(block, start)
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
    const { dataOffset } = this.#cipher
    for (let done = 0; done < bytes.length; done += pieceBytes) {
      this.#signal?.throwIfAborted()
      const plain = bytes.subarray(done, done + pieceBytes)
      const stored = this.#encryptor.encrypt((offset + done) / this.#blockBytes, plain)
      await this.#file.write(stored, dataOffset + offset + done)
    }
  }

  async #readStored(offset: number, lengthBytes: number): Promise<Uint8Array> {
    invariant(this.#file.read !== undefined, 'a block is written again in part')
    const bytes = new Uint8Array(lengthBytes)
    await this.#file.read(bytes, offset)
    return bytes
  }
}
