/**
 * The longer fuzz test of the image formats: `node scripts/fuzz.ts [seconds] [first seed]`, 60 seconds from seed 1 if not
 * told otherwise. Damages the images of test/support/fuzz-image.ts and test/vectors/good by chance, opens and expands
 * them, and stops at the first that does anything but be opened or be refused with a FormatError: throws something else,
 * takes more than 5 s, or takes the process over 400 MiB. The damaged files stay then, and the seed makes them again.
 * Ends with how often each field refused, so that one can see what was reached.
 */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chance, damaged, seeds, tryImage, type Seed } from '#test/fuzz-image'

const slowMs = 5000
const largestResidentBytes = 400 * 1024 * 1024

const seconds = Number(process.argv[2] ?? 60)
const firstSeed = Number(process.argv[3] ?? 1)
if (!(seconds > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error('usage: node scripts/fuzz.ts [seconds] [first seed]')
  process.exit(2)
}

/** The committed vectors: also bzip2 and xz, which the builder can't make by itself. */
function vectorSeeds(): Seed[] {
  const folder = join(import.meta.dirname, '../test/vectors/good')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => !/\.(json|dmgpart)$/.test(name))
    .map((name) => ({
      name,
      files: [
        { suffix: name.slice(name.indexOf('.')), bytes: Uint8Array.from(readFileSync(join(folder, name))) },
      ],
    }))
}

const all = seeds(vectorSeeds())
const folder = mkdtempSync(join(tmpdir(), 'reprise-fuzz-'))
const outcomes = new Map<string, number>()
const end = performance.now() + seconds * 1000
let seed = firstSeed
let slowest = { ms: 0, seed: 0 }

for (; performance.now() < end; seed++) {
  const random = chance(seed)
  // The first numbers of neighbouring seeds are neighbours too.
  for (let skipped = 0; skipped < 8; skipped++) random(2)
  const image = all[random(all.length)]
  if (image === undefined) break
  const start = performance.now()
  try {
    const outcome = await tryImage(damaged(image, random), folder)
    const name =
      outcome.kind === 'opened'
        ? 'opened'
        : `${outcome.error.code} ${outcome.error.details.format} ${outcome.error.details.field.replaceAll(/\d+/g, 'n')}`
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
    const ms = performance.now() - start
    if (ms > slowest.ms) slowest = { ms, seed }
    if (ms > slowMs) throw new Error(`took ${Math.round(ms)} ms`)
    const resident = process.memoryUsage.rss()
    if (resident > largestResidentBytes) throw new Error(`${resident} bytes resident`)
  } catch (error) {
    console.error(`seed ${seed} (${image.name}), files in ${folder}:`, error)
    process.exit(1)
  }
}

for (const [name, count] of [...outcomes].toSorted(([, a], [, b]) => b - a)) console.log(`${count}\t${name}`)
console.log(
  `${seed - firstSeed} images, slowest ${Math.round(slowest.ms)} ms (seed ${slowest.seed}), ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`,
)
rmSync(folder, { recursive: true, force: true })
