/**
 * Keys of the images that were unlocked in this process. Nothing of it is ever written, logged or sent, and it ends with the
 * process. An image is known by its header, which holds a UUID, a random salt and the wrapped keys: another image at the same
 * path is locked again, the same image behind another path isn't.
 */
import type { EncryptedHeader } from './header.ts'
import { unlockHeader, type ImageKeys } from './unlock.ts'

interface Opened {
  readonly keys: ImageKeys
  /** The other segments of the image have headers of their own, made with the same password. */
  readonly password: string
}

/** More images than anybody unlocks in one go; the oldest are forgotten. */
const mostImages = 1000

export class Keyring {
  readonly #opened = new Map<string, Opened>()

  /** Null: locked. */
  find(header: EncryptedHeader): ImageKeys | null {
    return this.#opened.get(header.fingerprint)?.keys ?? null
  }

  /** Unlock and remember. Throws what `unlockHeader` throws; then nothing has changed. */
  async unlock(header: EncryptedHeader, password: string, signal?: AbortSignal): Promise<ImageKeys> {
    const known = this.#opened.get(header.fingerprint)
    if (known?.password === password) return known.keys
    const keys = await unlockHeader(header, password, signal)
    this.#opened.delete(header.fingerprint)
    this.#opened.set(header.fingerprint, { keys, password })
    for (const fingerprint of this.#opened.keys()) {
      if (this.#opened.size <= mostImages) break
      this.#opened.delete(fingerprint)
    }
    return keys
  }

  /** The keys of `header` by the password that opened `first`, a file of the same image. Null when `first` is locked. */
  async unlockLike(
    header: EncryptedHeader,
    first: EncryptedHeader,
    signal?: AbortSignal,
  ): Promise<ImageKeys | null> {
    const known = this.find(header)
    if (known !== null) return known
    const password = this.#opened.get(first.fingerprint)?.password
    return password === undefined ? null : await this.unlock(header, password, signal)
  }
}

/**
 * The keyring of this process: who opens images finds the keys here unless they bring a ring of their own, as tests do. One
 * for all, because an image that was unlocked is unlocked for every verb and every job.
 */
export const processKeyring = new Keyring()
