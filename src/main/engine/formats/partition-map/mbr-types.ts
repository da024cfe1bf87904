/** MBR partition types in words. */
const names: { readonly [type: number]: string } = {
  0x01: 'FAT12',
  0x04: 'FAT16',
  0x06: 'FAT16',
  0x07: 'NTFS or exFAT',
  0x0b: 'FAT32',
  0x0c: 'FAT32',
  0x0e: 'FAT16',
  0x11: 'Hidden FAT12',
  0x14: 'Hidden FAT16',
  0x16: 'Hidden FAT16',
  0x17: 'Hidden NTFS',
  0x1b: 'Hidden FAT32',
  0x1c: 'Hidden FAT32',
  0x1e: 'Hidden FAT16',
  0x27: 'Windows recovery environment',
  0x39: 'Plan 9',
  0x42: 'Windows dynamic disk',
  0x82: 'Linux swap',
  0x83: 'Linux filesystem',
  0x8e: 'Linux LVM',
  0xa5: 'FreeBSD',
  0xa6: 'OpenBSD',
  0xa8: 'Apple UFS',
  0xa9: 'NetBSD',
  0xab: 'Apple boot',
  0xac: 'Apple RAID',
  0xaf: 'Apple HFS/HFS+',
  0xbf: 'Solaris',
  0xda: 'Data',
  0xeb: 'BeOS',
  0xee: 'GPT protective',
  0xef: 'EFI System',
  0xfb: 'VMware VMFS',
  0xfd: 'Linux RAID',
}

/** The type in words, or its number: `0x4d`. */
export function mbrTypeName(type: number): string {
  return names[type] ?? `0x${type.toString(16).padStart(2, '0')}`
}
