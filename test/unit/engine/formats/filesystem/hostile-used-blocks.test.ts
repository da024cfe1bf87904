import { describe, expect, test } from 'vitest'
import { crc32c } from '#engine/formats/struct'
import { readUsedBlocks } from '#engine/formats/filesystem'
import { readBtrfsUsedBlocks } from '#src/main/engine/formats/filesystem/btrfs-used-blocks.ts'
import { readExtUsedBlocks } from '#src/main/engine/formats/filesystem/ext-used-blocks.ts'

const mib = 1024 ** 2

/** Zeros but for some `pieces`, and how often it was read. */
function volumeOf(sizeBytes: number, pieces: ReadonlyMap<number, Buffer>) {
  const volume = {
    sizeBytes,
    reads: 0,
    async read(offset: number, lengthBytes: number) {
      volume.reads += 1
      const bytes = Buffer.alloc(lengthBytes)
      for (const [at, piece] of pieces)
        if (at >= offset && at < offset + lengthBytes) piece.copy(bytes, at - offset)
      return bytes
    },
  }
  return volume
}

describe('an ext2 of a million tiny groups', () => {
  const superblock = (blocks: number, inodesPerGroup: number) => {
    const block = Buffer.alloc(1024)
    block.writeUInt32LE(blocks, 4)
    block.writeUInt32LE(1, 20)
    block.writeUInt32LE(8, 32)
    block.writeUInt32LE(inodesPerGroup, 40)
    block.writeUInt16LE(0xef53, 56)
    block.writeUInt16LE(1, 58)
    return block
  }

  test('whose inode tables are larger than all of it is not gone through', async () => {
    const blocks = 64 * 1024
    const volume = volumeOf(64 * mib, new Map([[1024, superblock(blocks, blocks * 8)]]))
    await expect(readExtUsedBlocks(volume)).rejects.toThrow('inode tables')
  })

  test('lets others go on meanwhile, and is given up when that is asked for', async () => {
    const sizeBytes = 512 * mib
    const block = superblock(512 * 1024, 8)
    const stop = new AbortController()
    const read = async (offset: number, lengthBytes: number) => {
      const bytes = new Uint8Array(lengthBytes)
      if (offset <= 1024 && offset + lengthBytes >= 2048) bytes.set(block, 1024 - offset)
      return bytes
    }
    // Someone else's turn: it never comes where only promises are waited for.
    setImmediate(() => stop.abort(new Error('enough')))
    await expect(readUsedBlocks(read, { offset: 0, sizeBytes, signal: stop.signal })).rejects.toThrow(
      'enough',
    )
  })
})

describe('a Btrfs', () => {
  const nodeBytes = 4096
  const sealed = (block: Buffer) => {
    block.writeUInt32LE(~crc32c(0xffff_ffff, block.subarray(32)) >>> 0, 0)
    return block
  }
  const node = (address: number, level: number, count: number) => {
    const block = Buffer.alloc(nodeBytes)
    block.writeBigUInt64LE(BigInt(address), 48)
    block.writeUInt32LE(count, 96)
    block.writeUInt8(level, 100)
    return block
  }
  const leaf = (address: number, objectId: bigint, type: number, bytes: Buffer) => {
    const block = node(address, 0, 1)
    block.writeBigUInt64LE(objectId, 101)
    block.writeUInt8(type, 109)
    block.writeUInt32LE(nodeBytes - 101 - bytes.length, 118)
    block.writeUInt32LE(bytes.length, 122)
    bytes.copy(block, nodeBytes - bytes.length)
    return sealed(block)
  }
  const [chunks, roots, extents, often] = [mib, mib + nodeBytes, mib + 2 * nodeBytes, mib + 3 * nodeBytes]
  const sizeBytes = 8 * mib

  test('whose tree leads to one leaf again and again is not gone through', async () => {
    const chunk = Buffer.alloc(80)
    chunk.writeBigUInt64LE(BigInt(sizeBytes), 0)
    chunk.writeBigUInt64LE(1n, 24)
    chunk.writeUInt16LE(1, 44)
    chunk.writeBigUInt64LE(1n, 48)
    const superblock = Buffer.alloc(4096)
    superblock.writeBigUInt64LE(BigInt(roots), 80)
    superblock.writeBigUInt64LE(BigInt(chunks), 88)
    superblock.writeBigUInt64LE(1n, 136)
    superblock.writeUInt32LE(nodeBytes, 148)
    superblock.writeUInt32LE(17 + chunk.length, 160)
    superblock.writeBigUInt64LE(1n, 201)
    superblock.writeBigUInt64LE(BigInt(sizeBytes), 209)
    superblock.writeUInt8(228, 811 + 8)
    chunk.copy(superblock, 811 + 17)
    const root = Buffer.alloc(239)
    root.writeBigUInt64LE(BigInt(extents), 176)
    root.writeUInt8(1, 238)
    const children = 100
    const parent = node(extents, 1, children)
    for (let index = 0; index < children; index++)
      parent.writeBigUInt64LE(BigInt(often), 101 + index * 33 + 17)
    const volume = volumeOf(
      sizeBytes,
      new Map([
        [65_536, sealed(superblock)],
        [chunks, leaf(chunks, 256n, 228, chunk)],
        [roots, leaf(roots, 2n, 132, root)],
        [extents, sealed(parent)],
        [often, leaf(often, 5n, 192, Buffer.alloc(24))],
      ]),
    )
    await expect(readBtrfsUsedBlocks(volume)).rejects.toThrow('order of a tree')
    expect(volume.reads).toBeLessThan(10)
  })
})
