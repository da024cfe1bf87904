/** Runs the real program as a process, and always lets it go. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programEntry } from '#test/program-entry'

export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
  /** Both outputs in the order they came, as from one pipe. */
  readonly all: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when standard output or standard error holds `text`; rejects when it ends without. */
  said(text: string): Promise<void>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** `input` is all that standard input holds; with null it stays open and empty. */
export async function reprise(
  argv: readonly string[],
  input = '',
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return startReprise(argv, input, environment).ended
}

export function startReprise(
  argv: readonly string[],
  input: string | null = '',
  environment: Readonly<Record<string, string>> = {},
  [file = '', ...before]: readonly string[] = [process.execPath, programEntry],
): Running {
  const child = spawn(file, [...before, ...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  running.add(child)
  let out = ''
  let err = ''
  let all = ''
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    all += text
    tell()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    all += text
    tell()
  })
  child.stdin.on('error', () => undefined)
  if (input !== null) child.stdin.end(input)
  const ended = new Promise<Ended>((done, fail) => {
    child.once('error', fail)
    child.once('close', (status, signal) => {
      running.delete(child)
      done({ status, signal, out, err, all })
    })
  })
  return {
    child,
    ended,
    said: (text) =>
      new Promise((done, fail) => {
        const look = () => {
          if (!all.includes(text)) return
          listeners.delete(look)
          done()
        }
        listeners.add(look)
        void ended.then(() => fail(new Error(`it ended without saying ${JSON.stringify(text)}: ${all}`)))
        look()
      }),
  }
}

/** A folder for one test, deleted afterwards. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path(name: string): string }> {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-cli-'))
  return {
    path: (name) => join(folder, name),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
