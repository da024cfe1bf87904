import { describe, expect, it } from 'vitest'
import { readDiskContents } from '#engine/formats/image'
import type { ReadDisk } from '#engine/formats/struct'

const mib = 1024 ** 2
const firstLba = 8
const sizeBytes = 1024 * mib

/** Four partitions at one place, and in it the beginning of an APFS container: large blocks, and many that may be superblocks. */
function manyCheckpoints(): { readonly readDisk: ReadDisk; readonly readBytes: () => number } {
  const disk = Buffer.alloc(8192)
  for (const index of [0, 1, 2, 3]) {
    disk.writeUInt8(0x83, 446 + index * 16 + 4)
    disk.writeUInt32LE(firstLba, 446 + index * 16 + 8)
    disk.writeUInt32LE((sizeBytes - 4096) / 512, 446 + index * 16 + 12)
  }
  disk.writeUInt16LE(0xaa55, 510)
  const container = disk.subarray(firstLba * 512)
  container.writeUInt16LE(1, 24)
  container.write('NXSB', 32, 'latin1')
  container.writeUInt32LE(65_536, 36)
  container.writeUInt32LE(0x7fff_ffff, 104)
  let readBytes = 0
  return {
    readBytes: () => readBytes,
    async readDisk(offset, lengthBytes) {
      readBytes += lengthBytes
      const bytes = Buffer.alloc(lengthBytes)
      if (offset < disk.length) disk.copy(bytes, 0, offset)
      return bytes
    },
  }
}

describe('what is on a disk', () => {
  it('is not looked for without end in containers that have nothing but checkpoints', async () => {
    const { readDisk, readBytes } = manyCheckpoints()
    const { partitions } = await readDiskContents(readDisk, sizeBytes)
    expect(partitions).toHaveLength(4)
    expect(partitions[0]).toMatchObject({ filesystem: 'apfs', volumes: [] })
    expect(readBytes()).toBeLessThan(72 * mib)
  })

  it('is no longer looked for in them once it is cancelled', async () => {
    const { readDisk } = manyCheckpoints()
    const controller = new AbortController()
    setImmediate(() => controller.abort(new Error('cancelled')))
    await expect(readDiskContents(readDisk, sizeBytes, controller.signal)).rejects.toThrow('cancelled')
  })
})
