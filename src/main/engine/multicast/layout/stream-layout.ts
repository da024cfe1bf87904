/**
 * How a stream's bytes are cut: into blocks, which are hashed and written, each into sections, which are coded, each into
 * source symbols, which travel in one datagram each. Everything follows from three numbers, so that nothing has to be said
 * about single blocks. The division of a block into sections is RFC 5052, §9.1 (sizes that differ by one at most).
 */
import { maxSourceSymbols } from '#engine/multicast/fec'
import { invariant } from '#shared/errors'

export interface StreamSizes {
  /** Of the whole stream, 1 or more. */
  readonly sizeBytes: number
  /** Of every block but the last. 1 MiB where we are the server. */
  readonly blockBytes: number
  /** Payload of one datagram, a multiple of 16. */
  readonly symbolBytes: number
}

/** One section's place. */
export interface SectionPlace {
  readonly block: number
  /** Source symbols, 1 to 128. */
  readonly sourceSymbols: number
  /** Of its first symbol, in the block. */
  readonly offset: number
}

export interface SequentialLayout extends StreamSizes {
  readonly blocks: number
  readonly sections: number
  /** Source symbols of the whole stream. */
  readonly sourceSymbols: number
  /** Bytes of the block that belong to the stream. */
  lengthOf(block: number): number
  /** The same, with the zeros behind it that fill its last symbol. */
  paddedLengthOf(block: number): number
  firstSectionOf(block: number): number
  sectionsOf(block: number): number
  blockOf(section: number): number
  sourceSymbolsOf(section: number): number
  placeOf(section: number): SectionPlace
}

/** How many sections a block of so many source symbols has, and how they differ. */
function divide(symbols: number) {
  const sections = Math.ceil(symbols / maxSourceSymbols)
  const small = Math.floor(symbols / sections)
  return { symbols, sections, small, larger: symbols - small * sections }
}

/** Bounds of what a stream may be, so that nothing a peer says makes us count or allocate beyond reason. */
export const streamBounds = {
  maxSections: 2 ** 24,
  minSymbolBytes: 16,
  maxSymbolBytes: 8960,
  maxBlockBytes: 16 * 1024 * 1024,
} as const

/** What is wrong with these sizes, as a field's name, or null. For sizes that come from a peer or from a person. */
export function wrongSize(sizes: StreamSizes): keyof StreamSizes | null {
  const { sizeBytes, blockBytes, symbolBytes } = sizes
  const { minSymbolBytes, maxSymbolBytes, maxBlockBytes, maxSections } = streamBounds
  if (symbolBytes < minSymbolBytes || symbolBytes > maxSymbolBytes || symbolBytes % 16 !== 0)
    return 'symbolBytes'
  if (blockBytes < symbolBytes || blockBytes > maxBlockBytes) return 'blockBytes'
  const perBlock = divide(Math.ceil(blockBytes / symbolBytes)).sections
  if (sizeBytes < 1 || Math.ceil(sizeBytes / blockBytes) * perBlock > maxSections) return 'sizeBytes'
  return null
}

/** The layout of sizes that `wrongSize` has nothing against. */
export function planStream(sizes: StreamSizes): SequentialLayout {
  invariant(wrongSize(sizes) === null, `a stream with an impossible ${wrongSize(sizes)}`)
  const { sizeBytes, blockBytes, symbolBytes } = sizes
  const blocks = Math.ceil(sizeBytes / blockBytes)
  const lastBytes = sizeBytes - (blocks - 1) * blockBytes
  const whole = divide(Math.ceil(blockBytes / symbolBytes))
  const last = divide(Math.ceil(lastBytes / symbolBytes))
  const lastFirst = (blocks - 1) * whole.sections

  const partsOf = (block: number) => (block === blocks - 1 ? last : whole)
  const firstSectionOf = (block: number) => block * whole.sections
  const blockOf = (section: number) =>
    section >= lastFirst ? blocks - 1 : Math.floor(section / whole.sections)
  const sourceSymbolsOf = (section: number) => {
    const block = blockOf(section)
    const { small, larger } = partsOf(block)
    return section - firstSectionOf(block) < larger ? small + 1 : small
  }

  return {
    sizeBytes,
    blockBytes,
    symbolBytes,
    blocks,
    sections: lastFirst + last.sections,
    sourceSymbols: (blocks - 1) * whole.symbols + last.symbols,
    lengthOf: (block) => (block === blocks - 1 ? lastBytes : blockBytes),
    paddedLengthOf: (block) => partsOf(block).symbols * symbolBytes,
    firstSectionOf,
    sectionsOf: (block) => partsOf(block).sections,
    blockOf,
    sourceSymbolsOf,
    placeOf(section) {
      const block = blockOf(section)
      const { small, larger } = partsOf(block)
      const index = section - firstSectionOf(block)
      const before = index * small + Math.min(index, larger)
      return { block, sourceSymbols: sourceSymbolsOf(section), offset: before * symbolBytes }
    },
  }
}
