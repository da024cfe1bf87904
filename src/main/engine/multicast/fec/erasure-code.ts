/**
 * Systematic Cauchy Reed–Solomon over one section at a time: what the sender makes repair symbols with, and the receiver
 * rebuilds lost ones from. Holds one section's bytes in the kernel's memory; one instance serves any number of streams
 * with the same symbol size, one after another, in one thread.
 */
import { kernelMemory, loadKernel } from '#engine/multicast/kernel'
import { invariant } from '#shared/errors'
import { coefficient, invertCauchy, maxSymbols } from './cauchy.ts'
import { multiply } from './galois.ts'

/** Source symbols of one section at most, so that there are always as many repair symbols. */
export const maxSourceSymbols = 128

/** A repair symbol as it was received: `number` from K to 255, `symbolBytes` bytes. */
export interface RepairSymbol {
  readonly number: number
  readonly bytes: Uint8Array
}

export interface ErasureCode {
  readonly symbolBytes: number
  /** Take in a section: its source symbols one after another. The bytes are copied. */
  load(sources: Uint8Array): void
  /** Write repair symbol `number` (K to 255) of the section that was loaded last into `into`. */
  repair(number: number, into: Uint8Array): void
  /**
   * Fill the `missing` source symbols (ascending, at most as many as there are `repairs` of different numbers) of `sources` in
   * place; what is in their places before doesn't matter.
   */
  rebuild(sources: Uint8Array, missing: readonly number[], repairs: readonly RepairSymbol[]): void
}

/** Products of every coefficient: 16 with the low four bits, 16 with the high four bits. See `combine`. */
const tableBytes = maxSymbols * 32
const coefficientsAt = tableBytes
const sourcesAt = coefficientsAt + maxSymbols

/** `symbolBytes`: a multiple of 16. */
export function createErasureCode(symbolBytes: number): ErasureCode {
  invariant(symbolBytes > 0 && symbolBytes % 16 === 0, `symbols of ${symbolBytes} bytes`)
  const rowsAt = sourcesAt + maxSourceSymbols * symbolBytes
  const resultAt = rowsAt + maxSourceSymbols * symbolBytes
  const memory = kernelMemory(resultAt + symbolBytes)
  const { combine } = loadKernel(memory)
  const bytes = new Uint8Array(memory.buffer)
  for (let a = 0; a < maxSymbols; a++)
    for (let b = 0; b < 16; b++) {
      bytes[a * 32 + b] = multiply(a, b)
      bytes[a * 32 + 16 + b] = multiply(a, b * 16)
    }
  let sourceCount = 0

  const load = (sources: Uint8Array) => {
    sourceCount = sources.length / symbolBytes
    invariant(
      Number.isInteger(sourceCount) && sourceCount > 0 && sourceCount <= maxSourceSymbols,
      `a section of ${sources.length} bytes`,
    )
    bytes.set(sources, sourcesAt)
  }

  /** Add to the row at `target` the loaded symbols, each as repair symbol `number` counts it, but `without`. */
  const addSources = (target: number, number: number, without: readonly number[]) => {
    invariant(number >= sourceCount && number < maxSymbols, `repair symbol ${number} of ${sourceCount}`)
    for (let source = 0; source < sourceCount; source++)
      bytes[coefficientsAt + source] = coefficient(number, source)
    for (const source of without) bytes[coefficientsAt + source] = 0
    combine(target, sourcesAt, symbolBytes, sourceCount, coefficientsAt, symbolBytes)
  }

  return {
    symbolBytes,
    load,

    repair(number, into) {
      bytes.fill(0, resultAt, resultAt + symbolBytes)
      addSources(resultAt, number, [])
      into.set(bytes.subarray(resultAt, resultAt + symbolBytes))
    },

    rebuild(sources, missing, repairs) {
      const size = missing.length
      invariant(size <= repairs.length, `${repairs.length} repair symbols for ${size} lost ones`)
      load(sources)
      const used = repairs.slice(0, size)
      // What is left of each repair symbol without the symbols that are here: the lost ones' part alone.
      used.forEach((symbol, index) => {
        const row = rowsAt + index * symbolBytes
        bytes.set(symbol.bytes, row)
        addSources(row, symbol.number, missing)
      })
      const inverted = invertCauchy(
        used.map(({ number }) => number),
        missing,
      )
      missing.forEach((source, index) => {
        bytes.set(inverted.subarray(index * size, (index + 1) * size), coefficientsAt)
        bytes.fill(0, resultAt, resultAt + symbolBytes)
        combine(resultAt, rowsAt, symbolBytes, size, coefficientsAt, symbolBytes)
        sources.set(bytes.subarray(resultAt, resultAt + symbolBytes), source * symbolBytes)
      })
    },
  }
}
