/** What a scan says of an HFS+ volume: from its header (Apple Technical Note TN1150, "Volume Header"). */
import { readOrNull, type ReadDisk } from '#engine/formats/struct'

export interface HfsPlusFacts {
  /** 0x482b (H+) or 0x4858 (HX). */
  readonly signature: number
  /** Seconds since 1904. */
  readonly modified: number
  readonly usedBytes: number
  /** The catalog lies in more extents than the eight that the header has room for. */
  readonly isCatalogFragmented: boolean
}

const headerAt = 1024
const signatures = { plus: 0x482b, x: 0x4858, hfs: 0x4244 }
const catalogAt = 272

/** Null where there is no HFS+ volume, also not within an HFS one. Rejects with what the medium throws. */
export async function readHfsPlusFacts(
  readDisk: ReadDisk,
  volume: { readonly offset: number; readonly sizeBytes: number },
): Promise<HfsPlusFacts | null> {
  const header = await readHeader(readDisk, volume, 0)
  if (header === null) return null
  if (header.readUInt16BE(0) !== signatures.hfs) return factsOf(header)
  // A wrapper: drAlBlkSt is where its blocks begin in sectors, drAlBlkSiz their size, drEmbedExtent the volume inside.
  if (header.readUInt16BE(124) !== signatures.plus) return null
  const inside = header.readUInt16BE(28) * 512 + header.readUInt16BE(126) * header.readUInt32BE(20)
  const wrapped = await readHeader(readDisk, volume, inside)
  return wrapped === null ? null : factsOf(wrapped)
}

async function readHeader(
  readDisk: ReadDisk,
  { offset, sizeBytes }: { readonly offset: number; readonly sizeBytes: number },
  at: number,
): Promise<Buffer | null> {
  if (at + headerAt + 512 > sizeBytes) return null
  const bytes = await readOrNull(readDisk(offset + at + headerAt, 512))
  return bytes === null ? null : Buffer.from(bytes)
}

function factsOf(header: Buffer): HfsPlusFacts | null {
  const signature = header.readUInt16BE(0)
  if (signature !== signatures.plus && signature !== signatures.x) return null
  const blockBytes = header.readUInt32BE(40)
  const used = header.readUInt32BE(44) - header.readUInt32BE(48)
  let inline = 0
  for (let extent = 0; extent < 8; extent++) inline += header.readUInt32BE(catalogAt + 16 + extent * 8 + 4)
  return {
    signature,
    modified: header.readUInt32BE(20),
    usedBytes: Math.max(0, used) * blockBytes,
    isCatalogFragmented: inline < header.readUInt32BE(catalogAt + 12),
  }
}
