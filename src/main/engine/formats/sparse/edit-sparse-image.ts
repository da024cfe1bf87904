/**
 * A sparse image file that is written into: bands that are there in place, others into new slots behind the last. A band's
 * bytes are on the medium before its number is, and a node's numbers before the node is linked: stopped anywhere, the file is
 * a whole image. It never becomes shorter; for that it is written anew.
 */
import type { BlockSource, EditableFile, SetSizeOptions } from '#engine/block-io'
import { UsageError } from '#shared/errors'
import { formatBytes, sectorBytes } from '#shared/units'
import { countBands, type BandGeometry } from './band-layout.ts'
import { readSparseImage, readSparseSlots } from './read-sparse-image.ts'
import { headerSlots, headerStruct, indexNodeSlots, indexNodeStruct, nodeBytes, signature } from './sprs.ts'

/** A band's number has four bytes. */
const mostNumber = 2 ** 32 - 1
/** Zeros are written in pieces of this: a band may be larger than memory is. */
const zeros = new Uint8Array(1024 * 1024)

export class SparseImageEditor {
  readonly #file: EditableFile
  readonly #offsets: Map<number, number>
  readonly #fileBytes: number
  /** What `grow`, and bands that were added since, wrote over. */
  readonly #overwritten: { readonly offset: number; readonly bytes: Uint8Array }[] = []
  #geometry: BandGeometry
  /** The last node: where it is, its slots in use, and which it is (0: the header). */
  #node: { offset: number; used: number; number: number }

  private constructor(file: EditableFile, state: State) {
    this.#file = file
    this.#fileBytes = file.sizeBytes
    this.#offsets = state.offsets
    this.#geometry = state.geometry
    this.#node = state.node
  }

  /** `file` holds a sparse image, and stays the caller's. Throws what `readSparseImage` throws. */
  static async open(file: EditableFile): Promise<SparseImageEditor> {
    // For what it refuses.
    await readSparseImage(file)
    const { geometry, bands, offsets, lastNode } = await readSparseSlots(file)
    const numbers = Buffer.from(lastNode.numbers)
    let used = lastNode.count
    while (used > 0 && numbers.readUInt32BE((used - 1) * 4) === 0) used--
    const number = lastNode.offset === 0 ? 0 : await nodeNumber(file, lastNode.offset)
    return new SparseImageEditor(file, {
      offsets: new Map(bands.map((band, place) => [band, offsets[place] ?? 0])),
      geometry,
      node: { offset: lastNode.offset, used, number },
    })
  }

  get geometry(): BandGeometry {
    return this.#geometry
  }

  /** Where the last stored band ends, which is behind the disk's last byte that isn't zero. */
  dataEnd(): number {
    const { bandBytes, sizeBytes } = this.#geometry
    let last = -1
    for (const index of this.#offsets.keys()) last = Math.max(last, index)
    return Math.min(sizeBytes, (last + 1) * bandBytes)
  }

  /** Bands that are stored, ascending. */
  storedBands(): readonly number[] {
    return [...this.#offsets.keys()].toSorted((a, b) => a - b)
  }

  /** The disk's bytes. `offset` + length must lie on it. Throws DeviceError. */
  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes)
    for (const { index, within, from, to } of this.#bandsOf(offset, lengthBytes)) {
      const place = this.#offsets.get(index)
      if (place === undefined) continue
      // The file may end before a band does.
      const there = Math.min(to - from, this.#file.sizeBytes - place - within)
      if (there > 0) await this.#file.read(bytes.subarray(from, from + there), place + within)
    }
    return bytes
  }

  /** Throws DeviceError. On the medium when `flush` resolves; bands that are new when this does. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (const { index, within, from, to } of this.#bandsOf(offset, bytes.length)) {
      const place = this.#offsets.get(index)
      const piece = bytes.subarray(from, to)
      if (place !== undefined) await this.#file.write(piece, place + within)
      else if (piece.some((byte) => byte !== 0)) await this.#addBand(index, piece, within)
    }
  }

  async flush(): Promise<void> {
    await this.#file.flush()
  }

  /** More than it has; throws UsageError E_USAGE where its bands couldn't be counted any more. What lies behind the disk's end in its last band is zeros afterwards. */
  async grow(sizeBytes: number): Promise<void> {
    const { bandBytes, sizeBytes: before } = this.#geometry
    if (countBands({ sizeBytes, bandBytes }) > mostNumber) {
      const problem = `A sparse image of such bands holds a disk of ${formatBytes(mostNumber * bandBytes)} at most.`
      throw new UsageError('E_USAGE', problem, { details: { input: 'size', problem, sizeBytes } })
    }
    const place = this.#offsets.get(Math.floor(before / bandBytes))
    const within = before % bandBytes
    if (place !== undefined && within > 0) {
      await this.#clear(place + within, place + bandBytes)
      await this.flush()
    }
    const totalSectors = sizeBytes / sectorBytes
    const header = Buffer.alloc(headerStruct.sizeBytes)
    await this.#file.read(header, 0)
    header.writeUInt32BE(totalSectors % 2 ** 32, headerStruct.offsetOf('totalSectorsLow'))
    header.writeBigUInt64BE(BigInt(totalSectors), headerStruct.offsetOf('totalSectors'))
    // One sector of the medium: it is written, or it isn't.
    await this.#replace(header, 0)
    this.#geometry = { bandBytes, sizeBytes }
  }

  /**
   * After `grow`, and writes of which one failed: the file has the bands and the size that it had when it was opened. What was written into
   * bands of that disk stays. The editor is good for nothing then. Throws DeviceError.
   */
  async undoGrowth(options: SetSizeOptions): Promise<void> {
    for (const { bytes, offset } of this.#overwritten.toReversed()) {
      await this.#file.write(bytes, offset)
      await this.flush()
    }
    await this.#file.setSize(this.#fileBytes, options)
  }

  async #addBand(index: number, piece: Uint8Array, within: number): Promise<void> {
    const { bandBytes } = this.#geometry
    const slots = this.#node.offset === 0 ? headerSlots : indexNodeSlots
    if (this.#node.used === slots) await this.#addNode()
    const { offset, used } = this.#node
    const place = offset + nodeBytes + used * bandBytes
    // A stopped attempt may have left something there.
    await this.#clear(place, place + bandBytes)
    await this.#file.write(piece, place + within)
    await this.flush()
    const number = Buffer.alloc(4)
    number.writeUInt32BE(index + 1)
    const numbersAt = offset + (offset === 0 ? headerStruct.sizeBytes : indexNodeStruct.sizeBytes)
    await this.#replace(number, numbersAt + used * 4)
    this.#node.used += 1
    this.#offsets.set(index, place)
  }

  async #addNode(): Promise<void> {
    const { offset, used, number } = this.#node
    const next = offset + nodeBytes + used * this.#geometry.bandBytes
    const node = Buffer.alloc(nodeBytes)
    // Index nodes are counted from 0, behind the header.
    node.set(indexNodeStruct.encode({ signature, nodeNumber: offset === 0 ? 0 : number + 1, flags: 1 }))
    await this.#file.write(node, next)
    await this.flush()
    const link = Buffer.alloc(8)
    link.writeBigUInt64BE(BigInt(next))
    const struct = offset === 0 ? headerStruct : indexNodeStruct
    await this.#replace(link, offset + struct.offsetOf('nextNodeOffset'))
    this.#node = { offset: next, used: 0, number: offset === 0 ? 0 : number + 1 }
  }

  /** Zeros in this part of the file, which reaches that far afterwards. */
  async #clear(from: number, to: number): Promise<void> {
    const there = Math.min(to, this.#file.sizeBytes)
    for (let at = from; at < there; at += zeros.length)
      await this.#file.write(zeros.subarray(0, Math.min(zeros.length, there - at)), at)
    // Behind its end they needn't be written: a file that becomes longer has them.
    const last = Math.min(sectorBytes, to - this.#file.sizeBytes)
    if (last > 0) await this.#file.write(zeros.subarray(0, last), to - last)
  }

  /** Write over what says where bands are. On the medium when it resolves. */
  async #replace(bytes: Uint8Array, offset: number): Promise<void> {
    const old = new Uint8Array(bytes.length)
    await this.#file.read(old, offset)
    this.#overwritten.push({ offset, bytes: old })
    await this.#file.write(bytes, offset)
    await this.flush()
  }

  *#bandsOf(offset: number, lengthBytes: number) {
    const { bandBytes } = this.#geometry
    for (let from = 0; from < lengthBytes;) {
      const index = Math.floor((offset + from) / bandBytes)
      const within = offset + from - index * bandBytes
      const to = Math.min(lengthBytes, from + bandBytes - within)
      yield { index, within, from, to }
      from = to
    }
  }
}

interface State {
  readonly offsets: Map<number, number>
  readonly geometry: BandGeometry
  readonly node: { offset: number; used: number; number: number }
}

async function nodeNumber(source: BlockSource, offset: number): Promise<number> {
  const bytes = new Uint8Array(indexNodeStruct.sizeBytes)
  await source.read(bytes, offset)
  return indexNodeStruct.parse(bytes, offset).nodeNumber
}
