/**
 * What was written, in little: for each block of the disk the sum of its bytes, taken from the buffer that was
 * written; and which stretches are zeros, and which are unused and may hold anything. The verify compares with it.
 *
 * Kept small: thirteen bytes a block, in columns that grow, whatever the image is like. A block that holds any data
 * counts its zeros in; blocks that are all zeros are one row together.
 */
import { invariant } from '#shared/errors'
import { crc32Sums, type BlockSum, type BlockSums } from './block-sum.ts'

export type Stretch = { readonly offset: number; readonly lengthBytes: number } &
  /** `sum`: as `BlockChecksums.sums` makes them. */
  (
    | { readonly kind: 'data'; readonly sum: number }
    | { readonly kind: 'zero' }
    | { readonly kind: 'unused' }
    /** Has this CRC-32: it was looked at already. */
    | { readonly kind: 'known'; readonly crc32: number }
  )

const kinds = ['data', 'zero', 'unused'] as const
type Kind = (typeof kinds)[number]

/** Rows a disk of known size may need, about; blocks of very large disks are larger for it. */
const rowsWanted = 1024 ** 2
const mebibyte = 1024 ** 2
/** A row's length is a 32-bit column; longer stretches take several rows. A whole number of any blocks' size. */
const longestRow = 2 ** 31

const zeros = new Uint8Array(mebibyte)

/** The unit in which differences are counted: `bufferBytes`, doubled until a disk of that size has a million. */
export function checksumBlockBytes(bufferBytes: number, sizeBytes: number | null): number {
  const doublings = Math.ceil(Math.log2((sizeBytes ?? 0) / bufferBytes / rowsWanted))
  return bufferBytes * 2 ** Math.max(0, doublings)
}

export class BlockChecksums {
  readonly blockBytes: number
  readonly sums: BlockSums
  #rows = 0
  #kinds = new Uint8Array(1024)
  #lengths = new Uint32Array(1024)
  /** Integers. */
  #sums = new Float64Array(1024)
  /** Where the rows end. */
  #closed = 0
  /** Bytes after that, in the block that is being filled, and whether any of them is data. */
  #open = 0
  #openHasData = false
  readonly #openSum: BlockSum

  constructor(blockBytes: number, sums = crc32Sums) {
    this.blockBytes = blockBytes
    this.sums = sums
    this.#openSum = sums.create()
  }

  /** Bytes told so far. */
  get sizeBytes(): number {
    return this.#closed + this.#open
  }

  /** Bytes until a block ends, at least one. */
  get roomBytes(): number {
    return this.blockBytes - (this.sizeBytes % this.blockBytes)
  }

  /** The next bytes of the disk. `crc`: their CRC-32, where the caller has it already. */
  data(bytes: Uint8Array, crc?: number): void {
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, this.roomBytes)
      if (!this.#openHasData) {
        // Zeros before the block's first data.
        this.#openSum.addZeros(this.#open)
        this.#openHasData = true
      }
      if (length === bytes.length) this.#openSum.add(bytes, crc)
      else this.#openSum.add(bytes.subarray(done, done + length))
      this.#open += length
      done += length
      if (this.roomBytes === this.blockBytes) this.#closeBlock()
    }
  }

  /** The next `lengthBytes` are zeros. */
  zero(lengthBytes: number): void {
    let left = lengthBytes
    while (left > 0) {
      if (this.#open === 0) {
        // Whole blocks at once: an image may hold terabytes of them.
        const whole = left - (left % this.blockBytes)
        if (this.#closed % this.blockBytes === 0 && whole > 0) {
          this.#append('zero', whole)
          left -= whole
          continue
        }
      }
      const length = Math.min(left, this.roomBytes)
      if (this.#openHasData) this.#openSum.addZeros(length)
      this.#open += length
      left -= length
      if (this.roomBytes === this.blockBytes) this.#closeBlock()
    }
  }

  /** What the next `lengthBytes` hold doesn't matter. */
  unused(lengthBytes: number): void {
    this.#closeBlock()
    this.#append('unused', lengthBytes)
  }

  /** After the last byte: no more may be told. In order, without a gap. */
  *stretches(): Generator<Stretch> {
    this.#closeBlock()
    let offset = 0
    for (let row = 0; row < this.#rows; row++) {
      const kind = kinds[this.#kinds[row] ?? 0]
      const lengthBytes = this.#lengths[row] ?? 0
      invariant(kind !== undefined, 'a row of the checksums has no kind')
      yield kind === 'data'
        ? { kind, offset, lengthBytes, sum: this.#sums[row] ?? 0 }
        : { kind, offset, lengthBytes }
      offset += lengthBytes
    }
  }

  #closeBlock(): void {
    if (this.#open === 0) return
    const length = this.#open
    this.#open = 0
    if (this.#openHasData) this.#append('data', length, this.#openSum.take())
    else this.#append('zero', length)
    this.#openHasData = false
  }

  #append(kind: Kind, lengthBytes: number, sum = 0): void {
    this.#closed += lengthBytes
    let left = lengthBytes
    while (left > 0) {
      const last = this.#rows - 1
      const joins = kind !== 'data' && last >= 0 && kinds[this.#kinds[last] ?? 0] === kind
      const room = joins ? longestRow - (this.#lengths[last] ?? 0) : longestRow
      if (joins && room > 0) {
        const length = Math.min(left, room)
        this.#lengths[last] = (this.#lengths[last] ?? 0) + length
        left -= length
        continue
      }
      const length = Math.min(left, longestRow)
      if (this.#rows === this.#kinds.length) this.#grow()
      this.#kinds[this.#rows] = kinds.indexOf(kind)
      this.#lengths[this.#rows] = length
      this.#sums[this.#rows] = sum
      this.#rows += 1
      left -= length
    }
  }

  #grow(): void {
    const count = this.#rows * 2
    const [kinds, lengths, sums] = [this.#kinds, this.#lengths, this.#sums]
    this.#kinds = new Uint8Array(count)
    this.#lengths = new Uint32Array(count)
    this.#sums = new Float64Array(count)
    this.#kinds.set(kinds)
    this.#lengths.set(lengths)
    this.#sums.set(sums)
  }
}

/** Compares with memory that is zero, which is as fast as reading it. */
export function isZeros(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length)
    if (Buffer.compare(part, zeros.subarray(0, part.length)) !== 0) return false
  }
  return true
}
