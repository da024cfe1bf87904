/** Images for the lab: of any small size, scanned and in order, with every kind of run that a stream has to carry. */
import { readFileSync } from 'node:fs'
import { buildUdif, type RunSpec } from '#test/build-udif'
import { scanImage } from '#engine/scan'
import { quietContext } from '#test/quiet-context'
import { seededBytes, seededRandom } from '#test/seeded'
import type { TemporaryFolder } from '#test/temporary-folder'

export interface LabImage {
  readonly path: string
  /** The image's file: what `--file` must come to. */
  readonly bytes: Buffer
  /** The disk inside, ignored runs as zeros: what `--target` must come to. */
  readonly disk: Uint8Array
}

const megabyte = 2 ** 20
const sectorsOf = (bytes: number) => bytes / 512

/**
 * About `megabytes` MiB of data that doesn't compress; raw and zlib runs of 256 KiB taking turns, and now and then zeros or an
 * unused stretch. Another `seed`, another image.
 */
export async function labImage(
  folder: TemporaryFolder,
  { megabytes, seed = 1, name = 'lab.dmg' }: { megabytes: number; seed?: number; name?: string },
): Promise<LabImage> {
  const random = seededRandom(seed)
  const runs = Array.from({ length: megabytes * 4 }, (_, index): readonly RunSpec[] => {
    const data = seededBytes(random, megabyte / 4)
    const sectors = sectorsOf(data.length)
    const run: RunSpec = { kind: index % 2 === 0 ? 'raw' : 'zlib', sectors, data }
    if (index % 16 === 5) return [run, { kind: 'zero', sectors: 1024 }]
    if (index % 16 === 11) return [run, { kind: 'ignore', sectors: 1024 }]
    return [run]
  }).flat()
  const { bytes, disk } = buildUdif({
    tables: [{ name: 'whole disk (unknown : 0)', runs }],
    scanned: false,
  })
  const path = await folder.write(name, bytes)
  await scanImage({ path, reorder: true, allowFragmentedCatalog: false }, quietContext(), {
    scannedBy: 'Reprise',
  })
  return { path, bytes: readFileSync(path), disk }
}
