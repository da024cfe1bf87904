import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { encodeEmptyGpt, smallestGptBytes } from '#src/main/engine/platform/system/empty-gpt.ts'

const diskGuid = '01234567-89ab-cdef-0123-456789abcdef'

describe('an empty GPT', () => {
  it.each([
    { blockBytes: 512, sizeBytes: 2 ** 20, entries: 32 },
    { blockBytes: 4096, sizeBytes: 2 ** 22, entries: 4 },
  ])('lies at both ends of a disk with blocks of $blockBytes bytes', ({ blockBytes, sizeBytes, entries }) => {
    const [start, end] = encodeEmptyGpt({ sizeBytes, blockBytes, diskGuid })
    const last = sizeBytes / blockBytes - 1
    expect(start?.offset).toBe(0)
    expect(start?.bytes.length).toBe((2 + entries) * blockBytes)
    expect(end?.offset).toBe((last - entries) * blockBytes)
    expect((end?.offset ?? 0) + (end?.bytes.length ?? 0)).toBe(sizeBytes)

    const primary = Buffer.from(start?.bytes ?? []).subarray(blockBytes)
    const backup = Buffer.from(end?.bytes ?? []).subarray(entries * blockBytes)
    const fields = (header: Buffer) => ({
      signature: header.toString('latin1', 0, 8),
      revision: header.readUInt32LE(8),
      size: header.readUInt32LE(12),
      own: Number(header.readBigUInt64LE(24)),
      other: Number(header.readBigUInt64LE(32)),
      firstUsable: Number(header.readBigUInt64LE(40)),
      lastUsable: Number(header.readBigUInt64LE(48)),
      guid: header.toString('hex', 56, 72),
      entries: Number(header.readBigUInt64LE(72)),
    })
    const common = {
      signature: 'EFI PART',
      revision: 0x10000,
      size: 92,
      firstUsable: 2 + entries,
      lastUsable: last - entries - 1,
      guid: '67452301ab89efcd0123456789abcdef',
    }
    expect(fields(primary)).toEqual({ ...common, own: 1, other: last, entries: 2 })
    expect(fields(backup)).toEqual({ ...common, own: last, other: 1, entries: last - entries })
    for (const header of [primary, backup]) {
      const checked = Buffer.from(header.subarray(0, 92))
      checked.writeUInt32LE(0, 16)
      expect(header.readUInt32LE(16)).toBe(crc32(checked))
      // CRC-32 of 16,384 zero bytes, as every empty table has it.
      expect(header.readUInt32LE(88)).toBe(0xab54d286)
    }
  })

  it('is guarded by a protective MBR', () => {
    const [start] = encodeEmptyGpt({ sizeBytes: 2 ** 20, blockBytes: 512, diskGuid })
    const mbr = Buffer.from(start?.bytes ?? [])
    expect(mbr.toString('hex', 446, 462)).toBe('00000200eeffffff01000000ff070000')
    expect(mbr.toString('hex', 510, 512)).toBe('55aa')
    expect(mbr.subarray(0, 446).every((byte) => byte === 0)).toBe(true)
  })

  it('says 0xFFFFFFFF in the MBR for a disk that does not fit', () => {
    const [start] = encodeEmptyGpt({ sizeBytes: 3 * 2 ** 40, blockBytes: 512, diskGuid })
    expect(Buffer.from(start?.bytes ?? []).readUInt32LE(458)).toBe(0xffff_ffff)
  })

  it('fits the smallest disk it says it fits', () => {
    for (const blockBytes of [512, 4096]) {
      const sizeBytes = smallestGptBytes(blockBytes)
      const [start, end] = encodeEmptyGpt({ sizeBytes, blockBytes, diskGuid })
      expect(end?.offset).toBeGreaterThanOrEqual(start?.bytes.length ?? Infinity)
      expect(() => encodeEmptyGpt({ sizeBytes: sizeBytes - 1, blockBytes, diskGuid })).toThrow('too small')
    }
  })
})
