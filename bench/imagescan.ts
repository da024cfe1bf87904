/** Scanning an image for restore, beside expanding it and hashing what comes out: one digest, where the scan makes three numbers. */
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { program } from '#test/needs'
import { buildUnscannedImage } from './build-image.ts'
import { reprise } from './contenders.ts'
import type { BenchOptions } from './groups.ts'
import { inMiB, inSeconds, perSecond, type Line } from './line.ts'
import { alternate, median, quote, type Usage } from './measure.ts'
import { cacheFolder, realData } from './real-data.ts'

const MiB = 2 ** 20
const copy = join(cacheFolder, 'imagescan.dmg')

/** The group `imagescan`. */
export async function measureImagescan({ imageMiB, rounds }: BenchOptions): Promise<Line[]> {
  const dmg2img = program('dmg2img')
  const sizeBytes = imageMiB * MiB
  const image = await buildUnscannedImage(await realData(sizeBytes), 'zlib')
  try {
    const ours = reprise('reprise', ['imagescan', '--source', copy])
    const scan = {
      ...ours,
      // A scan is stored in the image: each round has its own.
      async before() {
        await ours.before?.()
        copyFileSync(image, copy)
      },
    }
    const theirs =
      dmg2img === null
        ? []
        : [{ name: 'dmg2img', command: `${dmg2img} -s ${quote(image)} /dev/stdout | sha256sum` }]
    const [scans = [], expansions = []] = await alternate([scan, ...theirs], rounds)
    const seconds = (usages: readonly Usage[]) => median(usages.map((usage) => usage.seconds))
    const rss = Math.max(...scans.map(({ maxRssBytes }) => maxRssBytes ?? Infinity))
    const what = `imagescan of a UDZO of ${imageMiB} MiB`
    return [
      ...(dmg2img === null
        ? []
        : [
            {
              what: `${what}: how many times as fast as dmg2img into sha256sum`,
              ours: `${inSeconds(seconds(scans))}, ${perSecond(sizeBytes, seconds(scans))}`,
              peer: `${inSeconds(seconds(expansions))}, ${perSecond(sizeBytes, seconds(expansions))}`,
              value: seconds(expansions) / seconds(scans),
              unit: '×',
              target: { atLeast: 2 },
            } as const,
          ]),
      {
        what: `${what}: memory`,
        ours: inMiB(rss),
        peer: '',
        value: rss / MiB,
        unit: 'MiB',
        target: { atMost: 250 },
      },
    ]
  } finally {
    rmSync(copy, { force: true })
  }
}
