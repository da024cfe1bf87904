import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApfsReader } from '#engine/formats/filesystem'
import { memoryDisk } from '#test/memory-source'

const blockBytes = 4096

/** Fletcher-64 as the reference has it, put into the first eight bytes. */
function seal(block: Buffer): Buffer {
  let low = 0n
  let high = 0n
  for (let at = 8; at < block.length; at += 4) {
    low = (low + BigInt(block.readUInt32LE(at))) % 0xffff_ffffn
    high = (high + low) % 0xffff_ffffn
  }
  const first = 0xffff_ffffn - ((low + high) % 0xffff_ffffn)
  const second = 0xffff_ffffn - ((low + first) % 0xffff_ffffn)
  block.writeUInt32LE(Number(first), 0)
  block.writeUInt32LE(Number(second), 4)
  return block
}

const block = (write: (bytes: Buffer) => void) => {
  const bytes = Buffer.alloc(blockBytes)
  write(bytes)
  return seal(bytes)
}

const superblock = (xid: bigint, tree: bigint, oids: readonly bigint[]) =>
  block((bytes) => {
    bytes.writeBigUInt64LE(xid, 16)
    bytes.writeUInt32LE(0x8000_0001, 24)
    bytes.write('NXSB', 32, 'latin1')
    bytes.writeUInt32LE(blockBytes, 36)
    bytes.writeBigUInt64LE(64n, 40)
    bytes.writeUInt32LE(2, 104)
    bytes.writeBigUInt64LE(1n, 112)
    bytes.writeBigUInt64LE(tree, 160)
    bytes.writeUInt32LE(100, 180)
    oids.forEach((oid, index) => bytes.writeBigUInt64LE(oid, 184 + index * 8))
  })

const omap = (tree: bigint) => block((bytes) => void bytes.writeBigUInt64LE(tree, 48))

/** A node that is root and leaf. */
const leaf = (entries: readonly { oid: bigint; xid: bigint; at: bigint }[]) =>
  block((bytes) => {
    bytes.writeUInt16LE(7, 32)
    bytes.writeUInt32LE(entries.length, 36)
    bytes.writeUInt16LE(0, 40)
    bytes.writeUInt16LE(entries.length * 4, 42)
    entries.forEach(({ oid, xid, at }, index) => {
      const keysAt = 56 + entries.length * 4
      bytes.writeUInt16LE(index * 16, 56 + index * 4)
      bytes.writeUInt16LE((index + 1) * 16, 58 + index * 4)
      bytes.writeBigUInt64LE(oid, keysAt + index * 16)
      bytes.writeBigUInt64LE(xid, keysAt + index * 16 + 8)
      bytes.writeBigUInt64LE(at, blockBytes - 40 - (index + 1) * 16 + 8)
    })
  })

const volume = (name: string, role: number) =>
  block((bytes) => {
    bytes.write('APSB', 32, 'latin1')
    Buffer.from('0123456789abcdef0123456789abcdef', 'hex').copy(bytes, 240)
    bytes.write(name, 704, 'utf8')
    bytes.writeUInt16LE(role, 964)
  })

const container = () => [
  superblock(5n, 4n, [1026n, 1028n]),
  superblock(7n, 4n, [1026n, 1028n]),
  superblock(6n, 9n, []),
  Buffer.alloc(blockBytes),
  omap(5n),
  leaf([
    { oid: 1026n, xid: 3n, at: 8n },
    { oid: 1026n, xid: 7n, at: 6n },
    { oid: 1026n, xid: 9n, at: 8n },
    { oid: 1028n, xid: 2n, at: 7n },
  ]),
  volume('Macintosh HD', 1),
  volume('Macintosh HD - Data', 0x40),
  volume('an older one', 0),
]
const uuid = '01234567-89AB-CDEF-0123-456789ABCDEF'
const read = (disk: Buffer) => new ApfsReader(memoryDisk(disk)).volumes({ offset: 0, sizeBytes: disk.length })

describe('the volumes of an APFS container', () => {
  it('are those of the last checkpoint, with their roles', async () => {
    expect(await read(Buffer.concat(container()))).toEqual([
      { name: 'Macintosh HD', uuid, role: 'System' },
      { name: 'Macintosh HD - Data', uuid, role: 'Data' },
    ])
  })

  it('are left out when a block on the way does not match its checksum', async () => {
    const blocks = container()
    blocks[6]?.writeUInt8(1, 1000)
    expect(await read(Buffer.concat(blocks))).toEqual([{ name: 'Macintosh HD - Data', uuid, role: 'Data' }])
  })

  it('do not lead round in circles', async () => {
    const blocks = container()
    // A node that isn't a leaf, whose child is itself.
    const node = leaf([{ oid: 0n, xid: 0n, at: 5n }])
    node.writeUInt16LE(5, 32)
    node.writeBigUInt64LE(5n, blockBytes - 40 - 16)
    blocks[5] = seal(node)
    expect(await read(Buffer.concat(blocks))).toEqual([])
  })

  it('never fail, whatever the bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(9 * blockBytes - 1), fc.nat(255)), { maxLength: 40 }),
        fc.boolean(),
        async (changes, isSealed) => {
          const disk = Buffer.concat(container())
          for (const [at, value] of changes) disk[at] = value
          if (isSealed)
            for (let at = 0; at < disk.length; at += blockBytes) seal(disk.subarray(at, at + blockBytes))
          expect((await read(disk)).length).toBeLessThanOrEqual(100)
        },
      ),
      { numRuns: 60 },
    )
  })
})
