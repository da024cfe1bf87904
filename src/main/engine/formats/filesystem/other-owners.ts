/**
 * Signs that a volume belongs to something else than the file system that seems to be on it: RAID, encryption, volume
 * managers and file systems that aren't understood put their marks beside an old superblock and leave that where it was.
 * Offsets as in util-linux's libblkid.
 */
import { readableOrNull } from '#engine/formats/struct'
import { findBiosRaid } from './bios-raid.ts'
import { findLinuxRaid, type Span } from './linux-raid.ts'
import { readHead } from './read-head.ts'
import type { BlockVolume } from './used-blocks.ts'

interface Mark {
  readonly name: string
  /** Bytes from the start; negative: from the end, rounded down to whole units of `endUnit`. */
  readonly offset: number
  readonly endUnit?: number
  readonly bytes: Buffer
}

const text = (name: string, offset: number, ascii: string): Mark => ({
  name,
  offset,
  bytes: Buffer.from(ascii, 'latin1'),
})
const hex = (name: string, offset: number, digits: string): Mark => ({
  name,
  offset,
  bytes: Buffer.from(digits, 'hex'),
})

const kib = 1024
const bitlocker = '-FVE-FS-'

/** Raids, encryption, volume managers. */
const holders: readonly Mark[] = [
  text('luks', 0, 'LUKS\xba\xbe'),
  // The second header of LUKS2, when the first is damaged: behind the first, whatever size that was given.
  ...[16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map((at) => text('luks', at * kib, 'SKUL\xba\xbe')),
  ...[0, 512, 1024, 1536].map((offset) => text('lvm', offset, 'LABELONE')),
  hex('bcache', 4096 + 24, 'c68573f64e1a45ca8265f57f48ba6d81'),
  hex('bcachefs', 4096 + 24, 'c68573f666ce90a9d96a60cf803df7ef'),
  text('bitlocker', 3, bitlocker),
  // Counted in sectors of the disk.
  ...[512, 4096].flatMap((endUnit) => [
    ...[1, 2].map((count) => ({
      ...text('intel raid', -count * endUnit, 'Intel Raid ISM Cfg Sig. '),
      endUnit,
    })),
    // In either byte order, in the last sector or 256 before it.
    ...[1, 257].flatMap((count) =>
      ['de11de11', '11de11de'].map((digits) => ({ ...hex('ddf raid', -count * endUnit, digits), endUnit })),
    ),
  ]),
  ...['f016785a', 'fd16785a'].map((digits) => hex('highpoint raid', 9 * 512 + 32, digits)),
  ...[512, 9 * 512].map((offset) => text('stratis', offset + 4, '!Stra0tis\x86\xff\x02^Arh')),
  text('vdo', 0, 'dmvdo001'),
  text('dm-integrity', 0, 'integrt\0'),
  text('dm-verity', 0, 'verity\0\0'),
  text('ceph', 0, 'bluestore block device'),
  text('oracle asm', 32, 'ORCLDISK'),
]

/** Where an old UFS, a new one, and one with room for a large boot loader have theirs; in either byte order. */
const ufsMarks = [8, 64, 256].flatMap((at) =>
  [0x0001_1954, 0x1954_0119, 0x0019_5612, 0x0009_5014, 0x0061_2195, 0x0523_1994].flatMap((magic) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(magic)
    return [bytes, Buffer.from(bytes).swap32()].map((each) => ({
      name: 'ufs',
      offset: at * kib + 1372,
      bytes: each,
    }))
  }),
)

/** File systems that no reader knows, and that leave the beginning of the volume or some of its first blocks alone. */
const filesystems: readonly Mark[] = [
  ...ufsMarks,
  ...[1, 5].map((at) => hex('f2fs', at * kib, '1020f5f2')),
  text('refs', 0, '\0\0\0ReFS\0'),
  text('reiserfs', 8 * kib + 20, 'ReIsErFs'),
  ...[8, 64].map((at) => text('reiserfs', at * kib + 52, 'ReIsEr')),
  text('reiserfs', 64 * kib, 'ReIsEr4'),
  text('jfs', 32 * kib, 'JFS1'),
  // With the type of a superblock's block.
  hex('gfs', 64 * kib, '0116197000000001'),
  ...[1, 2, 4, 8].map((at) => text('ocfs', at * kib, 'OCFSV2')),
  text('ocfs', 8 * kib, 'OracleCFS'),
  // With the revision in front: its own mark has no more than two bytes.
  hex('nilfs2', 1 * kib, '0200000000003434'),
  // BeOS' and Haiku's, in either byte order, with a word behind that says which.
  ...[32, 512 + 32].flatMap((at) => [text('bfs', at, '1SFBEGIB'), text('bfs', at, 'BFS1BIGE')]),
  hex('vxfs', 1 * kib, 'f5fc01a5'),
  hex('vxfs', 8 * kib, 'a501fcf5'),
  hex('vmfs', 1024 * kib, '0dd001c0'),
  hex('vmfs', 2048 * kib, '5ef1ab2f'),
]

const marks = [...holders, ...filesystems]

/** One of the descriptors from 32 KiB on, 2 KiB apart, says that there is an UDF. */
const udfMarks = ['NSR02', 'NSR03'].map((ascii) => Buffer.from(ascii, 'latin1'))

/** Uberblocks, in either byte order: 1 KiB each, from 128 KiB into a label of 256 KiB. */
const zfsMarks = ['0cb1ba0000000000', '0000000000bab10c'].map((digits) => Buffer.from(digits, 'hex'))

const toGoMark = Buffer.from('\xeb\x58\x90MSWIN4.1', 'latin1')

/** Nearly all marks are in it; one read is quicker than a hundred. */
const headBytes = 256 * kib

/**
 * Its name, or null. `partitions`: what a map says the volume is divided into; whose own marks aren't the volume's. A mark
 * that can't be read (`UnreadableError`) is none: where something is kept there, reading that fails anyway.
 */
export async function findOtherOwner(
  volume: BlockVolume,
  partitions: readonly Span[] = [],
): Promise<string | null> {
  const { sizeBytes } = volume
  const head = await readHead(
    (at, lengthBytes) => volume.read(at, lengthBytes),
    Math.min(headBytes, sizeBytes),
  )
  for (const { name, offset, endUnit = 1, bytes } of marks) {
    const at = offset >= 0 ? offset : Math.floor(sizeBytes / endUnit) * endUnit + offset
    const end = at + bytes.length
    if (at < 0 || end > sizeBytes) continue
    const isInHead = end <= head.length
    const found = isInHead ? head.subarray(at, end) : await readableOrNull(volume.read(at, bytes.length))
    if (found?.equals(bytes) === true) return name
  }
  if (hasUdf(head)) return 'udf'
  if (hasUberblock(head)) return 'zfs'
  if (await isBitlockerToGo(volume, head)) return 'bitlocker'
  return (await findBiosRaid(volume)) ?? (await findLinuxRaid(volume, partitions))
}

function hasUdf(head: Buffer): boolean {
  for (let at = 32 * kib; at < 64 * kib; at += 2 * kib)
    if (udfMarks.some((mark) => mark.equals(head.subarray(at + 1, at + 6)))) return true
  return false
}

function hasUberblock(head: Buffer): boolean {
  // A file's contents may look like one of them, hardly like several.
  let count = 0
  for (let at = 128 * kib; at < headBytes; at += kib)
    if (zfsMarks.some((mark) => mark.equals(head.subarray(at, at + 8)))) count += 1
  return count >= 4
}

/** Seen as a FAT by those who don't know it, with a program in it for opening the rest; it says where its own records lie. */
async function isBitlockerToGo(volume: BlockVolume, head: Buffer): Promise<boolean> {
  if (head.length < 512 || !head.subarray(0, toGoMark.length).equals(toGoMark)) return false
  const at = head.readBigUInt64LE(440)
  if (at === 0n || at > BigInt(volume.sizeBytes - bitlocker.length)) return false
  const found = await readableOrNull(volume.read(Number(at), bitlocker.length))
  return found?.toString('latin1') === bitlocker
}
