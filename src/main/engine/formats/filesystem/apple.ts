/** HFS, HFS+, HFSX (Apple Technical Note TN1150) and APFS (Apple File System Reference, container superblock). */
import { cleanLabel, safeBytes, type Sniffer, type Volume } from './volume.ts'

const headerAt = 1024
const journaled = 0x2000

export const sniffHfs: Sniffer = async (volume) => {
  const header = volume.head.subarray(headerAt, headerAt + 512)
  const signature = header.toString('latin1', 0, 2)
  if (signature === 'BD') {
    // A classic HFS volume may only be the wrapper around an HFS+ one: drEmbedSigWord.
    const wraps = header.toString('latin1', 124, 126) === 'H+'
    const label = cleanLabel(header.toString('latin1', 37, 37 + Math.min(27, header.readUInt8(36))))
    return {
      filesystem: wraps ? 'hfsplus' : 'hfs',
      version: wraps ? 'wrapped' : null,
      label,
      sizeBytes: null,
    }
  }
  const version = header.readUInt16BE(2)
  if (!(signature === 'H+' && version === 4) && !(signature === 'HX' && version === 5)) return null
  const blockBytes = header.readUInt32BE(40)
  if (blockBytes < 512 || (blockBytes & (blockBytes - 1)) !== 0) return null
  return {
    filesystem: signature === 'H+' ? 'hfsplus' : 'hfsx',
    version: (header.readUInt32BE(4) & journaled) === 0 ? null : 'journaled',
    label: await hfsPlusLabel(volume, header, blockBytes),
    sizeBytes: header.readUInt32BE(44) * blockBytes,
  }
}

/** The volume's name is the key of the catalog's first record: the root folder, child of folder 1. */
async function hfsPlusLabel(volume: Volume, header: Buffer, blockBytes: number): Promise<string | null> {
  const catalogAt = header.readUInt32BE(272 + 16) * blockBytes
  const firstExtentBytes = header.readUInt32BE(272 + 20) * blockBytes
  const treeHeader = await volume.more(catalogAt, 40)
  if (treeHeader === null || treeHeader.readInt8(8) !== 1) return null
  const firstLeaf = treeHeader.readUInt32BE(24) * treeHeader.readUInt16BE(32)
  if (firstLeaf >= firstExtentBytes) return null
  const leaf = await volume.more(catalogAt + firstLeaf, 14 + 2 + 6 + 510)
  if (leaf === null || leaf.readInt8(8) !== -1 || leaf.readUInt32BE(16) !== 1) return null
  const length = Math.min(255, leaf.readUInt16BE(20))
  const name = leaf.subarray(22, 22 + length * 2)
  // swap16 works in place, on a buffer that is ours alone.
  return cleanLabel(name.swap16().toString('utf16le'))
}

/** The container; the names of the volumes inside lie too deep to be read for a label. */
export const sniffApfs: Sniffer = ({ head }) => {
  const blockBytes = head.readUInt32LE(36)
  if (head.toString('latin1', 32, 36) !== 'NXSB' || (head.readUInt32LE(24) & 0xffff) !== 1) return null
  if (blockBytes < 4096 || blockBytes > 65_536 || (blockBytes & (blockBytes - 1)) !== 0) return null
  return {
    filesystem: 'apfs',
    version: null,
    label: null,
    sizeBytes: safeBytes(head.readBigUInt64LE(40), blockBytes),
  }
}
