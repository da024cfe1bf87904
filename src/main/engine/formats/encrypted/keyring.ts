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

/** More images than anybody unlocks in one go; those that weren't used for longest are forgotten. */
const mostImages = 1000
/** More files than an image of many has. They are kept apart: one image of thousands of files must not lock the others, or itself. */
const mostFollowers = 10_000

export class Keyring {
  readonly #images = new Recent(mostImages)
  /** Files that were opened because the first one of their image was. */
  readonly #followers = new Recent(mostFollowers)

  /** Null: locked. */
  find(header: EncryptedHeader): ImageKeys | null {
    return this.#opened(header)?.keys ?? null
  }

  /** Unlock and remember. Throws what `unlockHeader` throws; then nothing has changed. */
  async unlock(header: EncryptedHeader, password: string, signal?: AbortSignal): Promise<ImageKeys> {
    const known = this.#opened(header)
    const keys = known?.password === password ? known.keys : await unlockHeader(header, password, signal)
    this.#images.keep(header.fingerprint, { keys, password })
    return keys
  }

  /** The keys of `header` by the password that opened `first`, a file of the same image. Null when `first` is locked. */
  async unlockLike(
    header: EncryptedHeader,
    first: EncryptedHeader,
    signal?: AbortSignal,
  ): Promise<ImageKeys | null> {
    // Asked for each file: as long as its files are being opened, the image is in use.
    const password = this.#opened(first)?.password
    const known = this.find(header)
    if (known !== null || password === undefined) return known
    const keys = await unlockHeader(header, password, signal)
    this.#followers.keep(header.fingerprint, { keys, password })
    return keys
  }

  #opened({ fingerprint }: EncryptedHeader): Opened | null {
    return this.#images.use(fingerprint) ?? this.#followers.use(fingerprint)
  }
}

/** The `most` that were used last, by their fingerprints. */
class Recent {
  readonly #most: number
  /** From the one that wasn't used for longest. */
  readonly #opened = new Map<string, Opened>()

  constructor(most: number) {
    this.#most = most
  }

  use(fingerprint: string): Opened | null {
    const opened = this.#opened.get(fingerprint)
    if (opened === undefined) return null
    this.keep(fingerprint, opened)
    return opened
  }

  keep(fingerprint: string, opened: Opened): void {
    this.#opened.delete(fingerprint)
    this.#opened.set(fingerprint, opened)
    for (const oldest of this.#opened.keys()) {
      if (this.#opened.size <= this.#most) break
      this.#opened.delete(oldest)
    }
  }
}

/**
 * The keyring of this process: who opens images finds the keys here unless they bring a ring of their own, as tests do. One
 * for all, because an image that was unlocked is unlocked for every verb and every job.
 */
export const processKeyring = new Keyring()
