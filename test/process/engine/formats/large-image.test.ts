/** The promise about large images: two million chunk runs open in under 2 s and 200 MiB, measured on a process of its own. */
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeManyRuns } from '#test/build-many-runs'

const runs = 2_000_000
const path = join(tmpdir(), `reprise-many-runs-${process.pid}.dmg`)

const program = `
  import { openImage } from '#engine/formats/image'
  const before = process.cpuUsage()
  const { layout } = await openImage(${JSON.stringify(path)})
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1000
  const residentBytes = process.resourceUsage().maxRSS * 1024
  console.log(JSON.stringify({ rows: layout.extents.count, ms, residentBytes }))`

/** Of the processor's time, which is what opening takes: the clock on the wall also measures the neighbours. */
async function measure(): Promise<{ rows: number; ms: number; residentBytes: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: join(import.meta.dirname, '../../../..'),
  })
  return JSON.parse(stdout) as { rows: number; ms: number; residentBytes: number }
}

describe.each(['ascending', 'shuffled'] as const)('an image with two million runs, %s', (order) => {
  beforeAll(() => writeManyRuns(path, runs, order))
  afterAll(() => rm(path, { force: true }))

  it('opens in under 2 s and 200 MiB', async () => {
    const { rows, ms, residentBytes } = await measure()
    expect(rows).toBe(runs)
    expect(ms).toBeLessThan(2000)
    expect(residentBytes).toBeLessThan(200 * 1024 * 1024)
  })
})
