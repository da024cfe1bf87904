/** Converting images: beside pigz on the same bytes, and how much memory each format takes. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { program } from '#test/needs'
import { reprise } from './contenders.ts'
import type { BenchOptions } from './groups.ts'
import { inMiB, inSeconds, perSecond, type Line } from './line.ts'
import { alternate, measure, median, quote, type Usage } from './measure.ts'
import { cacheFolder, realData } from './real-data.ts'

const MiB = 2 ** 20
const output = join(cacheFolder, 'converted')
const others = ['UDRO', 'ULFO', 'UDCO', 'ULMO', 'UDBZ'] as const

const convert = (source: string, format: string, ...more: readonly string[]) =>
  reprise('reprise', [
    'image',
    'convert',
    '--source',
    source,
    '--target',
    output,
    '--format',
    format,
    '--erase',
    ...more,
  ])

/** The group `convert`. */
export async function measureConvert(options: BenchOptions): Promise<Line[]> {
  try {
    return [...(await besidePigz(options)), ...(await otherFormats(options))]
  } finally {
    rmSync(output, { force: true })
  }
}

async function besidePigz({ imageMiB, rounds }: BenchOptions): Promise<Line[]> {
  const sizeBytes = imageMiB * MiB
  const data = await realData(sizeBytes)
  const pigz = program('pigz')
  // Everybody's file is on the disk at the end.
  const command = `${pigz} -6 -p 2 -c ${quote(data)} > ${quote(output)} && sync ${quote(output)}`
  const [ours = [], theirs = []] = await alternate(
    [convert(data, 'UDZO', '--level', '6'), ...(pigz === null ? [] : [{ name: 'pigz', command }])],
    rounds,
  )
  const seconds = (usages: readonly Usage[]) => median(usages.map((usage) => usage.seconds))
  const what = `raw image of ${imageMiB} MiB to UDZO, level 6`
  const speed: Line = {
    what: `${what}: how many times as fast as pigz -6 -p 2`,
    ours: `${inSeconds(seconds(ours))}, ${perSecond(sizeBytes, seconds(ours))}`,
    peer: `${inSeconds(seconds(theirs))}, ${perSecond(sizeBytes, seconds(theirs))}`,
    value: seconds(theirs) / seconds(ours),
    unit: '×',
    target: { atLeast: 0.9 },
  }
  return [...(pigz === null ? [] : [speed]), memoryLine(what, ours)]
}

async function otherFormats({ otherMiB }: BenchOptions): Promise<Line[]> {
  const sizeBytes = otherMiB * MiB
  const data = await realData(sizeBytes)
  const lines: Line[] = []
  for (const format of others) {
    const usage = await measure(convert(data, format))
    const what = `raw image of ${otherMiB} MiB to ${format}`
    lines.push(
      {
        what,
        ours: perSecond(sizeBytes, usage.seconds),
        peer: '',
        value: usage.seconds,
        unit: 's',
        target: null,
      },
      memoryLine(what, [usage]),
    )
  }
  return lines
}

function memoryLine(what: string, usages: readonly Usage[]): Line {
  const rss = Math.max(...usages.map(({ maxRssBytes }) => maxRssBytes ?? Infinity))
  return {
    what: `${what}: memory`,
    ours: inMiB(rss),
    peer: '',
    value: rss / MiB,
    unit: 'MiB',
    target: { atMost: 250 },
  }
}
