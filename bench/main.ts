/**
 * `npm run bench [-- --quick] [-- --only NAME]… [-- --clean]`: measures our program beside its peers on this machine.
 * Writes docs/benchmarks.md, with the newest figures of every group, once all of them were measured here. Needs root, loop devices, the
 * built program (`npm run build`), and the peers; what isn't installed is left out and said. `--only` measures some of the
 * groups, `--quick` takes small images and writes nothing, `--clean` removes what is kept for the next run.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { format, resolveConfig } from 'prettier'
import { builtProgram } from './contenders.ts'
import { groups, memoryLine, takeLargestRss, type BenchOptions } from './groups.ts'
import { keepGroup, keptGroups, type KeptGroup } from './kept-lines.ts'
import { verdict, type Line } from './line.ts'
import { describeMachine } from './machine.ts'
import { cacheFolder } from './real-data.ts'
import { markdownReport, textReport } from './report.ts'

const full: BenchOptions = {
  rounds: 3,
  rawMiB: 2048,
  largeRawMiB: 8192,
  imageMiB: 1024,
  otherMiB: 256,
  manyRuns: 2_000_000,
}
const quick: BenchOptions = {
  rounds: 3,
  rawMiB: 256,
  largeRawMiB: 512,
  imageMiB: 256,
  otherMiB: 64,
  manyRuns: 2_000_000,
}

const conditions = [
  'The disk is a loop device over a file on this machine’s disk, with direct I/O (`losetup --direct-io=on`), all of whose blocks exist before.',
  'The data is files of this machine one after the other (binaries, documentation, node_modules), like in a tar file. Images are in the page cache for everybody.',
  'Images have runs of 1 MiB in order: zlib level 6, bzip2 -9, xz -6 with a dictionary of 8 MiB and no check; LZFSE and ADC by the encoders of our tests, which compress a little less well than Apple’s. After the first restore of every image the whole disk is compared with the data.',
  'Ours is the built program from start to end, `reprise restore --noprompt --noverify` (without `--noverify` in the lines about verifying and about HTTP): preflight, copy, flush, and reading the partition table anew.',
  'dd is `dd bs=1M oflag=direct conv=fsync`. 7-Zip (`7zz x -tdmg -so`) writes through the same dd. dmg2img and qemu-img write to the device and are followed by `sync` of it, so that everybody’s data is on the disk at the end.',
  'Multicast: server and clients are processes of the built program in network namespaces on a bridge, which is all on the same cores; clients receive the image’s file into memory, and every file is compared. Rates are of packets captured on the bridge, from the IPv4 header on. A client’s time is from its first packet to its last; udpcast’s from its start of sending, uftp’s is its own figure, both without their time to find each other.',
  'CPU is user and system time of all processes of a command, as bash’s `time` is told by the system; work of the kernel’s own threads for the loop device is in nobody’s. Memory is the largest resident size that the system kept.',
]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    clean: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
  },
})
if (values.clean) rmSync(cacheFolder, { recursive: true, force: true })
else process.exitCode = await run(values.only, values.quick ? quick : full, { write: !values.quick })

async function run(
  only: readonly string[],
  options: BenchOptions,
  { write }: { write: boolean },
): Promise<number> {
  const unknown = only.find((name) => !(name in groups))
  if (unknown !== undefined) {
    console.error(`There is no group ${unknown}: ${Object.keys(groups).join(', ')}`)
    return 2
  }
  if (process.getuid?.() !== 0 || !existsSync(builtProgram)) {
    console.error('Measuring needs root, for loop devices, and the built program: npm run build')
    return 2
  }
  const machine = describeMachine()
  const machineName = machine.map(([name, value]) => `${name}: ${value}`).join('\n')
  console.log(machineName)
  const lines: Line[] = []
  const take = (more: readonly Line[]) => {
    lines.push(...more)
    if (more.length > 0) console.log(textReport(more))
  }
  let largestRssBytes = 0
  for (const [name, measureGroup] of Object.entries(groups)) {
    if (only.length > 0 && !only.includes(name)) continue
    const measured = await measureGroup(options)
    take(measured)
    const rss = takeLargestRss()
    largestRssBytes = Math.max(largestRssBytes, rss)
    if (write) keepGroup(machineName, name, { date: today(), lines: measured, largestRssBytes: rss })
  }
  take(memoryLine(largestRssBytes))
  if (write) {
    const kept = keptGroups(machineName)
    const lacking = Object.keys(groups).filter((name) => !(name in kept))
    if (lacking.length === 0) await writeReport(reportOf(kept))
    else console.log(`Not written: never measured on this machine: ${lacking.join(', ')}`)
  }
  return lines.some((line) => verdict(line) === 'FAIL') ? 1 : 0

  function reportOf(kept: Readonly<Record<string, KeptGroup>>): string {
    const inOrder = Object.keys(groups).flatMap((name) => kept[name] ?? [])
    const rss = Math.max(0, ...inOrder.map((group) => group.largestRssBytes))
    const all = [...inOrder.flatMap((group) => group.lines), ...memoryLine(rss)]
    const dates = [...new Set(inOrder.map(({ date }) => date))].toSorted()
    return markdownReport(all, [['Measured', dates.join(', ')], ...machine], conditions)
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

async function writeReport(text: string): Promise<void> {
  const path = join(resolve(import.meta.dirname, '..'), 'docs/benchmarks.md')
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }))
  console.log(`Written to ${path}`)
}
