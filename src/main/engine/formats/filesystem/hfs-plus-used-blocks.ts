/**
 * Used blocks of HFS+ and HFSX (Apple Technical Note TN1150), from the allocation file. The volume must have been unmounted
 * and its journal be empty.
 */
import { readHfsPlusBadBlocks } from './hfs-plus-bad-blocks.ts'
import { consistent, NotCertain, safe, type BlockVolume, type UsedBlocksReader } from './used-blocks.ts'
import { addBitmap, UsedRanges } from './used-ranges.ts'

const headerAt = 1024
const unmounted = 1 << 8
const inconsistentBit = 1 << 11
const journaled = 1 << 13
const pieceBytes = 1024 * 1024
/** Of a journal info block: it is in this volume; it is on another device; it was never used. */
const journalInside = 1
const journalElsewhere = 2
const journalNew = 4

export const readHfsPlusUsedBlocks: UsedBlocksReader = async (volume) => {
  const header = await volume.read(headerAt, 512)
  const signature = header.toString('latin1', 0, 2)
  if (signature !== 'H+' && signature !== 'HX') throw new NotCertain('features', 'a volume inside an HFS one')
  const attributes = header.readUInt32BE(4)
  if ((attributes & unmounted) === 0 || (attributes & inconsistentBit) !== 0)
    throw new NotCertain('unclean', `attributes 0x${attributes.toString(16)}`)
  const blockBytes = header.readUInt32BE(40)
  const blocks = header.readUInt32BE(44)
  consistent(blockBytes >= 512 && Number.isInteger(Math.log2(blockBytes)), 'block size')
  consistent(blocks > 0 && blocks * blockBytes <= volume.sizeBytes, 'number of blocks')
  if ((attributes & journaled) !== 0) await refuseFullJournal(volume, header.readUInt32BE(12) * blockBytes)

  const neededBytes = Math.ceil(blocks / 8)
  consistent(
    safe(header.readBigUInt64BE(112), 'allocation file') >= neededBytes,
    'size of the allocation file',
  )
  const ranges = new UsedRanges()
  // Boot blocks and header; its copy is in the last 1024 bytes.
  ranges.add(0, headerAt + 512)
  let free = 0
  let done = 0
  for (let extent = 0; extent < 8 && done < neededBytes; extent++) {
    const start = header.readUInt32BE(128 + extent * 8) * blockBytes
    const extentBytes = header.readUInt32BE(132 + extent * 8) * blockBytes
    for (let within = 0; within < extentBytes && done < neededBytes;) {
      const length = Math.min(pieceBytes, extentBytes - within, neededBytes - done)
      const bits = await volume.read(start + within, length)
      const count = Math.min(length * 8, blocks - done * 8)
      const offset = done * 8 * blockBytes
      free += addBitmap(ranges, { bits, count, first: 'highest', unitBytes: blockBytes, offset })
      within += length
      done += length
    }
  }
  if (done < neededBytes) throw new NotCertain('features', 'an allocation file in more than eight pieces')
  consistent(free === header.readUInt32BE(48), 'number of free blocks')
  const tailAt = Math.min(blocks * blockBytes, volume.sizeBytes - 1024)
  const all = withTail(ranges, tailAt, volume.sizeBytes)
  return { ranges: all, bad: await readHfsPlusBadBlocks(volume, header, all) }
}

/** What `add` can't do any more when the last blocks are in use: ranges must ascend. */
function withTail(ranges: UsedRanges, tailAt: number, end: number): UsedRanges {
  const all = new UsedRanges()
  for (const [from, to] of ranges) if (from < tailAt) all.add(from, to)
  all.add(tailAt, end)
  return all
}

async function refuseFullJournal(volume: BlockVolume, infoAt: number): Promise<void> {
  const info = await volume.read(infoAt, 52)
  const flags = info.readUInt32BE(0)
  if ((flags & journalNew) !== 0) return
  if ((flags & journalElsewhere) !== 0 || (flags & journalInside) === 0)
    throw new NotCertain('features', 'a journal on another device')
  const journal = await volume.read(safe(info.readBigUInt64BE(36), 'place of the journal'), 32)
  // In the byte order of the machine that wrote it: 'JNLx' and 0x12345678.
  const isLittle = journal.readUInt32LE(0) === 0x4a4e4c78 && journal.readUInt32LE(4) === 0x12345678
  const isBig = journal.readUInt32BE(0) === 0x4a4e4c78 && journal.readUInt32BE(4) === 0x12345678
  consistent(isLittle || isBig, 'journal header')
  if (!journal.subarray(8, 16).equals(journal.subarray(16, 24)))
    throw new NotCertain('unclean', 'the journal is not empty')
}
