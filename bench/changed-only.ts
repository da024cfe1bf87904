/** Restoring to a disk that already holds most of the image: beside reading that disk once. */
import { randomBytes } from 'node:crypto'
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { attachBenchDisk, expectSame, settle } from './bench-disk.ts'
import { buildImage } from './build-image.ts'
import { peers, reprise, restore } from './contenders.ts'
import type { BenchOptions } from './groups.ts'
import { inSeconds, perSecond, type Line } from './line.ts'
import { alternate, measure, median, type Contender, type Usage } from './measure.ts'
import { realData } from './real-data.ts'

const MiB = 2 ** 20
const secondsOf = (usages: readonly Usage[]) => median(usages.map(({ seconds }) => seconds))

/** The group `changed-only`. */
export async function measureChangedOnly(options: BenchOptions): Promise<Line[]> {
  const { rawMiB, rounds } = options
  const sizeBytes = rawMiB * MiB
  const data = await realData(sizeBytes)
  const image = await scanned(await buildImage(data, 'zlib'))
  await using disk = await attachBenchDisk(sizeBytes)
  await measure(peers.dd(data, disk.path))

  const update = (name: string, megabytes: number): Contender => ({
    ...restore(image, disk.path, '--changed-only'),
    name,
    before: async () => {
      change(disk.path, { sizeBytes, megabytes })
      await settle()
    },
  })
  const [some = [], none = [], read = []] = await alternate(
    [
      update('1 % changed', Math.round(rawMiB / 100)),
      update('nothing changed', 0),
      peers.ddRead(disk.path, rawMiB),
    ],
    rounds,
    async ({ isOurs }) => {
      if (isOurs === true) await expectSame(data, disk.path, sizeBytes)
    },
  )
  const line = (what: string, ours: readonly Usage[], target: Line['target']): Line => ({
    what: `changed blocks only and verified, ${what} of ${rawMiB} MiB: time, beside reading the disk once with dd`,
    ours: `${inSeconds(secondsOf(ours))}, ${perSecond(sizeBytes, secondsOf(ours))}`,
    peer: `${inSeconds(secondsOf(read))}, ${perSecond(sizeBytes, secondsOf(read))}`,
    value: secondsOf(ours) / secondsOf(read),
    unit: '×',
    target,
  })
  return [line('1 % changed', some, { atMost: 1.15 }), line('nothing changed', none, null)]
}

/** A copy of the image with what a scan stores in it; kept beside it. */
async function scanned(image: string): Promise<string> {
  const path = image.replace(/\.dmg$/, '-scanned.dmg')
  if (existsSync(path)) return path
  copyFileSync(image, `${path}.part`)
  await measure(reprise('reprise', ['imagescan', '--source', `${path}.part`]))
  renameSync(`${path}.part`, path)
  return path
}

/** Stretches of 1 MiB, as files have them, evenly over the disk and never where a block begins. */
function change(
  path: string,
  { sizeBytes, megabytes }: { readonly sizeBytes: number; readonly megabytes: number },
): void {
  const fd = openSync(path, 'r+')
  try {
    for (let index = 0; index < megabytes; index++) {
      const middle = Math.floor((sizeBytes * (2 * index + 1)) / (2 * megabytes))
      writeSync(fd, randomBytes(MiB), 0, MiB, middle - (middle % 4096) - MiB / 4)
    }
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
