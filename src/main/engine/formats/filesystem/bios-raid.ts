/**
 * Disks of RAIDs that a computer's firmware or a controller made, by what these keep in the last sectors. As in util-linux's
 * libblkid, and for Silicon Image as in dmraid, which knows more of them. Where a mark is so short that anything could look like
 * it, a sum tells.
 */
import { readableOrNull } from '#engine/formats/struct'
import type { BlockVolume } from './used-blocks.ts'

const sectorBytes = 512

type Kind = readonly [name: string, isOne: (sector: Buffer) => boolean]

const begins = (ascii: string) => {
  const mark = Buffer.from(ascii, 'latin1')
  return (sector: Buffer) => sector.subarray(0, mark.length).equals(mark)
}

/** How many sectors before the end, and whose marks are there. */
const places: readonly (readonly [sectors: number, kinds: readonly Kind[]])[] = [
  [
    1,
    [
      ['lsi raid', begins('$XIDE$')],
      ['adaptec raid', begins('\x37\xfc\x4d\x1e')],
      ['via raid', isVia],
      ['jmicron raid', isJmicron],
    ],
  ],
  // The last sector has the first of four.
  ...[1, 513, 1025, 1537].map((sectors) => [sectors, [['silicon image raid', isSiliconImage]]] as const),
  [2, [['nvidia raid', begins('NVIDIA  ')]]],
  [11, ['\xf3\x16\x78\x5a', '\xfd\x16\x78\x5a'].map((magic) => ['highpoint raid', begins(magic)] as const)],
  ...[16, 63, 255, 256, 399, 591, 675, 735, 911, 951, 974, 991, 3087].map(
    (sectors) => [sectors, [['promise raid', begins('Promise Technology, Inc.')]]] as const,
  ),
]

/** Its name, or null. A mark that can't be read (`UnreadableError`) is none. */
export async function findBiosRaid(volume: BlockVolume): Promise<string | null> {
  for (const [sectors, kinds] of places) {
    const at = (Math.floor(volume.sizeBytes / sectorBytes) - sectors) * sectorBytes
    const sector = at < 0 ? null : await readableOrNull(volume.read(at, sectorBytes))
    const found = sector === null ? undefined : kinds.find(([, isOne]) => isOne(sector))
    if (found !== undefined) return found[0]
  }
  return null
}

function isSiliconImage(sector: Buffer): boolean {
  return (sector.readUInt32LE(96) & 0x3ff_ffff) === 0x300_0000 && (sumOfWords(sector, 320) & 0xffff) === 0
}

function isVia(sector: Buffer): boolean {
  const sum = sector.subarray(0, 50).reduce((all, byte) => all + byte, 0) & 0xff
  return sector.readUInt16LE(0) === 0xaa55 && sector.readUInt8(2) <= 2 && sum === sector.readUInt8(50)
}

function isJmicron(sector: Buffer): boolean {
  return sector.toString('latin1', 0, 2) === 'JM' && (sumOfWords(sector, 128) & 0xffff) <= 1
}

function sumOfWords(sector: Buffer, lengthBytes: number): number {
  let sum = 0
  for (let at = 0; at < lengthBytes; at += 2) sum += sector.readUInt16LE(at)
  return sum
}
