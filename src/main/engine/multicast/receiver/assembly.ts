/**
 * A block in the making: the symbols of its sections as they come, in any order, until each section has enough of them to
 * be whole. Knows nothing of time, hashes or other blocks.
 */
import { maxSymbols, type ErasureCode, type RepairSymbol } from '#engine/multicast/fec'
import type { SequentialLayout } from '#engine/multicast/layout'

interface SectionInTheMaking {
  readonly sourceSymbols: number
  readonly offset: number
  /** By symbol number: 1 when it is here. */
  readonly have: Uint8Array
  count: number
  repairs: RepairSymbol[]
  isWhole: boolean
  /** When the last symbol came; null: none did. */
  touchedMs: number | null
}

export class Assembly {
  readonly block: number
  /** The block, and zeros behind it that fill the last symbol. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly #layout: SequentialLayout
  readonly #code: ErasureCode
  readonly #sections: SectionInTheMaking[]
  readonly #firstSection: number
  #missing: number

  constructor(block: number, layout: SequentialLayout, code: ErasureCode) {
    this.block = block
    this.#layout = layout
    this.#code = code
    this.bytes = new Uint8Array(layout.paddedLengthOf(block))
    this.#firstSection = layout.firstSectionOf(block)
    this.#missing = layout.sectionsOf(block)
    this.#sections = Array.from({ length: this.#missing }, (_, index) => {
      const { sourceSymbols, offset } = layout.placeOf(this.#firstSection + index)
      const have = new Uint8Array(maxSymbols)
      return { sourceSymbols, offset, have, count: 0, repairs: [], isWhole: false, touchedMs: null }
    })
  }

  get isWhole(): boolean {
    return this.#missing === 0
  }

  /** Take a symbol in. True when it made its section whole. */
  add(section: number, number: number, payload: Uint8Array, nowMs: number): boolean {
    const at = this.#sections[section - this.#firstSection] as SectionInTheMaking
    if (at.isWhole || at.have[number] === 1) return false
    const { symbolBytes } = this.#layout
    at.have[number] = 1
    at.count += 1
    at.touchedMs = nowMs
    if (number < at.sourceSymbols) this.bytes.set(payload, at.offset + number * symbolBytes)
    else at.repairs.push({ number, bytes: payload.slice() })
    if (at.count < at.sourceSymbols) return false
    this.#finish(at)
    return true
  }

  /** Of each of its sections that isn't whole: symbols lacking, and when the last one came. */
  *lacking(): Generator<{ section: number; lack: number; touchedMs: number | null }> {
    for (const [index, at] of this.#sections.entries())
      if (!at.isWhole)
        yield {
          section: this.#firstSection + index,
          lack: at.sourceSymbols - at.count,
          touchedMs: at.touchedMs,
        }
  }

  #finish(at: SectionInTheMaking): void {
    const { symbolBytes } = this.#layout
    if (at.repairs.length > 0) {
      const missing: number[] = []
      for (let number = 0; number < at.sourceSymbols; number++)
        if (at.have[number] === 0) missing.push(number)
      const end = at.offset + at.sourceSymbols * symbolBytes
      this.#code.rebuild(this.bytes.subarray(at.offset, end), missing, at.repairs)
    }
    at.repairs = []
    at.isWhole = true
    this.#missing -= 1
  }
}
