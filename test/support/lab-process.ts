/** A program that runs in one machine of the lab: what it said, what it took, and its end. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

export interface LabEnded {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  /** Standard output and standard error in the order they came. */
  readonly text: string
  /** From its start to its end. */
  readonly seconds: number
}

export interface LabProcess {
  readonly pid: number
  /** Settles when it has ended, and its pipes too. */
  readonly ended: Promise<LabEnded>
  /** Both outputs so far. */
  text(): string
  /** Resolves when `text()` has it; rejects with all it said when the program ends without. */
  said(expected: string | RegExp): Promise<void>
  kill(signal: NodeJS.Signals): void
  /** So far; null when it has ended. CPU in hundredths, of all its threads. */
  usage(): LabUsage | null
}

export interface LabUsage {
  readonly cpuSeconds: number
  readonly maxRssBytes: number
}

/** What Linux counts CPU in: `getconf CLK_TCK` is 100 everywhere. */
const ticksPerSecond = 100

/**
 * Where Node keeps what it compiled: sixteen clients that start at once on two cores would otherwise spend most of their time
 * with reading the same sources.
 */
const compiled = { NODE_COMPILE_CACHE: resolve(import.meta.dirname, '../../node_modules/.cache/lab') }

/** Start `argv` in a namespace. `ip netns exec` becomes the program, so the process's id is the program's. */
export function startInNamespace(
  namespace: string,
  argv: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>> | undefined; readonly cwd?: string } = {},
): LabProcess {
  const startedMs = performance.now()
  const child = spawn('ip', ['netns', 'exec', namespace, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...compiled, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, ...options.env },
    cwd: options.cwd,
  })
  let text = ''
  let hasEnded = false
  const listeners = new Set<() => void>()
  const take = (more: string) => {
    text += more
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  const ended = new Promise<LabEnded>((done, fail) => {
    child.once('error', fail)
    child.once('close', (status, signal) => {
      hasEnded = true
      done({ status, signal, text, seconds: (performance.now() - startedMs) / 1000 })
    })
  })
  ended.catch(() => undefined)
  const pid = child.pid ?? 0
  return {
    pid,
    ended,
    text: () => text,
    said: (expected) =>
      new Promise((done, fail) => {
        const look = () => {
          const isThere = typeof expected === 'string' ? text.includes(expected) : expected.test(text)
          if (!isThere) return
          listeners.delete(look)
          done()
        }
        listeners.add(look)
        look()
        void ended.then(() => fail(new Error(`it ended without saying ${String(expected)}: ${text}`)), fail)
      }),
    kill: (signal) => void child.kill(signal),
    usage: () => (hasEnded ? null : usageOf(pid)),
  }
}

function usageOf(pid: number): LabUsage | null {
  try {
    // proc(5): the second field is a name in brackets; the 14th and 15th are user and system time.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return { cpuSeconds: ticks / ticksPerSecond, maxRssBytes: Number(peak ?? 0) * 1024 }
  } catch {
    return null
  }
}
