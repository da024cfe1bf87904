/**
 * Used clusters of NTFS, from the file $Bitmap (record 6 of the master file table). Layout as in the Linux kernel's
 * fs/ntfs3/ntfs.h. The volume must be clean: neither $Volume marks it dirty, nor has $LogFile anything to do again, as it
 * has while Windows hibernates. There is no checksum, so the bitmap must say at least of the files that every volume has
 * that their clusters are in use.
 */
import { BadStretches, withoutBad } from './bad-stretches.ts'
import {
  attributeList,
  data,
  readRecord,
  volumeInformation,
  type NtfsLayout,
  type Run,
} from './ntfs-records.ts'
import {
  consistent,
  NotCertain,
  onlyKnown,
  safe,
  type BlockVolume,
  type UsedBlocksReader,
} from './used-blocks.ts'
import { addBitmap, UsedRanges } from './used-ranges.ts'

const logFileRecord = 2
const volumeRecord = 3
const bitmapRecord = 6
/** $MFT, $MFTMirr, $LogFile, $Bitmap, $Boot. */
const everywhere = [0, 1, logFileRecord, bitmapRecord, 7]
const badClustersRecord = 8
/** Modified by chkdsk, and a bit that ntfs-3g calls fixed by it: all else means work to be done. */
const harmlessFlags = 0x8080
const pieceBytes = 1024 * 1024

export const readNtfsUsedBlocks: UsedBlocksReader = async (volume) => {
  const layout = await readLayout(volume)
  const { clusters, clusterBytes } = layout
  await refuseUnclean(volume, layout)
  const { runs, sizeBytes } = await readData(volume, layout, bitmapRecord)
  const neededBytes = Math.ceil(clusters / 8)
  consistent(sizeBytes >= neededBytes, 'size of the bitmap')
  const marked = new UsedRanges()
  let done = 0
  for (const { cluster, count } of runs)
    for (let within = 0; within < count * clusterBytes && done < neededBytes;) {
      const length = Math.min(pieceBytes, count * clusterBytes - within, neededBytes - done)
      const bits = await volume.read(cluster * clusterBytes + within, length)
      const inPiece = Math.min(length * 8, clusters - done * 8)
      const offset = done * 8 * clusterBytes
      addBitmap(marked, { bits, count: inPiece, first: 'lowest', unitBytes: clusterBytes, offset })
      within += length
      done += length
    }
  consistent(done >= neededBytes, 'the bitmap ends early')
  // A copy of the boot sector is behind the last cluster.
  marked.add(clusters * clusterBytes, volume.sizeBytes)
  const bad = await badStretches(volume, layout)
  await refuseLying(volume, layout, withoutBad(marked, bad))
  return { ranges: marked, bad }
}

async function readLayout(volume: BlockVolume): Promise<NtfsLayout> {
  const boot = await volume.read(0, 512)
  const sectorBytes = boot.readUInt16LE(11)
  consistent([512, 1024, 2048, 4096].includes(sectorBytes), 'sector size')
  const perCluster = boot.readUInt8(13)
  const clusterSectors = perCluster > 0x80 ? 2 ** (256 - perCluster) : perCluster
  const clusterBytes = sectorBytes * clusterSectors
  const isPower = (value: number) => value >= 1 && Number.isInteger(Math.log2(value))
  consistent(isPower(clusterSectors) && clusterBytes <= 2 * 1024 * 1024, 'cluster size')
  const perRecord = boot.readInt8(64)
  const recordBytes = perRecord > 0 ? perRecord * clusterBytes : 2 ** -perRecord
  consistent(isPower(recordBytes) && recordBytes >= 512 && recordBytes <= 65_536, 'record size')
  const sectors = safe(boot.readBigUInt64LE(40), 'number of sectors')
  consistent(sectors * sectorBytes <= volume.sizeBytes, 'number of sectors')
  const clusters = Math.floor(sectors / clusterSectors)
  const tableCluster = safe(boot.readBigUInt64LE(48), 'place of the file table')
  consistent(tableCluster > 0 && tableCluster < clusters, 'place of the file table')
  return { clusterBytes, clusters, recordBytes, tableAt: tableCluster * clusterBytes }
}

async function refuseUnclean(volume: BlockVolume, layout: NtfsLayout): Promise<void> {
  const information = (await readRecord(volume, layout, volumeRecord)).find(
    ({ type }) => type === volumeInformation,
  )?.value
  consistent(information !== undefined && information !== null && information.length >= 12, '$Volume')
  const flags = information.readUInt16LE(10)
  if ((flags & ~harmlessFlags) !== 0) throw new NotCertain('unclean', `volume flags 0x${flags.toString(16)}`)
  onlyKnown(information.readUInt8(8), 3, 'version')
  if (!(await isLogEmpty(volume, layout))) throw new NotCertain('unclean', 'the log is not empty')
}

/**
 * Clusters that were found to be bad hold nothing, and trying to read them would end the whole undertaking. A list that goes
 * on in other records is left alone.
 */
async function badStretches(volume: BlockVolume, layout: NtfsLayout): Promise<BadStretches> {
  const bad = new BadStretches()
  const attributes = await readRecord(volume, layout, badClustersRecord)
  if (attributes.some(({ type }) => type === attributeList)) return bad
  const runs = attributes
    .flatMap(({ type, isNamed, runs }) => (type === data && isNamed ? runs : []))
    .toSorted((a, b) => a.cluster - b.cluster)
  for (const { cluster, count } of runs)
    bad.add(cluster * layout.clusterBytes, (cluster + count) * layout.clusterBytes)
  return bad
}

/** Where a file goes on in other records, as a table in many pieces does, its first record is enough. */
async function refuseLying(volume: BlockVolume, layout: NtfsLayout, ranges: UsedRanges): Promise<void> {
  const { clusterBytes } = layout
  for (const index of everywhere)
    for (const { type, runs } of await readRecord(volume, layout, index))
      for (const { cluster, count } of type === data ? runs : []) {
        const isUsed = ranges.covers(cluster * clusterBytes, (cluster + count) * clusterBytes)
        consistent(isUsed, `clusters of record ${index} that are free`)
      }
}

/** Two restart pages say whether a client of the log has work in it; the younger one counts. All ones: a log never used. */
async function isLogEmpty(volume: BlockVolume, layout: NtfsLayout): Promise<boolean> {
  const { runs, sizeBytes } = await readData(volume, layout, logFileRecord)
  const first = runs[0]
  consistent(
    first !== undefined && sizeBytes >= 8192 && first.count * layout.clusterBytes >= 4096,
    '$LogFile',
  )
  const page = await volume.read(first.cluster * layout.clusterBytes, 4096)
  if (page.every((byte) => byte === 0xff)) return true
  const second = await readAt(volume, layout, runs, page.readUInt32LE(16), 4096)
  const pages = [page, second].flatMap((each) => (each === null ? [] : (parseRestart(each) ?? [])))
  const younger = pages.toSorted((a, b) => (a.sequence < b.sequence ? 1 : -1))[0]
  return younger !== undefined && younger.isClean
}

function parseRestart(page: Buffer): { readonly sequence: bigint; readonly isClean: boolean } | null {
  if (page.toString('latin1', 0, 4) !== 'RSTR') return null
  const area = page.readUInt16LE(24)
  // Within the first sector, before the bytes that the fixup array stands for.
  if (area < 30 || area + 16 > 510) return null
  const noClients = page.readUInt16LE(area + 12) === 0xffff
  const markedClean = (page.readUInt16LE(area + 14) & 2) !== 0
  return { sequence: page.readBigUInt64LE(area), isClean: noClients || markedClean }
}

/** A stretch of a file by its offset there, when one run holds it whole. */
async function readAt(
  volume: BlockVolume,
  { clusterBytes }: NtfsLayout,
  runs: readonly Run[],
  offset: number,
  lengthBytes: number,
): Promise<Buffer | null> {
  let before = 0
  for (const { cluster, count } of runs) {
    const within = offset - before
    if (within >= 0 && within + lengthBytes <= count * clusterBytes)
      return await volume.read(cluster * clusterBytes + within, lengthBytes)
    before += count * clusterBytes
  }
  return null
}

/** The unnamed data of a file, all of it in its first record. */
async function readData(
  volume: BlockVolume,
  layout: NtfsLayout,
  record: number,
): Promise<{ readonly runs: readonly Run[]; readonly sizeBytes: number }> {
  const attributes = await readRecord(volume, layout, record)
  if (attributes.some(({ type }) => type === attributeList))
    throw new NotCertain('features', `record ${record} goes on elsewhere`)
  const found = attributes.filter(({ type, isNamed }) => type === data && !isNamed)
  const [attribute] = found
  consistent(
    attribute !== undefined && found.length === 1 && attribute.value === null,
    `data of record ${record}`,
  )
  if (attribute.flags !== 0 || attribute.holes > 0)
    throw new NotCertain('features', `record ${record} is compressed or sparse`)
  return attribute
}
