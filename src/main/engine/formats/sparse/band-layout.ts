/** From the bands an image stores to the one extent table: what isn't stored is zeros. */
import { allocateExtentTable, kindIndex, type ExtentTable } from '#engine/formats/extents'
import { sectorBytes } from '#shared/units'

/** Columns, a place for each stored band, ascending by `index` without doubles. */
export interface StoredBands {
  /** The band is byte `index · bandBytes` of the disk and what follows. */
  readonly index: readonly number[]
  /** Of the band's first byte, in the stored stream. */
  readonly storedOffset: readonly number[]
  /** Bytes that are there; the rest of the band is zeros. */
  readonly storedBytes: readonly number[]
}

export interface BandGeometry {
  /** Whole sectors. */
  readonly sizeBytes: number
  /** Whole sectors. */
  readonly bandBytes: number
}

/** How many bands the disk has, stored or not. */
export const countBands = ({ sizeBytes, bandBytes }: BandGeometry): number => Math.ceil(sizeBytes / bandBytes)

/** Bytes of band `index` that lie on the disk. */
export const bandDiskBytes = ({ sizeBytes, bandBytes }: BandGeometry, index: number): number =>
  Math.min(bandBytes, sizeBytes - index * bandBytes)

/** Rows for the whole disk. Bands that follow one another, on the disk and in the stream, become one. */
export function bandExtents(geometry: BandGeometry, bands: StoredBands): ExtentTable {
  const count = walkRows(geometry, bands, () => undefined)
  const table = allocateExtentTable(count)
  walkRows(geometry, bands, (row, { kind, diskOffset, diskBytes, storedOffset, storedBytes }) => {
    table.kind[row] = kindIndex[kind]
    table.diskOffset[row] = diskOffset
    table.diskBytes[row] = diskBytes
    table.storedOffset[row] = storedOffset
    table.storedBytes[row] = storedBytes
  })
  return table
}

interface Row {
  readonly kind: 'raw' | 'zero'
  readonly diskOffset: number
  diskBytes: number
  readonly storedOffset: number
  storedBytes: number
}

function walkRows(
  geometry: BandGeometry,
  bands: StoredBands,
  emit: (index: number, row: Row) => void,
): number {
  const { sizeBytes, bandBytes } = geometry
  let count = 0
  /** May still become longer. */
  const pending: { row: Row | null } = { row: null }
  let at = 0
  const endRaw = () => {
    if (pending.row !== null) emit(count++, pending.row)
    pending.row = null
  }
  const zeroUntil = (end: number) => {
    if (end <= at) return
    endRaw()
    emit(count++, { kind: 'zero', diskOffset: at, diskBytes: end - at, storedOffset: 0, storedBytes: 0 })
  }
  for (const [place, index] of bands.index.entries()) {
    const diskOffset = index * bandBytes
    const storedOffset = bands.storedOffset[place] ?? 0
    const storedBytes = Math.min(bands.storedBytes[place] ?? 0, bandDiskBytes(geometry, index))
    if (storedBytes === 0) continue
    zeroUntil(diskOffset)
    // The last sector of a short band ends in zeros; the sectors after it are a row of their own.
    const diskBytes = Math.ceil(storedBytes / sectorBytes) * sectorBytes
    const last = pending.row
    if (
      last !== null &&
      last.storedBytes === last.diskBytes &&
      last.storedOffset + last.storedBytes === storedOffset
    ) {
      last.diskBytes += diskBytes
      last.storedBytes += storedBytes
    } else {
      endRaw()
      pending.row = { kind: 'raw', diskOffset, diskBytes, storedOffset, storedBytes }
    }
    at = diskOffset + diskBytes
  }
  zeroUntil(sizeBytes)
  endRaw()
  return count
}
