/** The symbols themselves, made from the image's bytes as they are asked for. Keeps the last section that was coded. */
import { maxSourceSymbols, type ErasureCode } from '#engine/multicast/fec'
import type { SequentialLayout } from '#engine/multicast/layout'

/** A whole block's bytes, without filling. */
export type BlockBytes = (block: number) => Uint8Array

export interface SymbolSource {
  /** The payload of one datagram. Valid until the next call. */
  symbol(section: number, number: number): Uint8Array
}

export function createSymbolSource(
  layout: SequentialLayout,
  code: ErasureCode,
  blockBytes: BlockBytes,
): SymbolSource {
  const { symbolBytes } = layout
  const repaired = new Uint8Array(symbolBytes)
  const room = new Uint8Array(maxSourceSymbols * symbolBytes)
  let loaded: { section: number; sources: Uint8Array; isCoded: boolean } | null = null

  const load = (section: number) => {
    if (loaded?.section === section) return loaded
    const { block, sourceSymbols, offset } = layout.placeOf(section)
    const bytes = blockBytes(block).subarray(offset, offset + sourceSymbols * symbolBytes)
    const sources = room.subarray(0, sourceSymbols * symbolBytes)
    sources.set(bytes)
    sources.fill(0, bytes.length)
    loaded = { section, sources, isCoded: false }
    return loaded
  }

  return {
    symbol(section, number) {
      const at = load(section)
      if ((number + 1) * symbolBytes <= at.sources.length)
        return at.sources.subarray(number * symbolBytes, (number + 1) * symbolBytes)
      if (!at.isCoded) code.load(at.sources)
      at.isCoded = true
      code.repair(number, repaired)
      return repaired
    },
  }
}
