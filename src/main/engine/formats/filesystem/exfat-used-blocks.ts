/**
 * Used clusters of exFAT (Microsoft exFAT specification, 2019), from its allocation bitmap, which the root folder leads to.
 *
 *   sector 0 … 11      boot region; its last sector repeats a checksum of the others
 *   FatOffset          the table: chains of clusters
 *   ClusterHeapOffset  clusters, the first of which has number 2
 */
import { consistent, NotCertain, safe, type BlockVolume, type UsedBlocksReader } from './used-blocks.ts'
import { addBitmap, UsedRanges } from './used-ranges.ts'

const entryBytes = 32
const bitmapEntry = 0x81
/** Of a folder that leads to the bitmap; it is one of the first entries there. */
const maxRootBytes = 1024 * 1024
/** Of a bitmap at once: whole bytes, so that pieces don't share one. */
const pieceBytes = 1024 * 1024

interface Layout {
  readonly tableAt: number
  readonly heapAt: number
  readonly clusterBytes: number
  readonly clusters: number
  readonly rootCluster: number
}

export const readExfatUsedBlocks: UsedBlocksReader = async (volume) => {
  const layout = await readLayout(volume)
  const { heapAt, clusterBytes, clusters } = layout
  const bitmap = await findBitmap(volume, layout)
  const ranges = new UsedRanges()
  ranges.add(0, heapAt)
  let done = 0
  for await (const from of chain(
    volume,
    layout,
    bitmap.cluster,
    Math.ceil(bitmap.sizeBytes / clusterBytes),
  )) {
    for (let within = 0; within < clusterBytes && done < bitmap.sizeBytes;) {
      const length = Math.min(pieceBytes, clusterBytes - within, bitmap.sizeBytes - done)
      const bits = await volume.read(from + within, length)
      const count = Math.min(length * 8, clusters - done * 8)
      const offset = heapAt + done * 8 * clusterBytes
      addBitmap(ranges, { bits, count, first: 'lowest', unitBytes: clusterBytes, offset })
      within += length
      done += length
    }
  }
  consistent(done === bitmap.sizeBytes, 'the allocation bitmap ends early')
  ranges.add(heapAt + clusters * clusterBytes, volume.sizeBytes)
  return { ranges }
}

async function readLayout(volume: BlockVolume): Promise<Layout> {
  const boot = await volume.read(0, 512)
  const sectorShift = boot.readUInt8(108)
  const clusterShift = boot.readUInt8(109)
  consistent(
    sectorShift >= 9 && sectorShift <= 12 && clusterShift <= 25 - sectorShift,
    'sector or cluster size',
  )
  const sectorBytes = 2 ** sectorShift
  const region = await volume.read(0, 12 * sectorBytes)
  consistent(
    checksum(region.subarray(0, 11 * sectorBytes)) === region.readUInt32LE(11 * sectorBytes),
    'boot checksum',
  )
  const flags = boot.readUInt16LE(106)
  // 1: the second table counts (TexFAT). 2: mounted. 4: the medium failed once. 8 and above say nothing.
  if ((flags & 6) !== 0) throw new NotCertain('unclean', `flags ${flags}`)
  if ((flags & 1) !== 0 || boot.readUInt8(110) !== 1) throw new NotCertain('features', 'two tables')
  if (boot.readUInt8(105) !== 1) throw new NotCertain('features', `revision ${boot.readUInt8(105)}`)
  const clusterBytes = sectorBytes * 2 ** clusterShift
  const heapAt = boot.readUInt32LE(88) * sectorBytes
  const clusters = boot.readUInt32LE(92)
  const tableAt = boot.readUInt32LE(80) * sectorBytes
  const sizeBytes = safe(boot.readBigUInt64LE(72), 'volume length') * sectorBytes
  consistent(sizeBytes <= volume.sizeBytes && heapAt + clusters * clusterBytes <= sizeBytes, 'volume length')
  consistent(tableAt > 0 && tableAt + (clusters + 2) * 4 <= heapAt, 'place of the table')
  return { tableAt, heapAt, clusterBytes, clusters, rootCluster: boot.readUInt32LE(96) }
}

/** §3.4: over the first eleven sectors, without VolumeFlags and PercentInUse, which change while it is mounted. */
function checksum(region: Uint8Array): number {
  let sum = 0
  region.forEach((byte, index) => {
    if (index !== 106 && index !== 107 && index !== 112) sum = (((sum & 1) << 31) | (sum >>> 1)) + byte
    sum >>>= 0
  })
  return sum
}

async function findBitmap(
  volume: BlockVolume,
  layout: Layout,
): Promise<{ readonly cluster: number; readonly sizeBytes: number }> {
  const { rootCluster, clusterBytes } = layout
  const lengthBytes = Math.min(clusterBytes, maxRootBytes)
  for await (const from of chain(volume, layout, rootCluster, maxRootBytes / lengthBytes)) {
    for (let within = 0; within < lengthBytes; within += entryBytes) {
      const entry = await volume.read(from + within, entryBytes)
      const type = entry.readUInt8(0)
      // Nothing comes behind, in no cluster.
      consistent(type !== 0, 'no allocation bitmap')
      // Bit 0 of its flags: of which table it is the bitmap.
      if (type !== bitmapEntry || (entry.readUInt8(1) & 1) !== 0) continue
      const sizeBytes = safe(entry.readBigUInt64LE(24), 'size of the bitmap')
      consistent(sizeBytes === Math.ceil(layout.clusters / 8), 'size of the bitmap')
      return { cluster: entry.readUInt32LE(20), sizeBytes }
    }
  }
  throw new NotCertain('inconsistent', 'no allocation bitmap')
}

/** Where the clusters of a chain are, in its order, `most` at most. */
async function* chain(
  volume: BlockVolume,
  layout: Layout,
  first: number,
  most: number,
): AsyncGenerator<number> {
  const { tableAt, heapAt, clusterBytes, clusters } = layout
  let cluster = first
  for (let index = 0; index < most; index++) {
    consistent(cluster >= 2 && cluster < clusters + 2, 'a chain leads outside')
    yield heapAt + (cluster - 2) * clusterBytes
    const next = (await volume.read(tableAt + cluster * 4, 4)).readUInt32LE(0)
    if (next === 0xffff_ffff) return
    cluster = next
  }
}
