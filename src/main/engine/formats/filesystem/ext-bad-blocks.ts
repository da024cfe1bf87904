/**
 * Blocks that ext2, ext3 and ext4 call bad (`mke2fs -c`, `e2fsck -c`): those of inode 1, the first of all, by the block map
 * that ext2 had. They are in use, so that nobody else gets them.
 *
 *   40   12 numbers of blocks, and one each of a block of numbers, of a block of those, and of a block of those
 */
import { crc32c } from '#engine/formats/struct'
import { BadStretches } from './bad-stretches.ts'
import { consistent, NotCertain, type BlockVolume } from './used-blocks.ts'
import type { UsedRanges } from './used-ranges.ts'

export interface BadInodePlace {
  /** Of the first inode table, which inode 1 begins. */
  readonly tableAt: number
  readonly inodeBytes: number
  readonly blockBytes: number
  readonly firstBlock: number
  readonly blocks: number
  /** Of its checksum; null where there is none. */
  readonly seed: number | null
  /** Stretches of blocks that hold records of the file system. */
  readonly ownBlocks: () => Iterable<readonly [from: number, to: number]>
}

const pointersAt = 40
const direct = 12
/** A GiB of them, with the smallest blocks. */
const mostBlocks = 2 ** 20

/** None where one of them holds a record of the file system. Throws `NotCertain` when the list contradicts itself or `used`. */
export async function readExtBadBlocks(
  volume: BlockVolume,
  place: BadInodePlace,
  used: UsedRanges,
): Promise<BadStretches> {
  const { blockBytes, firstBlock, blocks } = place
  const inode = await volume.read(place.tableAt, place.inodeBytes)
  const pointers = inode.subarray(pointersAt, pointersAt + 60)
  const bad = new BadStretches()
  if (pointers.every((byte) => byte === 0)) return bad
  consistent(place.seed === null || isSound(inode, place.seed), 'checksum of the bad blocks inode')
  // In sectors. mke2fs doesn't count the blocks that hold the list, e2fsck does.
  const expected = (inode.readUInt32LE(28) * 512) / blockBytes
  if (expected > mostBlocks) throw new NotCertain('features', `${expected} bad blocks`)
  // Its holes aside, which nobody makes.
  const mostHolders = 4 + (2 * expected) / (blockBytes / 4)
  const found: number[] = []
  const holders: number[] = []
  const collect = async (numbers: Buffer, level: number): Promise<void> => {
    for (let at = 0; at < numbers.length; at += 4) {
      const number = numbers.readUInt32LE(at)
      if (number === 0) continue
      consistent(number >= firstBlock && number < blocks, 'a bad block outside')
      if (level === 0) found.push(number)
      else holders.push(number)
      consistent(found.length <= expected && holders.length <= mostHolders, 'number of bad blocks')
      if (level > 0) await collect(await volume.read(number * blockBytes, blockBytes), level - 1)
    }
  }
  await collect(pointers.subarray(0, direct * 4), 0)
  for (const level of [1, 2, 3]) {
    const at = (direct + level - 1) * 4
    await collect(pointers.subarray(at, at + 4), level)
  }
  consistent(expected <= found.length + holders.length, 'number of bad blocks')
  for (const number of found.toSorted((a, b) => a - b)) {
    const [from, to] = [number * blockBytes, (number + 1) * blockBytes]
    consistent(used.covers(from, to), 'a bad block that is free')
    bad.add(from, to)
  }
  // mke2fs puts these elsewhere, e2fsck doesn't always. They are needed, whatever the list says.
  const lists = holders.map((number) => [number, number + 1] as const)
  for (const [from, to] of [...lists, ...place.ownBlocks()])
    if (bad.overlaps(from * blockBytes, to * blockBytes)) return new BadStretches()
  return bad
}

/** CRC-32C of number, generation and inode, whose upper half it has only room for where inodes are larger. */
function isSound(inode: Buffer, seed: number): boolean {
  const bytes = Buffer.from(inode)
  const hasUpper = bytes.length > 128 && bytes.readUInt16LE(128) >= 4
  const stored = bytes.readUInt16LE(124) + (hasUpper ? bytes.readUInt16LE(130) * 65_536 : 0)
  bytes.writeUInt16LE(0, 124)
  if (hasUpper) bytes.writeUInt16LE(0, 130)
  const number = Buffer.from([1, 0, 0, 0])
  const computed = crc32c(crc32c(crc32c(seed, number), bytes.subarray(100, 104)), bytes)
  return (hasUpper ? computed : computed & 0xffff) === stored
}
