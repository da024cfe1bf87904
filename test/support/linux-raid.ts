/** Superblocks of Linux' RAID, with as much in them as tells one from chance. */
const magic = 0xa92b4efc

/** Of version 1.x, for a place at `sector` of its device. */
export function raid1(sector: number): Buffer {
  const bytes = Buffer.alloc(256)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(1, 4)
  bytes.writeBigUInt64LE(BigInt(sector), 144)
  return bytes
}

/** Of version 0.90, of an array that uses `sizeKib` of each device. */
export function raid090(sizeKib: number, order: 'little' | 'big' = 'little'): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(90, 8)
  bytes.writeUInt32LE(sizeKib, 32)
  return order === 'big' ? bytes.swap32() : bytes
}
