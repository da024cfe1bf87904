/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), as ext4, XFS and Btrfs guard their metadata with it. Node's zlib has the other
 * CRC-32 only.
 */
const table = new Int32Array(256)
for (let value = 0; value < 256; value++) {
  let crc = value
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78
  table[value] = crc
}

/**
 * The register after `bytes`, unsigned; `register` is the one before. Nothing is inverted: the usual CRC-32C is
 * `~crc32c(0xffffffff, bytes) >>> 0`, ext4's goes without the second inversion.
 */
export function crc32c(register: number, bytes: Uint8Array): number {
  let crc = register | 0
  for (let index = 0; index < bytes.length; index++)
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[index] ?? 0)) & 0xff] ?? 0)
  return crc >>> 0
}
