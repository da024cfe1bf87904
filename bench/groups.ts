/** What is measured, group by group; each line is a sentence of what the project must reach. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeManyRuns } from '#test/build-many-runs'
import { attachBenchDisk, expectSame } from './bench-disk.ts'
import { buildImage } from './build-image.ts'
import { measureChangedOnly } from './changed-only.ts'
import { peers, reprise, restore } from './contenders.ts'
import { measureConvert } from './convert.ts'
import type { BenchCodec } from './encode-worker.ts'
import { measureHttp } from './http.ts'
import { measureImagescan } from './imagescan.ts'
import { inMiB, inSeconds, perSecond, type Line, type Target } from './line.ts'
import { alternate, measure, median, type Contender, type Usage } from './measure.ts'
import { multicastGroups } from './multicast.ts'
import { cacheFolder, realData } from './real-data.ts'
import { measureWindow } from './window.ts'

export interface BenchOptions {
  readonly rounds: number
  readonly rawMiB: number
  /** A raw image beside which what is done once hardly counts. */
  readonly largeRawMiB: number
  /** UDZO. */
  readonly imageMiB: number
  /** The codecs that are only told of. */
  readonly otherMiB: number
  readonly manyRuns: number
}

const MiB = 2 ** 20

/** Largest resident size of our program since it was last asked for, in bytes. */
let largestRss = 0

/** The largest resident size of our restores since the last call, in bytes; 0 when there was none. */
export function takeLargestRss(): number {
  const largest = largestRss
  largestRss = 0
  return largest
}

const secondsOf = (usages: readonly Usage[]) => median(usages.map(({ seconds }) => seconds))
const cpuOf = (usages: readonly Usage[]) => median(usages.map(({ cpuSeconds }) => cpuSeconds))

/** Alternate, check that what ours wrote is right, and keep its memory. The first contender is ours. */
async function compare(
  contenders: readonly (Contender | null)[],
  options: BenchOptions,
  check: () => Promise<void>,
): Promise<ReadonlyMap<string, readonly Usage[]>> {
  const there = contenders.filter((contender) => contender !== null)
  const usages = await alternate(there, options.rounds, async ({ isOurs }) => {
    if (isOurs === true) await check()
  })
  for (const { maxRssBytes } of usages.flat()) largestRss = Math.max(largestRss, maxRssBytes ?? 0)
  return new Map(there.map(({ name }, index) => [name, usages[index] ?? []]))
}

async function raw(options: BenchOptions): Promise<Line[]> {
  const [time, cpu] = await rawBesideDd(options.rawMiB, options)
  const [, largerCpu] = await rawBesideDd(options.largeRawMiB, options)
  return [
    { ...time, target: { atMost: 1 } },
    { ...cpu, target: { atMost: 1.5 } },
    // What a restore costs whatever its size is a smaller part of it.
    largerCpu,
  ]
}

async function rawBesideDd(megabytes: number, options: BenchOptions): Promise<readonly [Line, Line]> {
  const sizeBytes = megabytes * MiB
  const image = await realData(sizeBytes)
  await using disk = await attachBenchDisk(sizeBytes)
  const usages = await compare(
    [restore(image, disk.path, '--noverify'), peers.dd(image, disk.path)],
    options,
    () => expectSame(image, disk.path, sizeBytes),
  )
  const ours = usages.get('reprise') ?? []
  const dd = usages.get('dd') ?? []
  const what = `raw image of ${megabytes} MiB`
  return [
    {
      what: `${what}: time, beside dd bs=1M with direct I/O and fsync`,
      ours: `${inSeconds(secondsOf(ours))}, ${perSecond(sizeBytes, secondsOf(ours))}`,
      peer: `${inSeconds(secondsOf(dd))}, ${perSecond(sizeBytes, secondsOf(dd))}`,
      value: secondsOf(ours) / secondsOf(dd),
      unit: '×',
      target: null,
    },
    {
      what: `${what}: CPU, beside the same`,
      ours: inSeconds(cpuOf(ours)),
      peer: inSeconds(cpuOf(dd)),
      value: cpuOf(ours) / cpuOf(dd),
      unit: '×',
      target: null,
    },
  ]
}

/** How many times as fast ours is as each peer. */
const compressed = (name: string, codec: BenchCodec, targets: Readonly<Record<string, Target | null>>) =>
  async function (options: BenchOptions): Promise<Line[]> {
    const megabytes = codec === 'zlib' ? options.imageMiB : options.otherMiB
    const sizeBytes = megabytes * MiB
    const data = await realData(sizeBytes)
    const image = await buildImage(data, codec)
    await using disk = await attachBenchDisk(sizeBytes)
    const all: Readonly<Record<string, Contender | null>> = {
      dmg2img: peers.dmg2img(image, disk.path),
      'qemu-img': peers.qemuImg(image, disk.path),
      '7-Zip': peers.sevenZip(image, disk.path),
    }
    const usages = await compare(
      [restore(image, disk.path, '--noverify'), ...Object.keys(targets).map((peer) => all[peer] ?? null)],
      options,
      () => expectSame(data, disk.path, sizeBytes),
    )
    const ours = usages.get('reprise') ?? []
    return Object.entries(targets).flatMap(([peer, target]): Line[] => {
      const theirs = usages.get(peer)
      if (theirs === undefined) return []
      return [
        {
          what: `${name} of ${megabytes} MiB: how many times as fast as ${peer}`,
          ours: `${inSeconds(secondsOf(ours))}, ${perSecond(sizeBytes, secondsOf(ours))}`,
          peer: `${inSeconds(secondsOf(theirs))}, ${perSecond(sizeBytes, secondsOf(theirs))}`,
          value: secondsOf(theirs) / secondsOf(ours),
          unit: '×',
          target,
        },
      ]
    })
  }

async function verify(options: BenchOptions): Promise<Line[]> {
  const sizeBytes = options.rawMiB * MiB
  const image = await realData(sizeBytes)
  await using disk = await attachBenchDisk(sizeBytes)
  const usages = await compare(
    [restore(image, disk.path), peers.dd(image, disk.path), peers.ddRead(disk.path, options.rawMiB)],
    options,
    () => expectSame(image, disk.path, sizeBytes),
  )
  const ours = secondsOf(usages.get('reprise') ?? [])
  const write = secondsOf(usages.get('dd') ?? [])
  const read = secondsOf(usages.get('dd, reading') ?? [])
  return [
    {
      what: `copy and verify of ${options.rawMiB} MiB, beside writing and reading the device`,
      ours: inSeconds(ours),
      peer: `${inSeconds(write)} + ${inSeconds(read)}`,
      value: ours / (write + read),
      unit: '×',
      target: { atMost: 1.35 },
    },
  ]
}

async function memory(options: BenchOptions): Promise<Line[]> {
  const image = join(cacheFolder, 'many-runs.dmg')
  try {
    mkdirSync(cacheFolder, { recursive: true })
    writeManyRuns(image, options.manyRuns)
    const opens: Usage[] = []
    for (let round = 0; round <= options.rounds; round++)
      opens.push(await measure(reprise('reprise', ['image', 'info', image, '--json'])))
    const rss = Math.max(...opens.map(({ maxRssBytes }) => maxRssBytes ?? Infinity))
    const seconds = secondsOf(opens.slice(1))
    await using disk = await attachBenchDisk(Math.ceil((options.manyRuns * 512) / MiB) * MiB)
    const restored = await measure(restore(image, disk.path))
    largestRss = Math.max(largestRss, restored.maxRssBytes ?? Infinity)
    const what = `an image of ${options.manyRuns.toLocaleString('en')} runs`
    return [
      {
        what: `${what} opens`,
        ours: inSeconds(seconds),
        peer: '',
        value: seconds,
        unit: 's',
        target: { atMost: 2 },
      },
      {
        what: `${what}: memory to open it`,
        ours: inMiB(rss),
        peer: '',
        value: rss / MiB,
        unit: 'MiB',
        target: { atMost: 200 },
      },
    ]
  } finally {
    rmSync(image, { force: true })
  }
}

/** By the name that `--only` takes. */
export const groups: Readonly<Record<string, (options: BenchOptions) => Promise<Line[]>>> = {
  raw,
  udzo: compressed('UDZO', 'zlib', {
    dmg2img: { atLeast: 2 },
    'qemu-img': { atLeast: 3 },
    '7-Zip': { atLeast: 1 },
  }),
  udbz: compressed('UDBZ', 'bzip2', { '7-Zip': null }),
  ulfo: compressed('ULFO', 'lzfse', { '7-Zip': null }),
  ulmo: compressed('ULMO', 'lzma', { '7-Zip': null }),
  udco: compressed('UDCO', 'adc', { '7-Zip': null }),
  verify,
  imagescan: measureImagescan,
  'changed-only': measureChangedOnly,
  convert: measureConvert,
  http: measureHttp,
  ...multicastGroups,
  memory,
  window: measureWindow,
}

/** After everything else: the most that any restore took. None when there was none. */
export function memoryLine(largestRssBytes: number): Line[] {
  if (largestRssBytes === 0) return []
  return [
    {
      what: 'resident memory, the most of all restores above',
      ours: inMiB(largestRssBytes),
      peer: '',
      value: largestRssBytes / MiB,
      unit: 'MiB',
      target: { atMost: 220 },
    },
  ]
}
