/**
 * What a partition's type is called. The numbers are from the UEFI specification (§5.3.3), systemd's Discoverable
 * Partitions Specification, Apple TN2166, and Andries Brouwer's list of MBR types; the words are ours.
 */

const gptNames: { readonly [guid: string]: string } = {
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'EFI System',
  '21686148-6449-6e6f-744e-656564454649': 'BIOS Boot',
  '024dee41-33e7-11d3-9d69-0008c781f39f': 'MBR Partition Scheme',
  'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7': 'Microsoft Basic Data',
  'e3c9e316-0b5c-4db8-817d-f92df00215ae': 'Microsoft Reserved',
  'de94bba4-06d1-4d40-a16a-bfd50179d6ac': 'Windows Recovery',
  '0fc63daf-8483-4772-8e79-3d69d8477de4': 'Linux Filesystem',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f': 'Linux Swap',
  'a19d880f-05fc-4d3b-a006-743f0f84911e': 'Linux RAID',
  'e6d6d379-f507-44c2-a23c-238f2a3df928': 'Linux LVM',
  'ca7d7ccb-63ed-4c53-861c-1742536059cc': 'Linux LUKS',
  'bc13c2ff-59e6-4262-a352-b275fd6f7172': 'Linux Extended Boot',
  '933ac7e1-2eb4-4f13-b844-0e14e2aef915': 'Linux Home',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709': 'Linux Root (x86-64)',
  'b921b045-1df0-41c3-af44-4c6f280d3fae': 'Linux Root (ARM64)',
  '48465300-0000-11aa-aa11-00306543ecac': 'Apple HFS',
  '7c3457ef-0000-11aa-aa11-00306543ecac': 'Apple APFS',
  '426f6f74-0000-11aa-aa11-00306543ecac': 'Apple Boot',
  '52414944-0000-11aa-aa11-00306543ecac': 'Apple RAID',
  '53746f72-6167-11aa-aa11-00306543ecac': 'Apple CoreStorage',
  '69646961-6700-11aa-aa11-00306543ecac': 'Apple APFS ISC',
  '52637672-7900-11aa-aa11-00306543ecac': 'Apple APFS Recovery',
  '516e7cb4-6ecf-11d6-8ff8-00022d09712b': 'FreeBSD Data',
  '6a898cc3-1dd2-11b2-99a6-080020736631': 'ZFS',
}

const mbrNames: { readonly [type: number]: string } = {
  0x01: 'FAT12',
  0x04: 'FAT16',
  0x05: 'Extended',
  0x06: 'FAT16',
  0x07: 'NTFS or exFAT',
  0x0b: 'FAT32',
  0x0c: 'FAT32',
  0x0e: 'FAT16',
  0x0f: 'Extended',
  0x11: 'Hidden FAT12',
  0x27: 'Windows Recovery',
  0x82: 'Linux Swap',
  0x83: 'Linux Filesystem',
  0x85: 'Extended',
  0x8e: 'Linux LVM',
  0xa5: 'FreeBSD',
  0xa8: 'Apple UFS',
  0xab: 'Apple Boot',
  0xaf: 'Apple HFS',
  0xee: 'GPT Protective',
  0xef: 'EFI System',
  0xfd: 'Linux RAID',
}

/**
 * A type as partition tables have it (a GUID, `0x83`, `Apple_HFS`) in words; null when it isn't known. APM's types are
 * words already.
 */
export function partitionTypeName(type: string | null): string | null {
  if (type === null || type === '') return null
  const lower = type.toLowerCase()
  if (/^0x[0-9a-f]{1,2}$/.test(lower)) return mbrNames[Number(lower)] ?? null
  if (/^[0-9a-f]{8}-/.test(lower)) return gptNames[lower] ?? null
  return /^apple_\w+$/.test(lower) ? type.replaceAll('_', ' ') : null
}

/** Entries of a partition map that hold the map, or nothing: not volumes to anybody. */
export function isFillerPartition(type: string | null): boolean {
  if (type === null) return false
  return /^(0x0?5|0x0?f|0x85|apple_partition_map|apple_free|apple_void|apple_scratch)$/.test(
    type.toLowerCase(),
  )
}
