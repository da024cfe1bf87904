/**
 * Blocks that HFS+ calls bad (Technical Note TN1150, "Bad Block File"): those of file 5. It has no record in the catalog, all
 * its extents are in the extents overflow file: a B-tree ordered by file, so that they come first there.
 *
 *   node   0 next leaf   8 kind   10 records   …   offsets of the records, from its end
 *   key    0 length (10)   2 fork   4 file   8 first block     then eight extents: block, count
 */
import { BadStretches } from './bad-stretches.ts'
import { consistent, NotCertain, type BlockVolume } from './used-blocks.ts'
import type { UsedRanges } from './used-ranges.ts'

/** Of the volume header's attributes: there may be some. */
const sparedBlocks = 1 << 9
const extentsAt = 208
/** Extents of the allocation, extents overflow, catalog, attributes and startup files. */
const specialForks = [128, extentsAt, 288, 368, 448]
const catalogFile = 4
const badBlockFile = 5
const leafKind = -1
const keyBytes = 12
/** The largest nodes hold 400 records. */
const mostLeaves = 256
const recordBytes = keyBytes + 64

/** Throws `NotCertain` when the list contradicts itself or `used`, or has records in it. `header`: of the volume. */
export async function readHfsPlusBadBlocks(
  volume: BlockVolume,
  header: Buffer,
  used: UsedRanges,
): Promise<BadStretches> {
  const bad = new BadStretches()
  if ((header.readUInt32BE(4) & sparedBlocks) === 0) return bad
  const { listed, catalog } = await readList(volume, header)
  for (const [from, to] of listed.toSorted(([a], [b]) => a - b)) {
    consistent(used.covers(from, to), 'a bad block that is free')
    bad.add(from, to)
  }
  for (const [from, to] of [...catalog, ...ownStretches(volume, header)])
    consistent(!bad.overlaps(from, to), 'a bad block with a record')
  return bad
}

type Stretch = readonly [from: number, to: number]

/** Of the file of bad blocks, and of the catalog as far as the header doesn't know it: the other special files' extents come later. */
async function readList(
  volume: BlockVolume,
  header: Buffer,
): Promise<{ readonly listed: readonly Stretch[]; readonly catalog: readonly Stretch[] }> {
  const blockBytes = header.readUInt32BE(40)
  const treeHeader = await volume.read(header.readUInt32BE(extentsAt) * blockBytes, 34)
  const nodeBytes = treeHeader.readUInt16BE(32)
  consistent(nodeBytes >= 512 && Number.isInteger(Math.log2(nodeBytes)), 'node size')
  const listed: Stretch[] = []
  const catalog: Stretch[] = []
  let number = treeHeader.readUInt32BE(24)
  for (let leaves = 0; number !== 0; leaves++) {
    consistent(leaves < mostLeaves, 'leaves of the extents overflow file')
    const node = await volume.read(placeOf(header, number * nodeBytes, nodeBytes), nodeBytes)
    consistent(node.readInt8(8) === leafKind, 'a leaf of the extents overflow file')
    const records = node.readUInt16BE(10)
    // Else some are one and the same.
    consistent(records * recordBytes <= nodeBytes, 'records of bad blocks')
    for (let record = 0; record < records; record++) {
      const at = node.readUInt16BE(nodeBytes - 2 * (record + 1))
      const file = node.readUInt32BE(at + 4)
      if (file < catalogFile) continue
      if (file > badBlockFile) return { listed, catalog }
      const found = file === badBlockFile ? listed : catalog
      for (let extent = 0; extent < 8; extent++) {
        const from = node.readUInt32BE(at + keyBytes + extent * 8) * blockBytes
        found.push([from, from + node.readUInt32BE(at + keyBytes + extent * 8 + 4) * blockBytes])
      }
    }
    number = node.readUInt32BE(0)
  }
  return { listed, catalog }
}

/** Where a node is: none lies in two extents. */
function placeOf(header: Buffer, offset: number, lengthBytes: number): number {
  const blockBytes = header.readUInt32BE(40)
  let before = 0
  for (let extent = 0; extent < 8; extent++) {
    const within = offset - before
    const extentBytes = header.readUInt32BE(extentsAt + extent * 8 + 4) * blockBytes
    if (within >= 0 && within + lengthBytes <= extentBytes)
      return header.readUInt32BE(extentsAt + extent * 8) * blockBytes + within
    before += extentBytes
  }
  throw new NotCertain('inconsistent', 'a node outside the extents overflow file')
}

/** What is always in use: the header, its copy, and the special files as far as the header knows them. */
function* ownStretches({ sizeBytes }: BlockVolume, header: Buffer): Generator<Stretch> {
  const blockBytes = header.readUInt32BE(40)
  yield [0, 1536]
  yield [sizeBytes - 1024, sizeBytes]
  for (const fork of specialForks)
    for (let at = fork; at < fork + 64; at += 8) {
      const from = header.readUInt32BE(at) * blockBytes
      yield [from, from + header.readUInt32BE(at + 4) * blockBytes]
    }
}
