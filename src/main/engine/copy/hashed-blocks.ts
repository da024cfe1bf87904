/** The hashes that a scan left in an image, one for each block of its disk, as something to compare bytes with. */
import { hash } from 'node:crypto'
import type { BlockHashes } from '#engine/formats/udif'
import type { BlockHasher } from '#engine/hashing'
import { FormatError } from '#shared/errors'
import { isZeros } from './block-checksums.ts'

const digestBytes = 32
/** Smaller blocks take longer to ask for than to read, larger ones more memory than a copy may have. */
const leastBlockBytes = 64 * 1024
const mostBlockBytes = 16 * 1024 * 1024

export class HashedBlocks {
  readonly blockBytes: number
  /** Of the disk inside the image. */
  readonly sizeBytes: number
  readonly count: number
  readonly #hashes: Uint8Array
  /** Of zeros, by their number: there are two, for whole blocks and for the last one. */
  readonly #zeros = new Map<number, Uint8Array>()

  private constructor({ blockBytes, hashes }: BlockHashes, sizeBytes: number) {
    this.blockBytes = blockBytes
    this.sizeBytes = sizeBytes
    this.count = Math.ceil(sizeBytes / blockBytes)
    this.#hashes = hashes
  }

  /**
   * For an image at `path` whose disk has `sizeBytes`. Null for blocks of a size that wouldn't help. Throws FormatError
   * E_SRC_CORRUPT when there are too few hashes, or too many.
   */
  static of(hashes: BlockHashes, sizeBytes: number, path: string): HashedBlocks | null {
    const { blockBytes } = hashes
    if (
      blockBytes < leastBlockBytes ||
      blockBytes > mostBlockBytes ||
      !Number.isInteger(Math.log2(blockBytes))
    )
      return null
    const blocks = new HashedBlocks(hashes, sizeBytes)
    if (hashes.hashes.length === blocks.count * digestBytes) return blocks
    throw new FormatError('E_SRC_CORRUPT', `${path}: not a hash for every block`, {
      details: {
        format: 'udif',
        field: 'rpbh.blockCount',
        offset: 0,
        expected: blocks.count,
        found: hashes.hashes.length / digestBytes,
        path,
      },
    })
  }

  startOf(index: number): number {
    return index * this.blockBytes
  }

  /** The last block may be shorter than the others. */
  lengthOf(index: number): number {
    return Math.min(this.blockBytes, this.sizeBytes - this.startOf(index))
  }

  /** Indices of the blocks that have a byte in `from` to `to` (exclusive). */
  *within(from: number, to: number): Generator<number> {
    const end = Math.min(to, this.sizeBytes)
    for (let index = Math.floor(from / this.blockBytes); this.startOf(index) < end; index++) yield index
  }

  /**
   * `bytes`, all of block `index` with its unused space as zeros, are what was hashed. They stay as they are until this is
   * known. Rejects when the hasher broke.
   */
  async matches(index: number, bytes: Uint8Array<SharedArrayBuffer>, hasher: BlockHasher): Promise<boolean> {
    const digest = isZeros(bytes) ? this.#digestOfZeros(bytes) : await hasher.digest(bytes)
    return Buffer.compare(digest, this.hashOf(index)) === 0
  }

  hashOf(index: number): Uint8Array {
    return this.#hashes.subarray(index * digestBytes, (index + 1) * digestBytes)
  }

  /** Zeros needn't be hashed again. */
  #digestOfZeros(zeros: Uint8Array): Uint8Array {
    const known = this.#zeros.get(zeros.length)
    if (known !== undefined) return known
    const digest = hash('sha256', zeros, 'buffer')
    this.#zeros.set(zeros.length, digest)
    return digest
  }
}

/** The image's data at block `index` isn't what its own hash says. */
export function wrongHash(blocks: HashedBlocks, index: number, path: string): FormatError {
  return new FormatError('E_SRC_CORRUPT', `${path}: block ${index} isn't what its hash says`, {
    details: {
      format: 'udif',
      field: 'rpbh.hash',
      offset: blocks.startOf(index),
      diskOffset: blocks.startOf(index),
      diskBytes: blocks.lengthOf(index),
      expected: Buffer.from(blocks.hashOf(index)).toString('hex'),
      path,
    },
  })
}
