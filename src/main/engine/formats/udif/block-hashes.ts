/**
 * The resource `rpbh`, our own: a SHA-256 for every block of the disk inside, and one over them all. Byte table and reasons:
 * docs/formats/asr-scan.md. With it a part of an image can be checked alone, whichever way it came, and a disk that
 * already holds most of an image be brought up to date.
 */
import { hash } from 'node:crypto'
import { corrupt, defineStruct } from '#engine/formats/struct'
import type { ScannedBlocks } from '#shared/model'

export const digestBytes = 32
/** What the scan uses, for disks up to 4 TiB. */
const usualBlockBytes = 1024 * 1024
/** With 128 MiB of hashes a reader's memory is bounded. */
const mostBlocks = 2 ** 22
const blockRange = { least: 4096, most: 1024 * 1024 * 1024 }

const headerStruct = defineStruct({
  format: 'udif',
  name: 'rpbh',
  endian: 'big',
  fields: [
    ['signature', 4, 'ascii'], // 'rpbh'
    ['version', 4, 'uint'], // 1
    ['headerSize', 4, 'uint'], // 128
    ['hashType', 4, 'uint'], // 1: SHA-256
    ['diskBytes', 8, 'uint'],
    ['blockBytes', 8, 'uint'], // a power of two
    ['blockCount', 8, 'uint'],
    ['scannedMs', 8, 'uint'], // milliseconds since 1970
    ['root', 32, 'bytes'],
    ['scannedBy', 48, 'ascii'], // the program, in ASCII
  ],
})

export const blockHashesHeaderBytes = headerStruct.sizeBytes

/** What the resource says before its hashes. */
export interface BlockHashesHeader extends ScannedBlocks {
  readonly diskBytes: number
  readonly scannedMs: number
  readonly scannedBy: string
}

/** Hashes of a disk's blocks: 32 bytes each, one after another. A hash is the SHA-256 of the block's bytes and of nothing else. */
export interface BlockHashes {
  readonly blockBytes: number
  readonly hashes: Uint8Array
}

/** The block size for a disk of `diskBytes`: 1 MiB, more for disks of more than 4 TiB. */
export function blockBytesFor(diskBytes: number): number {
  let blockBytes = usualBlockBytes
  while (Math.ceil(diskBytes / blockBytes) > mostBlocks) blockBytes *= 2
  return blockBytes
}

/** What the tree's digests begin with, so that none can be passed off as another. */
const marks = { leaf: 0, node: 1, root: 2 }

/** The largest resource that can be right: what is longer needn't be held. */
export const mostBlockHashesBytes = blockHashesHeaderBytes + mostBlocks * digestBytes

/**
 * The root of a Merkle tree over the blocks' hashes: leaves are SHA-256(0 ‖ hash), nodes SHA-256(1 ‖ left ‖ right), an odd
 * last one goes up as it is (RFC 6962, §2.1, gives the same tree); at last SHA-256(2 ‖ diskBytes ‖ blockBytes ‖ top), so
 * that hashes of another disk size or block size never add up to the same. Hex.
 */
export function rootOfBlocks(
  { blockBytes, hashes }: BlockHashes,
  { diskBytes }: { readonly diskBytes: number },
): string {
  // In place, level by level: 32 bytes a block, whatever the size of the disk.
  let count = hashes.length / digestBytes
  const level = Buffer.alloc(hashes.length)
  const leaf = Buffer.alloc(1 + digestBytes)
  leaf.writeUInt8(marks.leaf)
  for (let index = 0; index < count; index++) {
    leaf.set(hashes.subarray(index * digestBytes, (index + 1) * digestBytes), 1)
    level.set(hash('sha256', leaf, 'buffer'), index * digestBytes)
  }
  const node = Buffer.alloc(1 + 2 * digestBytes)
  node.writeUInt8(marks.node)
  for (; count > 1; count = Math.ceil(count / 2))
    for (let index = 0; index < count; index += 2) {
      const pair = level.subarray(index * digestBytes, Math.min(index + 2, count) * digestBytes)
      node.set(pair, 1)
      level.set(index + 1 < count ? hash('sha256', node, 'buffer') : pair, (index / 2) * digestBytes)
    }
  const about = Buffer.alloc(17)
  about.writeUInt8(marks.root, 0)
  about.writeBigUInt64BE(BigInt(diskBytes), 1)
  about.writeBigUInt64BE(BigInt(blockBytes), 9)
  return hash('sha256', Buffer.concat([about, level.subarray(0, digestBytes)]))
}

/** The resource's data. `scannedBy` is cut after 47 characters. */
export function encodeBlockHashes(
  blocks: BlockHashes,
  about: { readonly diskBytes: number; readonly scannedMs: number; readonly scannedBy: string },
): Uint8Array[] {
  const { blockBytes, hashes } = blocks
  const header = headerStruct.encode({
    signature: 'rpbh',
    version: 1,
    headerSize: blockHashesHeaderBytes,
    hashType: 1,
    diskBytes: about.diskBytes,
    blockBytes,
    blockCount: hashes.length / digestBytes,
    scannedMs: about.scannedMs,
    root: Buffer.from(rootOfBlocks(blocks, about), 'hex'),
    scannedBy: about.scannedBy.replaceAll(/[^ -~]/g, '?').slice(0, 47),
  })
  return [header, hashes]
}

/**
 * Read the head of the resource, which is `lengthBytes` long in all and belongs to an image of a disk of `diskBytes`. Throws
 * `FormatError` E_SRC_CORRUPT.
 */
export function parseBlockHashesHeader(
  head: Uint8Array,
  { lengthBytes, diskBytes }: { readonly lengthBytes: number; readonly diskBytes: number },
): BlockHashesHeader {
  const header = headerStruct.parse(head, 0)
  const check = (
    field: Exclude<keyof typeof header, 'root'>,
    isRight: boolean,
    expected: string | number,
  ): void => {
    if (!isRight)
      throw corrupt({
        format: 'udif',
        field: `rpbh.${field}`,
        offset: headerStruct.offsetOf(field),
        found: header[field],
        expected,
      })
  }
  check('signature', header.signature === 'rpbh', 'rpbh')
  check('version', header.version === 1, 1)
  check('headerSize', header.headerSize === blockHashesHeaderBytes, blockHashesHeaderBytes)
  check('hashType', header.hashType === 1, 1)
  check('diskBytes', header.diskBytes === diskBytes, diskBytes)
  const { blockBytes } = header
  const isPower = Number.isInteger(Math.log2(blockBytes))
  check(
    'blockBytes',
    isPower && blockBytes >= blockRange.least && blockBytes <= blockRange.most,
    'a power of two',
  )
  const count = Math.ceil(diskBytes / blockBytes)
  check('blockCount', header.blockCount === count, count)
  check('blockCount', count <= mostBlocks, `at most ${mostBlocks}`)
  const hashes = (lengthBytes - blockHashesHeaderBytes) / digestBytes
  check('blockCount', hashes === count, hashes)
  return {
    blockBytes,
    count,
    diskBytes,
    root: Buffer.from(header.root).toString('hex'),
    scannedMs: header.scannedMs,
    scannedBy: header.scannedBy.replaceAll(/\p{Cc}/gu, ''),
  }
}

/** Read the whole resource and compare its root. Throws `FormatError` E_SRC_CORRUPT. */
export function parseBlockHashes(data: Uint8Array, diskBytes: number): BlockHashes & BlockHashesHeader {
  const header = parseBlockHashesHeader(data, { lengthBytes: data.length, diskBytes })
  const blocks = { blockBytes: header.blockBytes, hashes: data.subarray(blockHashesHeaderBytes) }
  const root = rootOfBlocks(blocks, header)
  if (root !== header.root)
    throw corrupt({
      format: 'udif',
      field: 'rpbh.root',
      offset: headerStruct.offsetOf('root'),
      found: root,
      expected: header.root,
    })
  return { ...header, ...blocks }
}
