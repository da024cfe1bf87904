/**
 * A bzip2 stream, block by block: header, blocks, and the end mark with its checksum. The caller keeps a window of stored
 * bytes loaded, so that one reader serves both a run in memory and a file of any size.
 */
import type { FormatError } from '#shared/errors'
import { Bzip2Bits } from './bzip2-bits.ts'
import { Bzip2Block } from './bzip2-block.ts'
import { corrupt } from './corrupt.ts'

/** More than a block of 900 000 bytes can take: 20 bits for each symbol, selectors and tables. */
const maxBlockBytes = 2.5 * 2 ** 20
export const windowBytes = 4 * 2 ** 20

const blockMagic = 0x314159265359
const endMagic = 0x177245385090
/** Of a stream, behind its last block: the magic and its CRC. */
const endBytes = 10

export class Bzip2Reader {
  readonly block = new Bzip2Block()
  readonly #bits = new Bzip2Bits()
  readonly #isFile: boolean
  /** Offset of the window in the stored bytes, and whether they end with it. */
  #base = 0
  #isLast = false
  /** Per block, by the stream's header; 0 before it. */
  #maxBytes = 0
  #streamCrc = 0
  #blockCrc = 0
  #blockOffset = 0

  /** `isFile`: the stored bytes are a file, which may be cut off; those of a run are as long as its table says. */
  constructor({ isFile }: { readonly isFile: boolean }) {
    this.#isFile = isFile
  }

  /** Begin at `offset` of the stored bytes, `window` being at most `windowBytes` from there. */
  load(window: Uint8Array, offset: number, isLast: boolean): void {
    this.#base = offset
    this.#isLast = isLast
    this.#bits.load(window, 0)
    this.beginStream()
  }

  /** What comes next is a stream's header. */
  beginStream(): void {
    this.#maxBytes = 0
    this.#streamCrc = 0
  }

  /** Where the window should begin, to hold a whole block; null while it does. */
  get wantsWindowAt(): number | null {
    if (this.#isLast || this.#bits.endBits - this.#bits.position >= maxBlockBytes * 8) return null
    return this.offset
  }

  /** Go on in another window, which begins where `wantsWindowAt` said. */
  reload(window: Uint8Array, isLast: boolean): void {
    this.#base = this.offset
    this.#isLast = isLast
    this.#bits.load(window, this.#bits.position & 7)
  }

  /** The stored byte that is read next. */
  get offset(): number {
    return this.#base + (this.#bits.position >> 3)
  }

  /** Check the block before, and decode the next; `end` leaves `offset` after the stream. Throws FormatError. */
  next(): 'block' | 'end' {
    const bits = this.#bits
    if (this.#maxBytes === 0) this.#readHeader()
    this.#blockOffset = this.offset
    const magic = bits.take(24) * 0x1000000 + bits.take(24)
    const crc = bits.takeWord()
    if (bits.overrun) throw this.#cutOff('magic')
    if (magic === endMagic) {
      if (crc !== this.#streamCrc)
        throw corrupt('bzip2', 'the stream does not match its checksum', {
          field: 'stream crc',
          offset: this.#blockOffset,
          found: hex(this.#streamCrc),
          expected: hex(crc),
        })
      bits.align()
      return 'end'
    }
    if (magic !== blockMagic) throw this.#damaged('magic', 'no block begins here')
    this.#blockCrc = crc
    const problem = this.block.decode(bits, this.#maxBytes)
    if (bits.overrun)
      throw this.#isLast ? this.#cutOff('block') : this.#damaged('block', 'a block is longer than any can be')
    // A code can be nothing because its end is missing.
    if (problem !== null && this.#endsTooEarly) throw this.#cutOff('block')
    if (problem !== null) throw this.#damaged(problem.field, problem.problem)
    return 'block'
  }

  /** To be called when all of a block has been read. Throws FormatError when it isn't what its checksum says. */
  checkBlock(): void {
    const { crc } = this.block
    if (crc !== this.#blockCrc)
      throw corrupt('bzip2', 'a block does not match its checksum', {
        field: 'block crc',
        offset: this.#blockOffset,
        found: hex(crc),
        expected: hex(this.#blockCrc),
        // By chance the zeros behind the end can be the end of a block.
        cutShort: this.#endsTooEarly,
      })
    this.#streamCrc = (((this.#streamCrc << 1) | (this.#streamCrc >>> 31)) ^ crc) >>> 0
  }

  #readHeader(): void {
    const magic = this.#bits.take(24)
    const level = this.#bits.take(8) - 0x30
    if (this.#bits.overrun) throw this.#cutOff('header')
    if (magic !== 0x425a68 || level < 1 || level > 9)
      throw corrupt('bzip2', 'no stream begins here', { field: 'header', offset: this.#base })
    this.#maxBytes = level * 100_000
  }

  /** What a stream ends with has no room behind the place that was reached. */
  get #endsTooEarly(): boolean {
    return this.#isFile && this.#isLast && this.#bits.endBits - this.#bits.position < endBytes * 8
  }

  #cutOff(field: string): FormatError {
    const cutShort = this.#isFile && this.#isLast
    return corrupt('bzip2', 'the stream is cut off', { field, offset: this.#end, cutShort })
  }

  #damaged(field: string, message: string): FormatError {
    return corrupt('bzip2', message, { field, offset: this.#bits.overrun ? this.#end : this.#blockOffset })
  }

  /** Of the window. */
  get #end(): number {
    return this.#base + this.#bits.endBits / 8
  }
}

const hex = (crc: number) => crc.toString(16).padStart(8, '0')
