/**
 * The Practice image (assets/practice.dmg): a compressed image of a 32 MiB disk with one FAT volume, for the first
 * restore of a newcomer. Built from nothing but this file, the same bytes every time; `scripts/make-vectors.ts` runs it.
 */
import { writeFileSync } from 'node:fs'
import { scanImage } from '#engine/scan'
import { buildFat16, buildMbrDisk } from '#test/build-fat'
import { buildUdif, runsOf, type TableSpec } from '#test/build-udif'
import { quietContext } from '#test/quiet-context'
import { drawPng, type Paint } from './draw-png.ts'

const diskSectors = 65_536
const firstSector = 2048
const chunkSectors = 2048

const readMe = `Hello from your Practice disk.

You have just restored a disk image: every block of a 32 MB disk was unpacked
from practice.dmg, written, and read back to be sure that it is right.

Real images work the same way:

  1. drag the image to Source
  2. drag the disk to Destination
  3. tick "Erase destination" and press Restore

What is on the destination is lost, so look twice at step 2. The Practice disk
is only a file, and can be restored as often as you like.
`

/** Hills at night, in layers that get darker towards the front. */
const hills: Paint = (x, y) => {
  for (let layer = 4; layer >= 0; layer--) {
    const height =
      0.5 + 0.11 * layer + 0.06 * Math.sin(x * (5 + layer) + layer * 2.1) + 0.03 * Math.sin(x * 17 + layer)
    if (y > height) return [62 - layer * 11, 78 - layer * 13, 120 - layer * 17]
  }
  const moon = Math.hypot((x - 0.76) * 1.6, y - 0.22)
  return moon < 0.09 ? [246, 240, 214] : [24 + 70 * y, 30 + 60 * y, 66 + 110 * y]
}

/** Rings, as on a disk platter, in a low sun. */
const platter: Paint = (x, y) => {
  const distance = Math.hypot((x - 0.5) * 1.6, y - 0.5)
  const ring = 0.5 + 0.5 * Math.sin(distance * 90)
  if (distance > 0.46 || distance < 0.07) return [236 - 60 * y, 150 - 40 * y, 92]
  return [120 + 70 * ring + 40 * (1 - y), 126 + 60 * ring, 140 + 50 * ring]
}

/** Writes it to `path`, scanned for restore. */
export async function writePracticeImage(path: string): Promise<void> {
  writeFileSync(path, buildPracticeImage().image)
  await scanImage({ path, reorder: true, allowFragmentedCatalog: false }, quietContext(), {
    scannedBy: 'Reprise',
    // The same bytes every time.
    now: () => Date.UTC(2026, 10, 21),
  })
}

/** The image's bytes, and the disk they stand for. */
function buildPracticeImage(): { readonly image: Uint8Array; readonly disk: Uint8Array } {
  const { volume, usedBytes } = buildFat16({
    sectors: diskSectors - firstSector,
    hiddenSectors: firstSector,
    label: 'PRACTICE',
    files: [
      { name: 'READ ME.txt', shortName: 'README~1TXT', data: Buffer.from(readMe.replaceAll('\n', '\r\n')) },
      { name: 'Hills.png', shortName: 'HILLS   PNG', data: drawPng(480, 300, hills) },
      { name: 'Platter.png', shortName: 'PLATTER PNG', data: drawPng(320, 200, platter) },
    ],
  })
  const disk = buildMbrDisk({ sectors: diskSectors, firstSector, type: 0x06, volume })
  const usedSectors = Math.ceil(usedBytes / 512 / chunkSectors) * chunkSectors
  const tables: TableSpec[] = [
    {
      name: 'Master Boot Record (MBR : 0)',
      runs: runsOf(disk.subarray(0, 512), { kind: 'zlib' }),
      lie: { blockDescriptor: 0xffffffff },
    },
    {
      name: ' (Apple_Free : 1)',
      runs: [{ kind: 'ignore', sectors: firstSector - 1 }],
      lie: { blockDescriptor: 0 },
    },
    {
      name: 'PRACTICE (Windows_FAT_16 : 2)',
      runs: [
        ...runsOf(volume.subarray(0, usedSectors * 512), { kind: 'zlib', chunkSectors }),
        { kind: 'ignore', sectors: diskSectors - firstSector - usedSectors },
      ],
      lie: { blockDescriptor: 1 },
    },
  ]
  // It is scanned where it is written.
  const built = buildUdif({ tables, scanned: false })
  return { image: built.bytes, disk: built.disk }
}
