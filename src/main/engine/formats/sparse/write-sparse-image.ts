/**
 * Writes a sparse image in one pass: a band gets the next slot when something in it isn't zeros, so that the file grows with
 * what is stored. Numbers are kept in memory until the end, four bytes a band; of the disk's bytes none are.
 */
import type { BlockSink } from '#engine/block-io'
import { UsageError } from '#shared/errors'
import { sectorBytes } from '#shared/units'
import { bandPieces } from './band-pieces.ts'
import { maxBands } from './read-sparse-image.ts'
import { headerSlots, headerStruct, indexNodeSlots, indexNodeStruct, nodeBytes, signature } from './sprs.ts'

/** What hdiutil writes. */
const usualBandBytes = 1024 * 1024

/** A size of bands with which a disk of `sizeBytes` can be stored; null: its size isn't known. */
export function chooseBandBytes(sizeBytes: number | null): number {
  const times = (sizeBytes ?? 0) / usualBandBytes / maxBands
  return usualBandBytes * 2 ** Math.max(0, Math.ceil(Math.log2(times)))
}

export class SparseImageWriter {
  readonly #file: Pick<BlockSink, 'write'>
  readonly #bandBytes: number
  /** Band numbers by slot. */
  readonly #numbers: number[] = []
  /** Of the slot that is being filled. */
  #band = -1
  #slotOffset = 0

  /** `file` is written anywhere; what is left out of it must read as zeros. */
  constructor(file: Pick<BlockSink, 'write'>, bandBytes: number) {
    this.#file = file
    this.#bandBytes = bandBytes
  }

  /** `bytes` are at `offset` of the disk. Calls ascend. Rejects with what writing throws; UsageError for too large a disk. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (const piece of bandPieces(bytes, offset, this.#bandBytes)) {
      if (piece.index !== this.#band) this.#nextSlot(piece.index)
      await this.#file.write(piece.bytes, this.#slotOffset + piece.within)
    }
  }

  /** The disk has `sizeBytes`, whole sectors: write header and nodes. Resolves to the length of the file. */
  async finish(sizeBytes: number): Promise<number> {
    const numbers = this.#numbers
    const nodes = 1 + Math.ceil(Math.max(0, numbers.length - headerSlots) / indexNodeSlots)
    for (let node = 0; node < nodes; node++) {
      const isLast = node === nodes - 1
      const nextNodeOffset = isLast ? 0 : nodeOffset(node + 1, this.#bandBytes)
      const first = node === 0 ? 0 : headerSlots + (node - 1) * indexNodeSlots
      const own = numbers.slice(first, first + (node === 0 ? headerSlots : indexNodeSlots))
      const totalSectors = sizeBytes / sectorBytes
      const head =
        node === 0
          ? headerStruct.encode({
              signature,
              version: 3,
              sectorsPerBand: this.#bandBytes / sectorBytes,
              flags: 1,
              totalSectorsLow: totalSectors % 2 ** 32,
              nextNodeOffset,
              totalSectors,
            })
          : indexNodeStruct.encode({ signature, nodeNumber: node - 1, flags: 1, nextNodeOffset })
      const bytes = Buffer.alloc(nodeBytes)
      bytes.set(head)
      own.forEach((number, slot) => bytes.writeUInt32BE(number, head.length + slot * 4))
      await this.#file.write(bytes, nodeOffset(node, this.#bandBytes))
    }
    return slotOffset(numbers.length - 1, this.#bandBytes) + this.#bandBytes
  }

  #nextSlot(band: number): void {
    if (this.#numbers.length >= maxBands) {
      const problem = 'The disk is too large for a sparse image.'
      throw new UsageError('E_UNSUPPORTED', problem, {
        details: { input: 'format', problem, hint: 'Write a sparse bundle (UDSB) instead.' },
      })
    }
    this.#band = band
    this.#slotOffset = slotOffset(this.#numbers.length, this.#bandBytes)
    this.#numbers.push(band + 1)
  }
}

/** Of the header (0) and the index nodes after it. Each is followed by the data of its slots. */
function nodeOffset(node: number, bandBytes: number): number {
  if (node === 0) return 0
  return node * nodeBytes + (headerSlots + (node - 1) * indexNodeSlots) * bandBytes
}

/** Of the data of a slot. Of slot -1: where the data of slot 0 would end if it took no room. */
function slotOffset(slot: number, bandBytes: number): number {
  if (slot < 0) return nodeBytes - bandBytes
  const node = slot < headerSlots ? 0 : 1 + Math.floor((slot - headerSlots) / indexNodeSlots)
  return (node + 1) * nodeBytes + slot * bandBytes
}
