/** A small disk with a GPT of one partition, as any tool writes it: 128 entries, the backup at the end. */
import { crc32 } from 'node:zlib'

export interface GptPlan {
  /** Whole sectors of 512. */
  readonly sizeBytes: number
  readonly firstLba: number
  readonly lastLba: number
}

const linuxData = 'af3dc60f838472478e793d69d8477de4'

export function buildGptDisk({ sizeBytes, firstLba, lastLba }: GptPlan): Buffer {
  const disk = Buffer.alloc(sizeBytes)
  const last = sizeBytes / 512 - 1
  disk.writeUInt8(0xee, 450)
  disk.writeUInt32LE(1, 454)
  disk.writeUInt32LE(last, 458)
  disk.writeUInt16LE(0xaa55, 510)
  const table = Buffer.alloc(128 * 128)
  table.write(linuxData, 0, 'hex')
  table.fill(7, 16, 32)
  table.writeBigUInt64LE(BigInt(firstLba), 32)
  table.writeBigUInt64LE(BigInt(lastLba), 40)
  table.write('Data', 56, 'utf16le')
  for (const [own, other, entries] of [
    [1, last, 2],
    [last, 1, last - 32],
  ] as const) {
    const header = Buffer.alloc(512)
    header.write('EFI PART', 0, 'latin1')
    header.writeUInt32LE(0x10000, 8)
    header.writeUInt32LE(92, 12)
    header.writeBigUInt64LE(BigInt(own), 24)
    header.writeBigUInt64LE(BigInt(other), 32)
    header.writeBigUInt64LE(34n, 40)
    header.writeBigUInt64LE(BigInt(last - 33), 48)
    header.fill(9, 56, 72)
    header.writeBigUInt64LE(BigInt(entries), 72)
    header.writeUInt32LE(128, 80)
    header.writeUInt32LE(128, 84)
    header.writeUInt32LE(crc32(table), 88)
    header.writeUInt32LE(crc32(header.subarray(0, 92)), 16)
    disk.set(header, own * 512)
    disk.set(table, entries * 512)
  }
  return disk
}
