/**
 * Used blocks of XFS, from the free space of every allocation group ("XFS Algorithms & Data Structures", kernel.org). The log
 * must end in the record that an unmount writes; until then what it says to do isn't done.
 *
 *   AG 0 … n    sector 0  superblock      sector 1  AGF, which leads to
 *               the tree of free extents by block number: pairs of a first block and a count
 */
import { crc32c } from '#engine/formats/struct'
import { sectorBytes } from '#shared/units'
import {
  consistent,
  NotCertain,
  onlyKnown,
  safe,
  type BlockVolume,
  type UsedBlocksReader,
} from './used-blocks.ts'
import { UsedRanges } from './used-ranges.ts'

/** free inode tree, reverse mapping, reflink, inode tree counts. */
const knownReadOnly = 0xf
/** ftype, sparse inodes, metadata UUID, bigtime, 64-bit extent counts, exchange range, parent pointers. Not: needs repair, metadata folders. */
const knownIncompatible = 0x1 | 0x2 | 0x4 | 0x8 | 0x20 | 0x40 | 0x80
/** Of version 4: lazy counters, attr2, 32-bit project numbers, ftype. */
const knownFeatures2 = 0x2 | 0x8 | 0x80 | 0x200
const maxGroups = 2 ** 20
const logPieceBytes = 1024 * 1024
const recordMagic = 0xfeed_babe
const unmountRecord = 0x20
const noBlock = 0xffff_ffff

interface Layout {
  readonly version: 4 | 5
  readonly blockBytes: number
  readonly sectorBytes: number
  readonly blocks: number
  readonly groupBlocks: number
  readonly groups: number
  /** Where the log is, in bytes. */
  readonly logAt: number
  readonly logBytes: number
}

export const readXfsUsedBlocks: UsedBlocksReader = async (volume) => {
  const layout = await readLayout(volume)
  await refuseFullLog(volume, layout)
  const { blockBytes, blocks, groupBlocks, groups } = layout
  const ranges = new UsedRanges()
  for (let group = 0; group < groups; group++) {
    const start = group * groupBlocks
    const count = Math.min(groupBlocks, blocks - start)
    let at = 0
    for await (const [free, length] of freeExtents(volume, layout, group, count)) {
      ranges.add((start + at) * blockBytes, (start + free) * blockBytes)
      at = free + length
    }
    ranges.add((start + at) * blockBytes, (start + count) * blockBytes)
  }
  ranges.add(blocks * blockBytes, volume.sizeBytes)
  return { ranges }
}

async function readLayout(volume: BlockVolume): Promise<Layout> {
  const block = await volume.read(0, 512)
  const version = block.readUInt16BE(100) & 15
  if (version !== 4 && version !== 5) throw new NotCertain('features', `version ${version}`)
  const blockBytes = block.readUInt32BE(4)
  const sector = block.readUInt16BE(102)
  const isPower = (value: number) => Number.isInteger(Math.log2(value))
  consistent(isPower(blockBytes) && blockBytes >= 512 && blockBytes <= 65_536, 'block size')
  consistent(isPower(sector) && sector >= 512 && sector <= 32_768 && sector <= blockBytes, 'sector size')
  if (version === 5) {
    consistent(isSound(await volume.read(0, sector), 224), 'superblock checksum')
    onlyKnown(block.readUInt32BE(212), knownReadOnly, 'read-only features')
    onlyKnown(block.readUInt32BE(216), knownIncompatible, 'incompatible features')
    onlyKnown(block.readUInt32BE(208), 0, 'compatible features')
    onlyKnown(block.readUInt32BE(220), 0, 'features of the log')
  } else onlyKnown(block.readUInt32BE(200), knownFeatures2, 'features')
  if (block.readUInt8(126) !== 0) throw new NotCertain('unclean', 'being made')

  const blocks = safe(block.readBigUInt64BE(8), 'number of blocks')
  const groupBlocks = block.readUInt32BE(84)
  const groups = block.readUInt32BE(88)
  const groupShift = block.readUInt8(124)
  consistent(blocks * blockBytes <= volume.sizeBytes, 'number of blocks')
  consistent(groupBlocks >= 64 && groups === Math.ceil(blocks / groupBlocks), 'allocation groups')
  consistent(groupShift <= 31 && 2 ** groupShift >= groupBlocks, 'size of allocation groups')
  if (groups > maxGroups) throw new NotCertain('features', `${groups} allocation groups`)

  const logStart = safe(block.readBigUInt64BE(48), 'place of the log')
  if (logStart === 0) throw new NotCertain('features', 'a log on another device')
  const logBlock = Math.floor(logStart / 2 ** groupShift) * groupBlocks + (logStart % 2 ** groupShift)
  const logBlocks = block.readUInt32BE(96)
  consistent(logBlocks > 0 && logBlock + logBlocks <= blocks, 'place of the log')
  const logBytes = logBlocks * blockBytes
  return {
    version,
    blockBytes,
    sectorBytes: sector,
    blocks,
    groupBlocks,
    groups,
    logAt: logBlock * blockBytes,
    logBytes,
  }
}

/** Whether the CRC-32C at `checksumAt` is that of the rest. */
function isSound(block: Buffer, checksumAt: number): boolean {
  const before = crc32c(0xffff_ffff, block.subarray(0, checksumAt))
  const zeroed = crc32c(before, new Uint8Array(4))
  const computed = ~crc32c(zeroed, block.subarray(checksumAt + 4)) >>> 0
  return computed === block.readUInt32LE(checksumAt)
}

/**
 * Every sector of the log begins with the number of the turn in which it was written, record headers with a mark and then
 * that number. The log's head is where this turn's sectors end, and the record before it must be that of an unmount.
 */
async function refuseFullLog(volume: BlockVolume, { logAt, logBytes }: Layout): Promise<void> {
  const sectors = logBytes / sectorBytes
  let turn = -1
  let head = sectors
  let record = -1
  for (let start = 0; start < sectors;) {
    const lengthBytes = Math.min(logPieceBytes, logBytes - start * sectorBytes)
    const piece = await volume.read(logAt + start * sectorBytes, lengthBytes)
    for (let within = 0; within < lengthBytes; within += sectorBytes) {
      const sector = start + within / sectorBytes
      const isRecord = piece.readUInt32BE(within) === recordMagic
      const own = isRecord ? piece.readUInt32BE(within + 4) : piece.readUInt32BE(within)
      if (turn === -1) turn = own
      if (own !== turn) {
        if (head === sectors) head = sector
        if (own !== turn - 1) throw new NotCertain('unclean', 'sectors of the log from three turns')
      } else if (head !== sectors) throw new NotCertain('unclean', 'a log that was not written in order')
      else if (isRecord) record = sector
    }
    start += lengthBytes / sectorBytes
  }
  if (record === -1) throw new NotCertain('unclean', 'a log without a record')
  const header = await volume.read(logAt + record * sectorBytes, sectorBytes)
  const roomBytes = (header.readUInt32BE(8) & 2) === 0 ? 32_768 : header.readUInt32BE(320)
  const headerSectors = Math.max(1, Math.ceil(roomBytes / 32_768))
  const dataAt = record + headerSectors
  const end = dataAt + Math.ceil(header.readUInt32BE(12) / sectorBytes)
  if (end !== head || dataAt >= head || header.readUInt32BE(40) !== 1)
    throw new NotCertain('unclean', 'the log ends in something else than an unmount')
  const operation = await volume.read(logAt + dataAt * sectorBytes, sectorBytes)
  if ((operation.readUInt8(9) & unmountRecord) === 0)
    throw new NotCertain('unclean', 'the log ends in something else than an unmount')
}

/** Free extents of a group, ascending: first block within it, and count. */
async function* freeExtents(
  volume: BlockVolume,
  layout: Layout,
  group: number,
  blocks: number,
): AsyncGenerator<readonly [start: number, count: number]> {
  const { version, blockBytes, groupBlocks } = layout
  const groupAt = group * groupBlocks * blockBytes
  const head = await volume.read(groupAt + layout.sectorBytes, layout.sectorBytes)
  consistent(head.toString('latin1', 0, 4) === 'XAGF' && head.readUInt32BE(8) === group, `AGF ${group}`)
  consistent(version === 4 || isSound(head, 216), `checksum of AGF ${group}`)
  consistent(head.readUInt32BE(12) === blocks, `length of AGF ${group}`)
  const headerBytes = version === 5 ? 56 : 16
  const readBlock = async (number: number, level: number) => {
    consistent(number > 0 && number < blocks, 'a free space tree leads outside')
    const block = await volume.read(groupAt + number * blockBytes, blockBytes)
    consistent(
      block.toString('latin1', 0, 4) === (version === 5 ? 'AB3B' : 'ABTB'),
      'a block of a free space tree',
    )
    consistent(version === 4 || isSound(block, 52), 'checksum of a free space tree')
    consistent(block.readUInt16BE(4) === level, 'level of a free space tree')
    return block
  }
  const levels = head.readUInt32BE(28)
  consistent(levels >= 1 && levels <= 12, 'levels of a free space tree')
  let number = head.readUInt32BE(16)
  for (let level = levels - 1; level > 0; level--) {
    const node = await readBlock(number, level)
    const most = Math.floor((blockBytes - headerBytes) / 12)
    const count = node.readUInt16BE(6)
    consistent(count >= 1 && count <= most, 'a node of a free space tree')
    number = node.readUInt32BE(headerBytes + most * 8)
  }
  let end = 0
  let free = 0
  for (let leaves = 0; number !== noBlock; leaves++) {
    consistent(leaves < blocks, 'a free space tree without an end')
    const leaf = await readBlock(number, 0)
    const count = leaf.readUInt16BE(6)
    consistent(count <= (blockBytes - headerBytes) / 8, 'a leaf of a free space tree')
    for (let index = 0; index < count; index++) {
      const start = leaf.readUInt32BE(headerBytes + index * 8)
      const length = leaf.readUInt32BE(headerBytes + index * 8 + 4)
      consistent(start >= end && length > 0 && start + length <= blocks, 'a free extent')
      yield [start, length]
      end = start + length
      free += length
    }
    number = leaf.readUInt32BE(12)
    // An empty leaf ends nothing, but only a tree's root may be one: without progress there must be no next.
    consistent(count > 0 || number === noBlock, 'an empty leaf of a free space tree')
  }
  consistent(free === head.readUInt32BE(52), `number of free blocks of AGF ${group}`)
}
