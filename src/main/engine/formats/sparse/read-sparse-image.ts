/** A sparse image file: a header, bands in the order they were first written, and a node of numbers for each 1010 more. */
import type { BlockSource } from '#engine/block-io'
import type { ExtentLayout } from '#engine/formats/extents'
import { corrupt, formatError } from '#engine/formats/struct'
import { sectorBytes } from '#shared/units'
import { bandDiskBytes, bandExtents, countBands, type BandGeometry } from './band-layout.ts'
import { headerSlots, headerStruct, indexNodeSlots, indexNodeStruct, nodeBytes, signature } from './sprs.ts'

/** What a sparse image or a sparse bundle says of itself. Sizes in bytes. */
export interface SparseImage {
  readonly layout: ExtentLayout
  readonly bandBytes: number
  /** Bands that are stored. */
  readonly bandCount: number
  /** Of the disk, in stored bands. */
  readonly dataBytes: number
  /** All files together. */
  readonly storedBytes: number
  /** Of the file that changed last; null: ask the file. */
  readonly modifiedMs: number | null
}

/** 4 TiB in bands of a megabyte. More is a trap, or needs larger bands. */
export const maxBands = 4 * 1024 * 1024

interface Slots {
  readonly bands: number[]
  readonly offsets: number[]
}

/** Where everything in a sparse image file is. */
export interface SparseSlots {
  readonly geometry: BandGeometry
  /** Of each used slot, in the order of the file: the band, and where its bytes begin. */
  readonly bands: readonly number[]
  readonly offsets: readonly number[]
  readonly lastNode: Node
}

/**
 * Read where the bands are. Throws `FormatError` E_SRC_FORMAT for another version, E_SRC_CORRUPT for a band that is there
 * twice, lies behind the disk's end or the file's, for nodes that overlap; what `source` throws; the signal's reason.
 */
export async function readSparseImage(source: BlockSource, signal?: AbortSignal): Promise<SparseImage> {
  const { geometry, bands, offsets } = await readSparseSlots(source, signal)
  const order = ascending(bands)
  const index = order.map((place) => bands[place] ?? 0)
  const twice = index.findIndex((band, place) => band === index[place - 1])
  if (twice > 0)
    throw corrupt({
      format: 'sprs',
      field: 'bandNumber',
      offset: offsets[order[twice] ?? 0] ?? 0,
      found: (index[twice] ?? 0) + 1,
      expected: 'a band that is not there yet',
    })
  const storedBytes = index.map((band) => bandDiskBytes(geometry, band))
  const storedOffset = order.map((place) => offsets[place] ?? 0)
  const { path, sizeBytes: fileBytes } = source
  return {
    layout: {
      kind: 'extents',
      sizeBytes: geometry.sizeBytes,
      parts: [{ path, streamOffset: 0, fileOffset: 0, lengthBytes: fileBytes }],
      extents: bandExtents(geometry, { index, storedOffset, storedBytes }),
      checks: [],
      storedChecks: [],
    },
    bandBytes: geometry.bandBytes,
    bandCount: index.length,
    dataBytes: storedBytes.reduce((sum, bytes) => sum + bytes, 0),
    storedBytes: fileBytes,
    modifiedMs: null,
  }
}

/** The same, but for bands that are there twice. */
export async function readSparseSlots(source: BlockSource, signal?: AbortSignal): Promise<SparseSlots> {
  const first = await readNode(source, 0, signal)
  const header = headerStruct.parse(first, 0)
  const geometry = checkHeader(header)
  const slots: Slots = { bands: [], offsets: [] }
  const numbers = first.subarray(headerStruct.sizeBytes)
  let node: Node = { offset: 0, numbers, count: headerSlots, next: header.nextNodeOffset }
  for (;;) {
    const end = addSlots(slots, node, geometry, source.sizeBytes)
    if (node.next === 0) return { geometry, ...slots, lastNode: node }
    node = await readIndexNode(source, node.next, end, signal)
    if (slots.bands.length > maxBands)
      throw corrupt({ format: 'sprs', field: 'bands', offset: node.offset, expected: `at most ${maxBands}` })
  }
}

function checkHeader(header: ReturnType<typeof headerStruct.parse>): BandGeometry {
  const { version, sectorsPerBand, totalSectors, totalSectorsLow } = header
  const problem = (field: keyof typeof header, expected: string | number) => ({
    format: 'sprs',
    field: `header.${field}`,
    offset: headerStruct.offsetOf(field),
    found: header[field],
    expected,
  })
  if (header.signature !== signature) throw corrupt(problem('signature', signature))
  if (version !== 3) throw formatError('E_SRC_FORMAT', problem('version', 3))
  if (sectorsPerBand === 0) throw corrupt(problem('sectorsPerBand', 'at least 1'))
  if (totalSectors === 0 || !Number.isSafeInteger(totalSectors * sectorBytes))
    throw corrupt(problem('totalSectors', 'the sectors of a disk'))
  if (totalSectorsLow !== totalSectors % 2 ** 32)
    throw corrupt(problem('totalSectorsLow', totalSectors % 2 ** 32))
  return { sizeBytes: totalSectors * sectorBytes, bandBytes: sectorsPerBand * sectorBytes }
}

export interface Node {
  readonly offset: number
  /** Big-endian numbers, `count` of them. */
  readonly numbers: Uint8Array
  readonly count: number
  /** Of the next node; 0: there is none. */
  readonly next: number
}

async function readNode(source: BlockSource, offset: number, signal?: AbortSignal): Promise<Uint8Array> {
  const bytes = new Uint8Array(nodeBytes)
  await source.read(bytes, offset, signal)
  return bytes
}

/** `end`: of the data before it. Nodes ascend, so they come to an end. */
async function readIndexNode(
  source: BlockSource,
  offset: number,
  end: number,
  signal?: AbortSignal,
): Promise<Node> {
  const problem = { format: 'sprs', field: 'nextNodeOffset', offset, found: offset }
  if (offset < end) throw corrupt({ ...problem, expected: `at least ${end}` })
  const last = source.sizeBytes - nodeBytes
  if (offset > last) throw corrupt({ ...problem, expected: `at most ${last}`, cutShort: true })
  const bytes = await readNode(source, offset, signal)
  const node = indexNodeStruct.parse(bytes, offset)
  if (node.signature !== signature)
    throw corrupt({
      format: 'sprs',
      field: 'indexNode.signature',
      offset,
      found: node.signature,
      expected: signature,
    })
  const numbers = bytes.subarray(indexNodeStruct.sizeBytes)
  return { offset, numbers, count: indexNodeSlots, next: node.nextNodeOffset }
}

/** The node's bands into `slots`. Returns where the data of its last one ends. */
function addSlots(slots: Slots, node: Node, geometry: BandGeometry, fileBytes: number): number {
  const { numbers, count, offset: nodeOffset } = node
  const view = new DataView(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  const bandCount = countBands(geometry)
  let end = nodeOffset + nodeBytes
  for (let slot = 0; slot < count; slot++) {
    const number = view.getUint32(slot * 4)
    if (number === 0) continue
    const place = { format: 'sprs', offset: nodeOffset + nodeBytes - (count - slot) * 4 }
    if (number > bandCount)
      throw corrupt({ ...place, field: 'bandNumber', found: number, expected: `at most ${bandCount}` })
    const offset = nodeOffset + nodeBytes + slot * geometry.bandBytes
    // A file that was cut short must not pass for a disk that ends in zeros.
    const needed = offset + bandDiskBytes(geometry, number - 1)
    if (needed > fileBytes)
      throw corrupt({
        ...place,
        field: 'band',
        band: number,
        found: `a file of ${fileBytes}`,
        expected: `in the first ${needed} bytes`,
        cutShort: true,
      })
    slots.bands.push(number - 1)
    slots.offsets.push(offset)
    end = offset + geometry.bandBytes
  }
  return end
}

/** Places of `numbers` in ascending order. */
function ascending(numbers: readonly number[]): number[] {
  const order = numbers.map((_, place) => place)
  const isAscending = numbers.every((number, place) => place === 0 || (numbers[place - 1] ?? 0) <= number)
  return isAscending ? order : order.sort((a, b) => (numbers[a] ?? 0) - (numbers[b] ?? 0))
}
