/** A file that is the disk itself, byte by byte. */
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { sectorBytes } from '#shared/units'

/**
 * The layout of a raw image of `fileBytes` (not zero) at `path`. Disks have whole sectors: a file that ends inside one
 * is a disk whose last sector ends in zeros.
 */
export function rawLayout(path: string, fileBytes: number): ExtentLayout {
  const wholeBytes = Math.floor(fileBytes / sectorBytes) * sectorBytes
  const tailBytes = fileBytes - wholeBytes
  const rows = [
    ...(wholeBytes > 0 ? [{ diskOffset: 0, diskBytes: wholeBytes, storedBytes: wholeBytes }] : []),
    ...(tailBytes > 0 ? [{ diskOffset: wholeBytes, diskBytes: sectorBytes, storedBytes: tailBytes }] : []),
  ]
  const extents = allocateExtentTable(rows.length)
  rows.forEach(({ diskOffset, diskBytes, storedBytes }, row) => {
    extents.kind[row] = kindIndex.raw
    extents.diskOffset[row] = diskOffset
    extents.diskBytes[row] = diskBytes
    extents.storedOffset[row] = diskOffset
    extents.storedBytes[row] = storedBytes
  })
  return {
    kind: 'extents',
    sizeBytes: wholeBytes + (tailBytes > 0 ? sectorBytes : 0),
    parts: [{ path, streamOffset: 0, fileOffset: 0, lengthBytes: fileBytes }],
    extents,
    checks: [],
    storedChecks: [],
  }
}
