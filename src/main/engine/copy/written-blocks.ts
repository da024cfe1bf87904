/** Which blocks of a destination were written to, where most of it was right before. A byte a block. */
import { appendZeros } from '#engine/pipeline'
import type { Stretch } from './block-checksums.ts'

export class WrittenBlocks {
  readonly #blockBytes: number
  #blocks = new Uint8Array(1024)

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes
  }

  add(offset: number, lengthBytes: number): void {
    const last = Math.ceil((offset + lengthBytes) / this.#blockBytes)
    if (last > this.#blocks.length) {
      const more = new Uint8Array(Math.max(last, this.#blocks.length * 2))
      more.set(this.#blocks)
      this.#blocks = more
    }
    if (lengthBytes > 0) this.#blocks.fill(1, Math.floor(offset / this.#blockBytes), last)
  }

  /** The stretches, summed up with CRC-32; those as known in whose blocks nothing was written. */
  *among(stretches: Iterable<Stretch>): Generator<Stretch> {
    for (const stretch of stretches) {
      if (stretch.kind === 'unused' || stretch.kind === 'known') yield stretch
      else yield* this.#split(stretch)
    }
  }

  /** A stretch of data lies in one block, one of zeros may be long. */
  *#split(stretch: Extract<Stretch, { kind: 'data' | 'zero' }>): Generator<Stretch> {
    const end = stretch.offset + stretch.lengthBytes
    for (let offset = stretch.offset; offset < end;) {
      const first = Math.floor(offset / this.#blockBytes)
      const written = this.#isWritten(first)
      let next = first + 1
      while (next * this.#blockBytes < end && this.#isWritten(next) === written) next++
      const lengthBytes = Math.min(end, next * this.#blockBytes) - offset
      if (written) yield { ...stretch, offset, lengthBytes }
      else {
        const crc32 = stretch.kind === 'data' ? stretch.sum : appendZeros(0, lengthBytes)
        yield { kind: 'known', offset, lengthBytes, crc32 }
      }
      offset += lengthBytes
    }
  }

  #isWritten(block: number): boolean {
    return this.#blocks[block] === 1
  }
}
