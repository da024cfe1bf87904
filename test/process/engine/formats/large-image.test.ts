/** The promise about large images: two million chunk runs open in 200 MiB, measured on a process of its own. The bench has the time. */
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
  const { layout } = await openImage(${JSON.stringify(path)})
  const residentBytes = process.resourceUsage().maxRSS * 1024
  console.log(JSON.stringify({ rows: layout.extents.count, residentBytes }))`

async function measure(): Promise<{ rows: number; residentBytes: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: join(import.meta.dirname, '../../../..'),
  })
  return JSON.parse(stdout) as { rows: number; residentBytes: number }
}

describe.each(['ascending', 'shuffled'] as const)('an image with two million runs, %s', (order) => {
  beforeAll(() => writeManyRuns(path, runs, order))
  afterAll(() => rm(path, { force: true }))

  it('opens in 200 MiB', async () => {
    const { rows, residentBytes } = await measure()
    expect(rows).toBe(runs)
    expect(residentBytes).toBeLessThan(200 * 1024 * 1024)
  })
})
