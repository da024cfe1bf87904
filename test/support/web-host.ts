/**
 * `reprise web` as a real process, with a home and a data folder of its own. Serves what `electron-vite build` made;
 * `npm test` builds before the tests run.
 */
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { programEntry } from '#test/program-entry'

const root = dirname(dirname(import.meta.dirname))
/** The Node of the project, whatever runs the tests. */
export const node24 = join(root, 'node_modules/node/bin/node')
/** The engine binary, from source. */
export const reprise = programEntry

export interface WebHost extends AsyncDisposable {
  /** The link with its one-time token. */
  readonly url: string
  readonly origin: string
  readonly pid: number
  /** The person's home folder: what is put here can be dropped on the window. */
  readonly home: string
  /** Preferences, Practice disk. */
  readonly data: string
  /** Lines on stdout and stderr so far. */
  output(): string
  /** Process ids of the engine hosts that belong to it. */
  engineHosts(): number[]
  /** Ctrl-C, then wait. Resolves to the exit status, or the signal that ended it. */
  stop(): Promise<number | string>
}

export interface WebHostOptions {
  readonly argv?: readonly string[]
  readonly env?: { readonly [name: string]: string }
  /** Default: a temporary one, removed at the end. */
  readonly home?: string
}

/** Starts it and waits for its first line. Rejects with what it printed when that doesn't come. */
export async function startWebHost(options: WebHostOptions = {}): Promise<WebHost> {
  if (!existsSync(join(root, 'out/renderer/index.html'))) {
    throw new Error('the window is not built: run `npm run build`')
  }
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'reprise-home-'))
  const data = join(home, '.local/share/reprise')
  const child = spawn(node24, [reprise, 'web', ...(options.argv ?? [])], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const removeHome = () => {
    if (options.home === undefined) rmSync(home, { recursive: true, force: true })
  }
  let output = ''
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? code ?? 'unknown'))
  })
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`reprise web says nothing: ${output}`)), 30_000)
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const link = /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(output)?.[0]
      if (link === undefined) return
      clearTimeout(timer)
      resolve(link)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then((how) => reject(new Error(`reprise web ended (${how}): ${output}`)))
  }).catch(async (error: unknown) => {
    child.kill('SIGKILL')
    await ended
    removeHome()
    throw error
  })
  const pid = child.pid ?? 0
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
    const how = await ended
    clearTimeout(timer)
    return how
  }
  return {
    url,
    origin: new URL(url).origin,
    pid,
    home,
    data,
    output: () => output,
    engineHosts: () => engineHosts(pid),
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      removeHome()
    },
  }
}

/** The command line, for somebody with this home. Rejects with what it printed when its status isn't 0. */
export const runReprise = (home: string, ...argv: readonly string[]) =>
  promisify(execFile)(node24, [reprise, ...argv], {
    env: { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8' },
    timeout: 60_000,
  })

/** Waits until `check` gives something, looking every 20 ms. Throws after `timeoutMs`. */
export async function until<T>(
  check: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    const value = await check()
    if (value !== null && value !== undefined && value !== false) return value
    if (performance.now() > endMs) throw new Error(`nothing came within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether a process is there (and not only its entry, waiting to be collected). */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Process ids of the engine hosts that a process started. */
export function engineHosts(pid: number): number[] {
  return childrenOf(pid).filter((id) => commandLineOf(id).includes('engine-host'))
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((id) => Number.isInteger(id) && id > 0 && parentOf(id) === pid)
}

function parentOf(pid: number): number | null {
  try {
    // `pid (name) state ppid …`; the name may hold anything.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}

function commandLineOf(pid: number): string {
  try {
    statSync(`/proc/${pid}`)
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
