/**
 * Used blocks of Btrfs on one device ("On-disk Format", btrfs.readthedocs.io), from its extent tree. A Btrfs is consistent
 * at any time, except for a log of what was synced last, which must not be there.
 *
 *   superblock (64 KiB)   leads by logical addresses to
 *   chunk tree            where logical addresses are on the device: once, or twice with DUP
 *   root tree             which knows
 *   extent tree           everything that is in use, by logical address
 */
import { crc32c } from '#engine/formats/struct'
import {
  consistent,
  NotCertain,
  onlyKnown,
  safe,
  type BlockVolume,
  type UsedBlocksReader,
} from './used-blocks.ts'
import { UsedRanges } from './used-ranges.ts'

const superAt = 65_536
const superBytes = 4096
/** Copies; nothing else is ever put there. */
const mirrorsAt = [64 * 1024 ** 2, 256 * 1024 ** 3]
/** Boot loaders live here. */
const reservedBytes = 1024 ** 2
/** Mixed references, subvolumes, mixed groups, LZO, zstd, big metadata, extended references, skinny metadata, no holes, metadata UUID, simple quota. */
const knownIncompatible = 0x1f | 0x20 | 0x40 | 0x100 | 0x200 | 0x400 | 0x10000
/** Free space tree and whether it is valid, verity, block group tree. */
const knownReadOnly = 0xf
const duplicated = 0x20
/** Data, system, metadata and DUP: everything else is spread in a way that one device can't show. */
const knownChunks = 0x7 | duplicated

const keyBytes = 17
const nodeHeaderBytes = 101
const chunkItem = 228
const rootItem = 132
const extentItem = 168
const metadataItem = 169
const extentTree = 2n
const maxChunks = 200_000
const maxRanges = 400_000

interface Chunk {
  readonly logical: number
  readonly lengthBytes: number
  /** On the device. */
  readonly places: readonly number[]
}

interface Tree {
  readonly volume: BlockVolume
  readonly nodeBytes: number
  readonly chunks: Chunk[]
  /** How many nodes may still be read: there can't be more than fit. */
  nodesLeft: number
}

interface Item {
  readonly objectId: bigint
  readonly type: number
  readonly offset: bigint
  readonly bytes: Buffer
}

export const readBtrfsUsedBlocks: UsedBlocksReader = async (volume) => {
  const block = await volume.read(superAt, superBytes)
  refuseUnknown(block)
  const deviceBytes = safe(block.readBigUInt64LE(209), 'size of the device')
  const nodeBytes = block.readUInt32LE(148)
  consistent(deviceBytes <= volume.sizeBytes, 'size of the device')
  consistent(Number.isInteger(Math.log2(nodeBytes)) && nodeBytes >= 4096 && nodeBytes <= 65_536, 'node size')
  const tree: Tree = { volume, nodeBytes, chunks: [], nodesLeft: Math.ceil(volume.sizeBytes / nodeBytes) }
  const deviceId = block.readBigUInt64LE(201)

  for (const { bytes, offset } of systemChunks(block))
    addChunk(tree.chunks, bytes, offset, deviceId, deviceBytes)
  const chunks: Chunk[] = []
  for await (const item of walk(tree, block.readBigUInt64LE(88), block.readUInt8(199)))
    if (item.type === chunkItem) addChunk(chunks, item.bytes, item.offset, deviceId, deviceBytes)
  tree.chunks.splice(0, Infinity, ...chunks.toSorted((a, b) => a.logical - b.logical))
  tree.chunks.reduce((end, chunk) => {
    consistent(chunk.logical >= end, 'chunks overlap')
    return chunk.logical + chunk.lengthBytes
  }, 0)

  const [root, level] = await findExtentTree(tree, block)
  const used = await readExtents(tree, root, level, safe(block.readBigUInt64LE(120), 'bytes used'))
  const ranges = new UsedRanges()
  const stretches = [[0, reservedBytes], ...mirrorsAt.map((at) => [at, at + superBytes]), ...used]
  for (const [from = 0, to = 0] of stretches.toSorted(([a = 0], [b = 0]) => a - b))
    if (from < deviceBytes) ranges.add(from, Math.min(to, deviceBytes))
  ranges.add(deviceBytes, volume.sizeBytes)
  return { ranges }
}

function refuseUnknown(block: Buffer): void {
  if (block.readUInt16LE(196) !== 0) throw new NotCertain('features', 'another checksum than CRC-32C')
  consistent(isSound(block), 'superblock checksum')
  if (block.readBigUInt64LE(136) !== 1n) throw new NotCertain('features', 'several devices')
  const flags = block.readBigUInt64LE(56)
  if ((flags & ~3n) !== 0n) throw new NotCertain('features', `flags 0x${flags.toString(16)}`)
  for (const [at, known, what] of [
    [172, 0, 'compatible features'],
    [180, knownReadOnly, 'read-only features'],
    [188, knownIncompatible, 'incompatible features'],
  ] as const) {
    onlyKnown(block.readUInt32LE(at), known, what)
    onlyKnown(block.readUInt32LE(at + 4), 0, what)
  }
  if (block.readBigUInt64LE(96) !== 0n) throw new NotCertain('unclean', 'a log of the last writes')
}

/** CRC-32C of all behind the 32 bytes that it is kept in. */
function isSound(block: Buffer): boolean {
  return ~crc32c(0xffff_ffff, block.subarray(32)) >>> 0 === block.readUInt32LE(0)
}

/** The chunks that the chunk tree itself lies in are in the superblock. */
function* systemChunks(block: Buffer): Generator<{ readonly bytes: Buffer; readonly offset: bigint }> {
  const length = block.readUInt32LE(160)
  consistent(length <= 2048, 'system chunks')
  for (let at = 811; at < 811 + length;) {
    consistent(at + keyBytes + 48 <= 811 + length, 'system chunks')
    const chunk = block.subarray(at + keyBytes)
    const bytes = 48 + chunk.readUInt16LE(44) * 32
    consistent(block.readUInt8(at + 8) === chunkItem && bytes <= chunk.length, 'system chunks')
    yield { bytes: chunk.subarray(0, bytes), offset: block.readBigUInt64LE(at + 9) }
    at += keyBytes + bytes
  }
}

function addChunk(
  chunks: Chunk[],
  bytes: Buffer,
  offset: bigint,
  deviceId: bigint,
  deviceBytes: number,
): void {
  consistent(bytes.length >= 48, 'a chunk')
  const type = safe(bytes.readBigUInt64LE(24), 'kind of a chunk')
  if (type > knownChunks) throw new NotCertain('features', `chunks of kind ${type}`)
  onlyKnown(type, knownChunks, 'chunks of kind')
  const stripes = bytes.readUInt16LE(44)
  consistent(stripes === ((type & duplicated) === 0 ? 1 : 2) && bytes.length >= 48 + stripes * 32, 'stripes')
  const logical = safe(offset, 'place of a chunk')
  const lengthBytes = safe(bytes.readBigUInt64LE(0), 'length of a chunk')
  consistent(lengthBytes > 0, 'length of a chunk')
  const places = Array.from({ length: stripes }, (_, stripe) => {
    consistent(bytes.readBigUInt64LE(48 + stripe * 32) === deviceId, 'device of a stripe')
    return safe(bytes.readBigUInt64LE(56 + stripe * 32), 'place of a stripe')
  })
  consistent(
    places.every((place) => place + lengthBytes <= deviceBytes),
    'a chunk leads outside',
  )
  consistent(chunks.length < maxChunks, 'number of chunks')
  chunks.push({ logical, lengthBytes, places })
}

async function findExtentTree(tree: Tree, block: Buffer): Promise<readonly [root: bigint, level: number]> {
  for await (const item of walk(tree, block.readBigUInt64LE(80), block.readUInt8(198)))
    if (item.type === rootItem && item.objectId === extentTree) {
      consistent(item.bytes.length >= 239, 'root of the extent tree')
      return [item.bytes.readBigUInt64LE(176), item.bytes.readUInt8(238)]
    }
  throw new NotCertain('inconsistent', 'no extent tree')
}

/** Stretches of the device that extents lie in, in no order. */
async function readExtents(
  tree: Tree,
  root: bigint,
  level: number,
  expectedBytes: number,
): Promise<(readonly [from: number, to: number])[]> {
  const most = Math.max(16, Math.floor(maxRanges / Math.max(1, tree.chunks.length)))
  const byChunk = tree.chunks.map(() => new UsedRanges({ most }))
  let sum = 0
  let end = 0
  let current = 0
  for await (const { type, objectId, offset } of walk(tree, root, level)) {
    if (type !== extentItem && type !== metadataItem) continue
    const from = safe(objectId, 'place of an extent')
    const lengthBytes = type === metadataItem ? tree.nodeBytes : safe(offset, 'length of an extent')
    consistent(from >= end, 'extents overlap')
    end = from + lengthBytes
    sum += lengthBytes
    let chunk = tree.chunks[current]
    while (chunk !== undefined && chunk.logical + chunk.lengthBytes <= from) chunk = tree.chunks[++current]
    consistent(chunk !== undefined && from >= chunk.logical, 'an extent outside all chunks')
    consistent(end <= chunk.logical + chunk.lengthBytes, 'an extent in two chunks')
    byChunk[current]?.add(from - chunk.logical, end - chunk.logical)
  }
  consistent(sum === expectedBytes, 'bytes used')
  return tree.chunks.flatMap(({ places }, index) =>
    [...(byChunk[index] ?? [])].flatMap(([from, to]) =>
      places.map((place) => [place + from, place + to] as const),
    ),
  )
}

/** All items of a tree in the order of their keys. */
async function* walk(tree: Tree, root: bigint, level: number): AsyncGenerator<Item> {
  consistent(level <= 7, 'level of a tree')
  let last: Item | null = null
  for await (const item of below(tree, root, level)) {
    // A tree that leads to one node again and again has an end only after as many nodes as fit.
    consistent(last === null || isAfter(item, last), 'order of a tree')
    yield item
    last = item
  }
}

const isAfter = (item: Item, last: Item): boolean => {
  if (item.objectId !== last.objectId) return item.objectId > last.objectId
  return item.type === last.type ? item.offset > last.offset : item.type > last.type
}

async function* below(
  tree: Tree,
  address: bigint,
  level: number,
  { isRoot = true } = {},
): AsyncGenerator<Item> {
  const node = await readNode(tree, safe(address, 'place of a node'), level)
  const count = node.readUInt32LE(96)
  consistent(isRoot || count > 0, 'an empty node')
  if (level > 0) {
    consistent(count <= (node.length - nodeHeaderBytes) / 33, 'number of children')
    for (let index = 0; index < count; index++) {
      const child = node.readBigUInt64LE(nodeHeaderBytes + index * 33 + keyBytes)
      yield* below(tree, child, level - 1, { isRoot: false })
    }
    return
  }
  consistent(count <= (node.length - nodeHeaderBytes) / 25, 'number of items')
  for (let index = 0; index < count; index++) {
    const at = nodeHeaderBytes + index * 25
    const start = nodeHeaderBytes + node.readUInt32LE(at + 17)
    const length = node.readUInt32LE(at + 21)
    consistent(start + length <= node.length, 'an item leads outside')
    yield {
      objectId: node.readBigUInt64LE(at),
      type: node.readUInt8(at + 8),
      offset: node.readBigUInt64LE(at + 9),
      bytes: node.subarray(start, start + length),
    }
  }
}

async function readNode(tree: Tree, logical: number, level: number): Promise<Buffer> {
  tree.nodesLeft -= 1
  consistent(tree.nodesLeft >= 0, 'more nodes than fit')
  const chunk = tree.chunks.find(
    (each) => logical >= each.logical && logical + tree.nodeBytes <= each.logical + each.lengthBytes,
  )
  const place = chunk?.places[0]
  consistent(chunk !== undefined && place !== undefined, 'a node outside all chunks')
  const node = await tree.volume.read(place + logical - chunk.logical, tree.nodeBytes)
  consistent(isSound(node), 'checksum of a node')
  consistent(safe(node.readBigUInt64LE(48), 'a node') === logical && node.readUInt8(100) === level, 'a node')
  return node
}
