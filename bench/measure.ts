/** Runs commands and tells what they took. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What one run took. CPU: user and system, of all processes of the command. */
export interface Usage {
  readonly seconds: number
  readonly cpuSeconds: number
  /** Largest resident size; null for programs that aren't ours. */
  readonly maxRssBytes: number | null
}

/** A shell command; `isOurs` for our program, whose memory is told too. `before` runs unmeasured. */
export interface Contender {
  readonly name: string
  readonly command: string
  readonly isOurs?: boolean
  readonly before?: () => Promise<void>
}

const preload = pathToFileURL(join(import.meta.dirname, 'report-usage.mjs')).href

/** Run once. bash's `time` asks the system about its finished children (getrusage). Throws when the command fails. */
export async function measure({ command, before }: Contender): Promise<Usage> {
  await before?.()
  const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-'))
  try {
    const usage = join(folder, 'usage.json')
    const script = `set -o pipefail; TIMEFORMAT='%3R %3U %3S'; time { ${command} ; } > "$1/out" 2> "$1/err"`
    const timed = await new Promise<string>((done, fail) => {
      const env = { ...process.env, LC_ALL: 'C', REPRISE_USAGE: usage, REPRISE_PRELOAD: preload }
      execFile('bash', ['-c', script, 'bench', folder], { env, timeout: 1_200_000 }, (error, _, stderr) => {
        if (error === null) done(stderr)
        else fail(new Error(`${command}\n${readFileSync(join(folder, 'err'), 'utf8')}`, { cause: error }))
      })
    })
    const [seconds = 0, user = 0, system = 0] = (timed.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
    return { seconds, cpuSeconds: user + system, maxRssBytes: maxRss(usage) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function maxRss(path: string): number | null {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { readonly maxRssBytes: number }).maxRssBytes
  } catch {
    return null
  }
}

/**
 * All contenders in turn, `rounds` times after a round that doesn't count, so that what the machine does besides falls
 * on all of them. Resolves to the usages of each, in its order.
 */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
  afterWarmUp?: (contender: Contender) => Promise<void>,
): Promise<readonly (readonly Usage[])[]> {
  for (const contender of contenders) {
    await measure(contender)
    await afterWarmUp?.(contender)
  }
  const usages = contenders.map((): Usage[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [index, contender] of contenders.entries()) usages[index]?.push(await measure(contender))
  return usages
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? high)) / 2
}

/** For shell commands. */
export const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`
