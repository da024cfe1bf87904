/**
 * Files that are images or archives of other kinds. Their bytes would make no disk, whatever the file is called: they
 * are named and refused rather than taken for raw disks.
 */
const heads: readonly (readonly [name: string, offset: number, magic: string])[] = [
  ['sparseimage', 0, 'sprs'],
  ['qcow2', 0, 'QFI\xfb'],
  ['vmdk', 0, 'KDMV'],
  ['vhdx', 0, 'vhdxfile'],
  ['vdi', 64, '\x7f\x10\xda\xbe'],
  ['android-sparse', 0, '\x3a\xff\x26\xed'],
  ['wim', 0, 'MSWIM\0\0\0'],
  ['zip', 0, 'PK\x03\x04'],
  ['7z', 0, "7z\xbc\xaf'\x1c"],
  ['rar', 0, 'Rar!\x1a\x07'],
  ['tar', 257, 'ustar'],
  ['cab', 0, 'MSCF\0\0\0\0'],
  ['xar', 0, 'xar!'],
  ['lz4', 0, '\x04\x22\x4d\x18'],
  ['lzip', 0, 'LZIP'],
  ['pdf', 0, '%PDF-'],
]

/** The last 512 bytes of a VHD, of a fixed one too, which otherwise is a raw image. */
const vhdFooter = 'conectix'

/** What the file is, by its first bytes (512 or all) and its last 512; null when nothing is known against it. */
export function sniffForeign(head: Uint8Array, tail: Uint8Array): string | null {
  const text = Buffer.from(head.subarray(0, 512)).toString('latin1')
  for (const [name, offset, magic] of heads) if (text.startsWith(magic, offset)) return name
  return Buffer.from(tail).toString('latin1').startsWith(vhdFooter) ? 'vhd' : null
}
