/**
 * Signs that a volume belongs to something else than the file system that seems to be on it: RAID, encryption and volume
 * managers put their marks beside an old superblock and leave that where it was. Offsets as in util-linux's libblkid.
 */
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

const marks: readonly Mark[] = [
  text('luks', 0, 'LUKS\xba\xbe'),
  // The second header of LUKS2, when the first is damaged.
  text('luks', 16_384, 'SKUL\xba\xbe'),
  ...[0, 512, 1024, 1536].map((offset) => text('lvm', offset, 'LABELONE')),
  hex('linux raid 1.1', 0, 'fc4e2ba901000000'),
  hex('linux raid 1.2', 4096, 'fc4e2ba901000000'),
  { ...hex('linux raid 1.0', -8192, 'fc4e2ba901000000'), endUnit: 4096 },
  { ...hex('linux raid 0.90', -65_536, 'fc4e2ba9'), endUnit: 65_536 },
  hex('bcache', 4096 + 24, 'c68573f64e1a45ca8265f57f48ba6d81'),
  hex('bcachefs', 4096 + 24, 'c68573f666ce90a9d96a60cf803df7ef'),
  text('bitlocker', 3, '-FVE-FS-'),
  ...[-512, -1024].map((offset) => ({
    ...text('intel raid', offset, 'Intel Raid ISM Cfg Sig. '),
    endUnit: 512,
  })),
  { ...hex('ddf raid', -512, 'de11de11'), endUnit: 512 },
]

/** Uberblocks, in either byte order: 1 KiB each, from 128 KiB into a label of 256 KiB. */
const zfsMarks = ['0cb1ba0000000000', '0000000000bab10c'].map((digits) => Buffer.from(digits, 'hex'))

/** Its name, or null. */
export async function findOtherOwner(volume: BlockVolume): Promise<string | null> {
  for (const { name, offset, endUnit = 1, bytes } of marks) {
    const at = offset >= 0 ? offset : Math.floor(volume.sizeBytes / endUnit) * endUnit + offset
    if (at < 0 || at + bytes.length > volume.sizeBytes) continue
    if ((await volume.read(at, bytes.length)).equals(bytes)) return name
  }
  return (await hasUberblock(volume)) ? 'zfs' : null
}

async function hasUberblock(volume: BlockVolume): Promise<boolean> {
  const from = 128 * 1024
  if (volume.sizeBytes < 2 * from) return false
  const blocks = await volume.read(from, from)
  // A file's contents may look like one of them, hardly like several.
  let count = 0
  for (let at = 0; at < from; at += 1024)
    if (zfsMarks.some((mark) => mark.equals(blocks.subarray(at, at + 8)))) count += 1
  return count >= 4
}
