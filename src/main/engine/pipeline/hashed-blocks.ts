/** The hashes that a scan left in an image, one for each block of its disk, as something to compare bytes with. */
import { hash } from 'node:crypto'
import type { BlockHashes } from '#engine/formats/udif'
import { FormatError } from '#shared/errors'
import { publicLocator } from '#shared/model'

const digestBytes = 32
/** Smaller blocks take longer to ask for than to read, larger ones more memory than a copy may have. */
const leastBlockBytes = 64 * 1024
const mostBlockBytes = 16 * 1024 * 1024

/** Plain data over shared memory: sent to the workers. */
export interface HashTable {
  readonly blockBytes: number
  /** Of the disk inside the image. */
  readonly sizeBytes: number
  /** 32 bytes for each block. */
  readonly hashes: Uint8Array<SharedArrayBuffer>
}

export class HashedBlocks {
  readonly blockBytes: number
  /** Of the disk inside the image. */
  readonly sizeBytes: number
  readonly count: number
  readonly table: HashTable
  /** Of zeros, by their number: there are two, for whole blocks and for the last one. */
  readonly #zeros = new Map<number, Uint8Array>()

  constructor(table: HashTable) {
    this.table = table
    this.blockBytes = table.blockBytes
    this.sizeBytes = table.sizeBytes
    this.count = Math.ceil(this.sizeBytes / this.blockBytes)
  }

  /** For an image at `path` whose disk has `sizeBytes`. Null where they are no help, and throws, as `helps`. */
  static of(stored: BlockHashes, sizeBytes: number, path: string): HashedBlocks | null {
    if (!HashedBlocks.helps(stored, sizeBytes, path)) return null
    const { blockBytes, hashes } = stored
    const shared = new Uint8Array(new SharedArrayBuffer(hashes.length))
    shared.set(hashes)
    return new HashedBlocks({ blockBytes, sizeBytes, hashes: shared })
  }

  /**
   * Whether they can be compared with: not when their blocks are of a size that wouldn't help. Throws FormatError E_SRC_CORRUPT
   * when there are too few hashes, or too many.
   */
  static helps({ blockBytes, hashes }: BlockHashes, sizeBytes: number, path: string): boolean {
    if (
      blockBytes < leastBlockBytes ||
      blockBytes > mostBlockBytes ||
      !Number.isInteger(Math.log2(blockBytes))
    )
      return false
    const count = Math.ceil(sizeBytes / blockBytes)
    if (hashes.length === count * digestBytes) return true
    const shown = publicLocator(path)
    throw new FormatError('E_SRC_CORRUPT', `${shown}: not a hash for every block`, {
      details: {
        format: 'udif',
        field: 'rpbh.blockCount',
        offset: 0,
        expected: count,
        found: hashes.length / digestBytes,
        path: shown,
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

  hashOf(index: number): Uint8Array {
    return this.table.hashes.subarray(index * digestBytes, (index + 1) * digestBytes)
  }

  /** `digest` is SHA-256 of all of block `index`, with its unused space as zeros. */
  isHashOf(index: number, digest: Uint8Array): boolean {
    return Buffer.compare(digest, this.hashOf(index)) === 0
  }

  /** Block `index` was zeros. Nothing needs to be hashed to know. */
  isHashOfZeros(index: number): boolean {
    const length = this.lengthOf(index)
    let digest = this.#zeros.get(length)
    if (digest === undefined) {
      digest = hash('sha256', new Uint8Array(length), 'buffer')
      this.#zeros.set(length, digest)
    }
    return this.isHashOf(index, digest)
  }
}
