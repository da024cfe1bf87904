/** Roughly where a disk isn't what was written: a mark for each fiftieth, as the passes of a stream have them. */
import { partMarks } from '#shared/model'

export class DifferingParts {
  readonly #sizeBytes: number
  /** Whether there is anything of the kind in a part. */
  readonly #same = new Uint8Array(partMarks)
  readonly #different = new Uint8Array(partMarks)

  /** `sizeBytes` of what was written, from the beginning of the disk. */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
  }

  /** What was compared at once: a difference in it is one of all of it. What lies past the end isn't counted. */
  add(offset: number, lengthBytes: number, isSame: boolean): void {
    const found = isSame ? this.#same : this.#different
    const end = Math.min(offset + lengthBytes, this.#sizeBytes)
    for (let at = offset; at < end;) {
      const part = this.#partAt(at)
      found[part] = 1
      at = this.#startOf(part + 1)
    }
  }

  /** See `VerificationDetails.parts`. */
  marks(): string {
    return Array.from({ length: partMarks }, (_, part) => {
      const isSame = this.#same[part] === 1
      if (this.#different[part] === 1) return isSame ? '-' : 'x'
      return isSame ? '.' : ' '
    }).join('')
  }

  #startOf(part: number): number {
    return Math.ceil((part * this.#sizeBytes) / partMarks)
  }

  #partAt(offset: number): number {
    let part = Math.min(partMarks - 1, Math.floor((offset / this.#sizeBytes) * partMarks))
    // Where rounding puts several at the same byte, the last one has it.
    while (part + 1 < partMarks && this.#startOf(part + 1) <= offset) part++
    while (part > 0 && this.#startOf(part) > offset) part--
    return part
  }
}
