/**
 * The files of one image, opened as what they hold: whatever lies between the medium and the format is undone here. Readers of
 * formats get plain bytes; who reads the disk later needs to know how the files are encrypted, and gets it with the layout.
 */
import type { BlockSource } from '#engine/block-io'
import {
  cipherOf,
  openDecrypted,
  readEncryptedHeader,
  type EncryptedHeader,
  type Keyring,
} from '#engine/formats/encrypted'
import type { BlockCipher, ImageLayout } from '#engine/formats/extents'
import { openStored, openStoredAgain, type StoredSource } from '#engine/formats/stored'
import { formatError } from '#engine/formats/struct'
import type { WebClient } from '#engine/web-source'
import type { ImageInfo } from '#shared/model'

export interface ImageFilesOptions {
  readonly keyring: Keyring
  readonly signal?: AbortSignal | undefined
  /** For what is on servers. Default: the process's. */
  readonly web?: WebClient | undefined
  /** It was opened before: see `OpenWebOptions`. */
  readonly again?: boolean | undefined
  /** The image's one file, which stays the caller's to close. */
  readonly given?: BlockSource | undefined
}

export class ImageFiles {
  readonly #keyring: Keyring
  readonly #signal: AbortSignal | undefined
  readonly #web: WebClient | undefined
  readonly #again: boolean
  readonly #given: BlockSource | undefined
  readonly #stamps = new Map<string, string>()
  readonly #modifiedMs = new Map<string, number | null>()
  readonly #ciphers = new Map<string, BlockCipher>()
  readonly #fileBytes = new Map<string, number>()
  /** Of the file that was opened first: its password opens the others. */
  #first: EncryptedHeader | null = null

  constructor({ keyring, signal, web, again = false, given }: ImageFilesOptions) {
    this.#keyring = keyring
    this.#signal = signal
    this.#web = web
    this.#again = again
    this.#given = given
  }

  /**
   * What is stored at `path`, as it is: a file here or on a server, or the one that was given. On a server, it is the second time what it
   * was the first.
   */
  readonly openAsIs = async (path: string): Promise<StoredSource> => {
    if (this.#given !== undefined) return givenFile(this.#given, path)
    const options = {
      look: true,
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
      ...(this.#web === undefined ? {} : { web: this.#web }),
    }
    const stamp = this.#stamps.get(path)
    if (stamp !== undefined) return await openStoredAgain({ path, stamp }, options)
    return await openStored(path, { ...options, again: this.#again })
  }

  /**
   * The file at `path`, decrypted if it is encrypted. Throws FormatError E_SRC_ENCRYPTED when the keyring hasn't its keys,
   * E_SRC_PASSWORD when a later file has another password than the first; what `readEncryptedHeader` throws; what opening
   * throws.
   */
  readonly open = async (path: string): Promise<BlockSource> => {
    const source = await this.openAsIs(path)
    try {
      this.#fileBytes.set(path, source.sizeBytes)
      if (source.version !== null) this.#stamps.set(source.path, source.version)
      this.#modifiedMs.set(source.path, source.modifiedMs)
      const header = await readEncryptedHeader(source, this.#signal)
      if (header === null) return source
      this.#first ??= header
      const keys = await this.#keyring.unlockLike(header, this.#first, this.#signal)
      if (keys === null) throw lockedFile(header, source)
      const cipher = cipherOf(header, keys)
      this.#ciphers.set(source.path, cipher)
      return openDecrypted(source, cipher)
    } catch (error) {
      await source[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What a server said of a file that was opened; null where it said nothing. */
  modifiedMs(path: string): number | null {
    return this.#modifiedMs.get(path) ?? null
  }

  /** How the first file is encrypted. */
  get encrypted(): ImageInfo['encrypted'] {
    return this.#first === null ? null : { bits: this.#first.keyBits, version: this.#first.version }
  }

  /** Of all files that were opened, as they are stored. */
  get storedBytes(): number {
    return this.#fileBytes.values().reduce((total, bytes) => total + bytes, 0)
  }

  /**
   * A layout whose places are in the files' plain bytes, for who reads the files themselves; with the state that files on
   * servers were in.
   */
  withCiphers<Layout extends ImageLayout>(layout: Layout): Layout {
    if (this.#ciphers.size === 0 && this.#stamps.size === 0) return layout
    const known = (path: string) => {
      const cipher = this.#ciphers.get(path)
      const stamp = this.#stamps.get(path)
      return { ...(cipher === undefined ? {} : { cipher }), ...(stamp === undefined ? {} : { stamp }) }
    }
    if (layout.kind === 'stream') return { ...layout, ...known(layout.path) }
    return {
      ...layout,
      parts: layout.parts.map((part) => ({ ...part, ...known(part.path) })),
      storedChecks: layout.storedChecks.map((check) => ({ ...check, ...known(check.path) })),
    }
  }
}

function givenFile(source: BlockSource, path: string): StoredSource {
  if (path !== source.path)
    throw formatError('E_SRC_SEGMENT', {
      format: 'udif',
      field: 'koly.segmentCount',
      offset: source.sizeBytes - 512,
      expected: 'an image in one file',
      path: source.path,
    })
  return {
    path,
    sizeBytes: source.sizeBytes,
    version: null,
    modifiedMs: null,
    read: (into, offset, signal) => source.read(into, offset, signal),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Its password has to be given first. */
export const lockedFile = ({ version }: EncryptedHeader, { path, sizeBytes }: BlockSource) =>
  formatError('E_SRC_ENCRYPTED', {
    format: version === 2 ? 'encrcdsa' : 'cdsaencr',
    field: 'signature',
    offset: version === 2 ? 0 : sizeBytes - 8,
    found: `version ${version}`,
    path,
  })
