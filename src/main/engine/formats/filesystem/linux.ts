/** ext2/3/4, XFS, Btrfs, swap and SquashFS: superblocks as the kernel's headers have them. */
import { cleanLabel, safeBytes, type Sniffer } from './volume.ts'

const extAt = 1024
const hasJournal = 0x4
const journalDevice = 0x8
/** What ext3 doesn't have: extents, 64bit, flex_bg and the like; huge_file, gdt_csum, dir_nlink, extra_isize, metadata_csum. */
const ext4Incompatible = 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000
const ext4ReadOnly = 0x8 | 0x10 | 0x20 | 0x40 | 0x400

export const sniffExt: Sniffer = ({ head }) => {
  const block = head.subarray(extAt, extAt + 1024)
  const blockShift = block.readUInt32LE(24)
  if (block.readUInt16LE(56) !== 0xef53 || blockShift > 6) return null
  const compatible = block.readUInt32LE(92)
  const incompatible = block.readUInt32LE(96)
  const readOnly = block.readUInt32LE(100)
  if ((incompatible & journalDevice) !== 0) return null
  const isExt4 = (incompatible & ext4Incompatible) !== 0 || (readOnly & ext4ReadOnly) !== 0
  const high = (incompatible & 0x80) === 0 ? 0 : block.readUInt32LE(336)
  return {
    filesystem: isExt4 ? 'ext4' : (compatible & hasJournal) !== 0 ? 'ext3' : 'ext2',
    version: null,
    label: cleanLabel(block.toString('utf8', 120, 136)),
    sizeBytes: safeBytes((BigInt(high) << 32n) | BigInt(block.readUInt32LE(4)), 1024 * 2 ** blockShift),
  }
}

export const sniffXfs: Sniffer = ({ head }) => {
  const blockBytes = head.readUInt32BE(4)
  if (head.toString('latin1', 0, 4) !== 'XFSB' || blockBytes < 512 || blockBytes > 65_536) return null
  return {
    filesystem: 'xfs',
    version: null,
    label: cleanLabel(head.toString('utf8', 108, 120)),
    sizeBytes: safeBytes(head.readBigUInt64BE(8), blockBytes),
  }
}

const btrfsAt = 65_536

export const sniffBtrfs: Sniffer = ({ head }) => {
  if (head.toString('latin1', btrfsAt + 64, btrfsAt + 72) !== '_BHRfS_M') return null
  return {
    filesystem: 'btrfs',
    version: null,
    label: cleanLabel(head.toString('utf8', btrfsAt + 299, btrfsAt + 299 + 256)),
    // Of all its devices together: it says nothing of this one.
    sizeBytes: null,
  }
}

export const sniffSwap: Sniffer = ({ head }) => {
  // The mark is the last ten bytes of the first page, and pages differ between machines.
  const found = [4096, 8192, 16_384, 65_536].some((pageBytes) =>
    ['SWAPSPACE2', 'SWAP-SPACE'].includes(head.toString('latin1', pageBytes - 10, pageBytes)),
  )
  if (!found) return null
  return {
    filesystem: 'swap',
    version: null,
    label: cleanLabel(head.toString('utf8', 1052, 1068)),
    sizeBytes: null,
  }
}

export const sniffSquashfs: Sniffer = ({ head }) => {
  if (head.toString('latin1', 0, 4) !== 'hsqs' || head.readUInt16LE(28) !== 4) return null
  return {
    filesystem: 'squashfs',
    version: null,
    label: null,
    sizeBytes: safeBytes(head.readBigUInt64LE(40), 1),
  }
}
