/** The checksum over all tables' checksums. */
import { crc32 } from 'node:zlib'
import type { Mish } from './mish.ts'

/**
 * CRC-32 over the first four bytes of each table's stored checksum, in the order of the plist, as koly's master
 * checksum has it. A table without a checksum counts with its (zero) bytes.
 */
export function masterChecksumOf(tables: readonly { readonly mish: Pick<Mish, 'checksum'> }[]): number {
  let value = 0
  for (const { mish } of tables) value = crc32(mish.checksum.subarray(0, 4), value)
  return value
}
