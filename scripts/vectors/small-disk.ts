/** The disk that the vectors stand for: 2.3 MiB, an MBR, a FAT volume with files that compress well and badly. */
import { execFileSync } from 'node:child_process'
import { buildFat16, buildMbrDisk } from '#test/build-fat'

const firstSector = 64
const volumeSectors = 4352

/** Numbers that look random, the same every time (xorshift32). */
function noise(lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes)
  let state = 0x2545f491
  for (let index = 0; index < lengthBytes; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}

const words = 'every block of a disk is read and written once and then read again '

/** The disk, and where its partition begins and what of it is used. Bytes. */
export function smallDisk(): { readonly disk: Buffer; readonly volumeAt: number; readonly usedEnd: number } {
  const { volume, usedBytes } = buildFat16({
    sectors: volumeSectors,
    clusterSectors: 1,
    hiddenSectors: firstSector,
    label: 'VECTOR',
    files: [
      { name: 'words.txt', shortName: 'WORDS   TXT', data: Buffer.alloc(60_000, words) },
      { name: 'noise.bin', shortName: 'NOISE   BIN', data: noise(3000) },
      { name: 'empty', shortName: 'EMPTY      ', data: new Uint8Array(0) },
    ],
  })
  const disk = buildMbrDisk({ sectors: firstSector + volumeSectors, firstSector, type: 0x06, volume })
  return { disk, volumeAt: firstSector * 512, usedEnd: firstSector * 512 + usedBytes }
}

const pipe = (program: string, args: readonly string[]) => (data: Uint8Array) =>
  Uint8Array.from(execFileSync(program, [...args], { input: data, maxBuffer: 2 ** 28 }))

/** What Node can't compress. xz as images have it: without a check of its own. */
export const bzip2 = pipe('bzip2', ['-9c'])
export const xz = pipe('xz', ['-6c', '--check=none'])
