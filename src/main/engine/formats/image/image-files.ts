/**
 * The files of one image, opened as what they hold: whatever lies between the medium and the format is undone here. Readers of
 * formats get plain bytes; who reads the disk later needs to know how the files are encrypted, and gets it with the layout.
 */
import { openFileSource, type BlockSource } from '#engine/block-io'
import {
  cipherOf,
  openDecrypted,
  readEncryptedHeader,
  type EncryptedHeader,
  type Keyring,
} from '#engine/formats/encrypted'
import type { BlockCipher, ExtentLayout } from '#engine/formats/extents'
import { formatError } from '#engine/formats/struct'
import type { ImageInfo } from '#shared/model'

export class ImageFiles {
  readonly #keyring: Keyring
  readonly #signal: AbortSignal | undefined
  readonly #ciphers = new Map<string, BlockCipher>()
  readonly #fileBytes = new Map<string, number>()
  /** Of the file that was opened first: its password opens the others. */
  #first: EncryptedHeader | null = null

  constructor({ keyring, signal }: { readonly keyring: Keyring; readonly signal?: AbortSignal | undefined }) {
    this.#keyring = keyring
    this.#signal = signal
  }

  /**
   * The file at `path`, decrypted if it is encrypted. Throws FormatError E_SRC_ENCRYPTED when the keyring hasn't its keys,
   * E_SRC_PASSWORD when a later file has another password than the first; what `readEncryptedHeader` throws; what opening
   * throws.
   */
  readonly open = async (path: string): Promise<BlockSource> => {
    const source = await openFileSource(path)
    try {
      this.#fileBytes.set(path, source.sizeBytes)
      const header = await readEncryptedHeader(source, this.#signal)
      if (header === null) return source
      this.#first ??= header
      const keys = await this.#keyring.unlockLike(header, this.#first, this.#signal)
      if (keys === null) throw locked(header, source)
      const cipher = cipherOf(header, keys)
      this.#ciphers.set(path, cipher)
      return openDecrypted(source, cipher)
    } catch (error) {
      await source[Symbol.asyncDispose]()
      throw error
    }
  }

  /** How the first file is encrypted. */
  get encrypted(): ImageInfo['encrypted'] {
    return this.#first === null ? null : { bits: this.#first.keyBits, version: this.#first.version }
  }

  /** Of all files that were opened, as they are stored. */
  get storedBytes(): number {
    return this.#fileBytes.values().reduce((total, bytes) => total + bytes, 0)
  }

  /** A layout whose places are in the files' plain bytes, for who reads the files themselves. */
  withCiphers(layout: ExtentLayout): ExtentLayout {
    if (this.#ciphers.size === 0) return layout
    const encrypted = <P extends { readonly path: string }>(place: P): P => {
      const cipher = this.#ciphers.get(place.path)
      return cipher === undefined ? place : { ...place, cipher }
    }
    return {
      ...layout,
      parts: layout.parts.map(encrypted),
      storedChecks: layout.storedChecks.map(encrypted),
    }
  }
}

const locked = ({ version }: EncryptedHeader, { path, sizeBytes }: BlockSource) =>
  formatError('E_SRC_ENCRYPTED', {
    format: version === 2 ? 'encrcdsa' : 'cdsaencr',
    field: 'signature',
    offset: version === 2 ? 0 : sizeBytes - 8,
    found: `version ${version}`,
    path,
  })
