/**
 * Used blocks of ext2, ext3 and ext4, from the block bitmaps of all groups (Linux's Documentation/filesystems/ext4 has the
 * layout). Group descriptors and bitmaps are checked against their checksums, where there are any, and against the counts
 * of free blocks.
 *
 *   block 0 or 1       superblock
 *   right behind       group descriptors; with meta_bg, those of later groups are spread over the disk
 *   each group         block bitmap, inode bitmap, inode table, wherever its descriptor says
 */
import { crc32c } from '#engine/formats/struct'
import { readExtBadBlocks } from './ext-bad-blocks.ts'
import { consistent, NotCertain, onlyKnown, type BlockVolume, type UsedBlocksReader } from './used-blocks.ts'
import { addBitmap, UsedRanges } from './used-ranges.ts'

/** Of compatible features, all that exist: has_journal, resize_inode, dir_index, sparse_super2, fast_commit, orphan_file, … */
const knownCompatible = 0x1e3f
const sparseSuper2 = 0x200
/** Of incompatible ones: filetype, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, largedir, inline_data, encrypt, casefold. */
const knownIncompatible =
  0x2 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x30000
const needsRecovery = 0x4
const metaBlockGroups = 0x10
const has64Bit = 0x80
const checksumSeed = 0x2000
/** Of those that forbid writing: sparse_super, large_file, huge_file, gdt_csum, dir_nlink, extra_isize, quota, bigalloc, metadata_csum, read-only, project, verity, orphan_present. */
const knownReadOnly =
  0x3 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x8000 | 0x10000
const sparseSuper = 0x1
const descriptorChecksum = 0x10
const bigAllocation = 0x200
const metadataChecksum = 0x400
const orphanPresent = 0x10000
/** State: 1 cleanly unmounted, 2 errors were seen, 4 orphans are being recovered. */
const cleanState = 1

const blockUninitialised = 2
/** That of 128 TiB. More would take too much memory here. */
const maxGroups = 2 ** 20

interface Layout {
  readonly blockBytes: number
  readonly firstBlock: number
  readonly blocks: number
  readonly blocksPerGroup: number
  readonly groups: number
  /** Blocks that a bit stands for. */
  readonly clusterBlocks: number
  readonly descriptorBytes: number
  readonly inodeBytes: number
  readonly inodeTableBlocks: number
  readonly reservedDescriptorBlocks: number
  /** First group of descriptor blocks that aren't behind the superblock; Infinity without meta_bg. */
  readonly firstMetaBlock: number
  readonly hasSuperblock: (group: number) => boolean
  readonly checksums: 'none' | 'crc16' | 'crc32c'
  readonly uuid: Uint8Array
  readonly seed: number
}

interface Group {
  readonly blockBitmap: number
  readonly inodeBitmap: number
  readonly inodeTable: number
  readonly freeClusters: number
  readonly isUninitialised: boolean
  readonly bitmapChecksum: number
}

export const readExtUsedBlocks: UsedBlocksReader = async (volume) => {
  const layout = readLayout(await volume.read(1024, 1024), volume.sizeBytes)
  const { blockBytes, blocks, firstBlock, blocksPerGroup, clusterBlocks } = layout
  const groups = await readGroups(volume, layout)
  const strays = metadataInUninitialised(groups, layout)
  const ranges = new UsedRanges()
  ranges.add(0, Math.max(firstBlock * blockBytes, 2048))
  for (const [index, group] of groups.entries()) {
    const start = firstBlock + index * blocksPerGroup
    const end = Math.min(start + blocksPerGroup, blocks)
    if (group.isUninitialised) {
      const own = [[start, start + baseBlocks(index, layout)] as const, ...(strays.get(index) ?? [])]
      for (const [from, to] of own.toSorted(([a], [b]) => a - b))
        ranges.add(from * blockBytes, Math.min(to, end) * blockBytes)
      continue
    }
    const bits = await volume.read(group.blockBitmap * blockBytes, blockBytes)
    checkBitmap(bits, group, layout)
    const count = Math.ceil((end - start) / clusterBlocks)
    const bitmap = { bits, count, first: 'lowest' as const }
    const unit = { unitBytes: clusterBlocks * blockBytes, offset: start * blockBytes }
    const free = addBitmap(ranges, { ...bitmap, ...unit })
    consistent(free === group.freeClusters, `group ${index} has another number of free blocks than it says`)
  }
  ranges.add(blocks * blockBytes, volume.sizeBytes)
  // Of clusters, one may have bad blocks and good ones; nobody looks for bad ones there.
  const [first] = groups
  if (first === undefined || clusterBlocks > 1) return { ranges }
  const place = {
    ...layout,
    tableAt: first.inodeTable * blockBytes,
    seed: layout.checksums === 'crc32c' ? layout.seed : null,
    ownBlocks: () => ownBlocks(groups, layout),
  }
  return { ranges, bad: await readExtBadBlocks(volume, place, ranges) }
}

function readLayout(block: Buffer, volumeBytes: number): Layout {
  const compatible = block.readUInt32LE(92)
  const incompatible = block.readUInt32LE(96)
  const readOnly = block.readUInt32LE(100)
  const state = block.readUInt16LE(58)
  if (state !== cleanState || (incompatible & needsRecovery) !== 0 || (readOnly & orphanPresent) !== 0)
    throw new NotCertain('unclean', `state ${state}, features 0x${incompatible.toString(16)}`)
  onlyKnown(compatible, knownCompatible, 'compatible features')
  onlyKnown(incompatible, knownIncompatible, 'incompatible features')
  onlyKnown(readOnly, knownReadOnly, 'read-only features')

  const uuid = block.subarray(104, 120)
  const checksums =
    (readOnly & metadataChecksum) !== 0 ? 'crc32c' : (readOnly & descriptorChecksum) !== 0 ? 'crc16' : 'none'
  if (checksums === 'crc32c')
    consistent(crc32c(~0, block.subarray(0, 1020)) === block.readUInt32LE(1020), 'superblock checksum')

  const blockShift = block.readUInt32LE(24)
  const clusterShift = (readOnly & bigAllocation) === 0 ? blockShift : block.readUInt32LE(28)
  consistent(blockShift <= 6 && clusterShift >= blockShift && clusterShift <= 19, 'block size')
  const blockBytes = 1024 * 2 ** blockShift
  const clusterBlocks = 2 ** (clusterShift - blockShift)
  const firstBlock = block.readUInt32LE(20)
  const blocksPerGroup = block.readUInt32LE(32)
  const is64Bit = (incompatible & has64Bit) !== 0
  const blocks = block.readUInt32LE(4) + (is64Bit ? block.readUInt32LE(336) * 2 ** 32 : 0)
  consistent(firstBlock <= 1 && (clusterBlocks === 1 || firstBlock === 0), 'first block')
  consistent(blocks > firstBlock && blocks * blockBytes <= volumeBytes, 'number of blocks')
  consistent(
    blocksPerGroup >= 8 &&
      blocksPerGroup % clusterBlocks === 0 &&
      (blocksPerGroup / clusterBlocks) % 8 === 0 &&
      blocksPerGroup / clusterBlocks <= blockBytes * 8,
    'blocks per group',
  )
  const groups = Math.ceil((blocks - firstBlock) / blocksPerGroup)
  if (groups > maxGroups) throw new NotCertain('features', `${groups} block groups`)
  const descriptorBytes = is64Bit ? block.readUInt16LE(254) : 32
  consistent(
    descriptorBytes >= (is64Bit ? 64 : 32) && descriptorBytes <= 1024 && blockBytes % descriptorBytes === 0,
    'descriptor size',
  )
  const inodeBytes = block.readUInt32LE(76) === 0 ? 128 : block.readUInt16LE(88)
  const inodeTableBlocks = Math.ceil((block.readUInt32LE(40) * inodeBytes) / blockBytes)
  // Each group has one of its own; and to go through all that they cover must take no longer than to go through the groups.
  consistent(groups * inodeTableBlocks <= blocks, 'inode tables')
  const backups = [block.readUInt32LE(588), block.readUInt32LE(592)]
  return {
    blockBytes,
    firstBlock,
    blocks,
    blocksPerGroup,
    groups,
    clusterBlocks,
    descriptorBytes,
    inodeBytes,
    inodeTableBlocks,
    reservedDescriptorBlocks: block.readUInt16LE(206),
    firstMetaBlock: (incompatible & metaBlockGroups) === 0 ? Infinity : block.readUInt32LE(260),
    hasSuperblock: (group) => {
      if ((compatible & sparseSuper2) !== 0) return group === 0 || backups.includes(group)
      return (readOnly & sparseSuper) === 0 || group <= 1 || isPowerOf357(group)
    },
    checksums,
    uuid,
    seed: (incompatible & checksumSeed) === 0 ? crc32c(~0, uuid) : block.readUInt32LE(624),
  }
}

function isPowerOf357(group: number): boolean {
  return [3, 5, 7].some((base) => {
    let power = base
    while (power < group) power *= base
    return power === group
  })
}

async function readGroups(volume: BlockVolume, layout: Layout): Promise<Group[]> {
  const { blockBytes, descriptorBytes, groups } = layout
  const perBlock = blockBytes / descriptorBytes
  const found: Group[] = []
  for (let index = 0; index * perBlock < groups; index++) {
    const first = index * perBlock
    const block = await volume.read(descriptorBlock(index, layout) * blockBytes, blockBytes)
    for (let each = 0; each < perBlock && first + each < groups; each++) {
      const bytes = block.subarray(each * descriptorBytes, (each + 1) * descriptorBytes)
      checkDescriptor(bytes, first + each, layout)
      found.push(parseGroup(bytes, layout))
    }
  }
  return found
}

/** The superblock, at 1 KiB, is in block 1 of that size even where counting begins with 0, as with bigalloc. */
const superblockOf = ({ blockBytes }: Layout) => (blockBytes === 1024 ? 1 : 0)

/** Where the descriptors of that many groups are that a block has room for. */
function descriptorBlock(index: number, layout: Layout): number {
  const { blockBytes, descriptorBytes, firstBlock, blocksPerGroup, firstMetaBlock } = layout
  const superblock = superblockOf(layout)
  if (index < firstMetaBlock) return superblock + 1 + index
  const first = (index * blockBytes) / descriptorBytes
  const before = (layout.hasSuperblock(first) ? 1 : 0) + (first === 0 ? superblock - firstBlock : 0)
  return firstBlock + first * blocksPerGroup + before
}

/** Copies aside, and what is reserved for more descriptors: bad blocks stay there. */
function* ownBlocks(
  groups: readonly Group[],
  layout: Layout,
): Generator<readonly [from: number, to: number]> {
  const { blockBytes, descriptorBytes, inodeTableBlocks } = layout
  yield [0, superblockOf(layout) + 1]
  for (let index = 0; (index * blockBytes) / descriptorBytes < groups.length; index++) {
    const at = descriptorBlock(index, layout)
    yield [at, at + 1]
  }
  for (const { blockBitmap, inodeBitmap, inodeTable } of groups) {
    yield [blockBitmap, blockBitmap + 1]
    yield [inodeBitmap, inodeBitmap + 1]
    yield [inodeTable, inodeTable + inodeTableBlocks]
  }
}

function parseGroup(bytes: Buffer, { descriptorBytes, blocks, inodeTableBlocks, checksums }: Layout): Group {
  const is64 = descriptorBytes >= 64
  const wide = (low: number, high: number) =>
    bytes.readUInt32LE(low) + (is64 ? bytes.readUInt32LE(high) * 2 ** 32 : 0)
  const group = {
    blockBitmap: wide(0, 32),
    inodeBitmap: wide(4, 36),
    inodeTable: wide(8, 40),
    freeClusters: bytes.readUInt16LE(12) + (is64 ? bytes.readUInt16LE(44) * 65_536 : 0),
    // Without checksums the flag means nothing: the kernel reads the bitmap then, too.
    isUninitialised: checksums !== 'none' && (bytes.readUInt16LE(18) & blockUninitialised) !== 0,
    bitmapChecksum: bytes.readUInt16LE(24) + (is64 ? bytes.readUInt16LE(56) * 65_536 : 0),
  }
  consistent(
    Math.max(group.blockBitmap, group.inodeBitmap, group.inodeTable + inodeTableBlocks - 1) < blocks,
    'a group descriptor leads outside',
  )
  return group
}

function checkDescriptor(bytes: Buffer, group: number, { checksums, seed, uuid }: Layout): void {
  if (checksums === 'none') return
  const number = Buffer.alloc(4)
  number.writeUInt32LE(group)
  const before = bytes.subarray(0, 30)
  const behind = bytes.subarray(32)
  const computed =
    checksums === 'crc32c'
      ? crc32c(crc32c(crc32c(crc32c(seed, number), before), Buffer.alloc(2)), behind) & 0xffff
      : [uuid, number, before, behind].reduce(crc16, 0xffff)
  consistent(computed === bytes.readUInt16LE(30), `checksum of group descriptor ${group}`)
}

function checkBitmap(bits: Buffer, { bitmapChecksum }: Group, layout: Layout): void {
  const { checksums, seed, blocksPerGroup, clusterBlocks, descriptorBytes } = layout
  if (checksums !== 'crc32c') return
  const computed = crc32c(seed, bits.subarray(0, blocksPerGroup / clusterBlocks / 8))
  consistent(
    (descriptorBytes >= 64 ? computed : computed & 0xffff) === bitmapChecksum,
    'checksum of a block bitmap',
  )
}

/** CRC-16 with the reflected polynomial 0x8005, as gdt_csum uses it. */
function crc16(register: number, bytes: Uint8Array): number {
  let crc = register
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xa001
  }
  return crc
}

/** Blocks at the start of a group whose bitmap was never written: superblock and descriptors, where it has copies. */
function baseBlocks(group: number, layout: Layout): number {
  const { groups, descriptorBytes, blockBytes, firstMetaBlock, reservedDescriptorBlocks } = layout
  const perBlock = blockBytes / descriptorBytes
  const descriptorBlocks = Math.min(Math.ceil(groups / perBlock), firstMetaBlock)
  // The first group's superblock may come second.
  const before = group === 0 && blockBytes === 1024 ? 1 : 0
  const copies = layout.hasSuperblock(group) ? before + 1 + descriptorBlocks + reservedDescriptorBlocks : 0
  // A meta group's descriptors are in its first, second and last group, behind the superblock if there is one.
  return firstMetaBlock === Infinity ? copies : Math.max(copies, 2)
}

/** Bitmaps and inode tables that lie in groups whose bitmap was never written, by that group. */
function metadataInUninitialised(
  groups: readonly Group[],
  { firstBlock, blocksPerGroup, inodeTableBlocks }: Layout,
): ReadonlyMap<number, (readonly [from: number, to: number])[]> {
  const found = new Map<number, (readonly [number, number])[]>()
  const add = (from: number, to: number) => {
    for (let at = from; at < to;) {
      const group = Math.floor((at - firstBlock) / blocksPerGroup)
      const end = Math.min(to, firstBlock + (group + 1) * blocksPerGroup)
      if (groups[group]?.isUninitialised === true) {
        const list = found.get(group) ?? []
        list.push([at, end])
        found.set(group, list)
      }
      at = end
    }
  }
  for (const { blockBitmap, inodeBitmap, inodeTable } of groups) {
    add(blockBitmap, blockBitmap + 1)
    add(inodeBitmap, inodeBitmap + 1)
    add(inodeTable, inodeTable + inodeTableBlocks)
  }
  return found
}
