/**
 * Loaded into our program with `--import`: writes what the process used to the file that REPRISE_USAGE names, when it
 * exits. The system keeps the largest resident size itself, so nothing is missed.
 */
import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const path = process.env.REPRISE_USAGE
if (isMainThread && path !== undefined) {
  process.on('exit', () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
    writeFileSync(
      path,
      JSON.stringify({ maxRssBytes: maxRSS * 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }),
    )
  })
}
