/**
 * One engine host as a child process: started, greeted, and watched until it ends. Knows nothing of jobs or restarts.
 */
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { Connection, EngineContract } from '#shared/contract'
import { connectContract, engineContract } from '#shared/contract'
import type { AppError, EngineGoneCode } from '#shared/errors'
import { EngineGoneError } from '#shared/errors'
import { lineTransport } from '#main/stdio'
import type { EngineCommand } from './engine-command.ts'

export interface HostProcess {
  readonly connection: Connection<EngineContract>
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<void>
  /**
   * Ask it to end (its stdin closes: it cancels its jobs and waits for them) and wait until it has. After `graceMs` it
   * is killed, if we may: an elevated one isn't ours to kill, and ends by itself. What hangs in the kernel outlives that, and
   * isn't waited for.
   */
  end(graceMs: number): Promise<void>
}

export interface StartOptions {
  readonly version: string
  /** How long the first frame may take; null where a person is asked for a password on the way. */
  readonly helloTimeoutMs: number | null
  /** Aborting before the first frame kills the process. */
  readonly signal?: AbortSignal
  /** Its environment; default: ours, without what concerns only this process. */
  readonly env?: { readonly [name: string]: string }
  /** Turns the end of a process that never said hello into the right error; null when it has no better word. */
  readonly explainEnd?: (end: HostEnd) => AppError | null
}

/** How a process ended, and the last lines it logged or wrote to stderr. */
export interface HostEnd {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly lastLines: readonly string[]
  /** The program could not be started: the system's word (`ENOENT`). */
  readonly errno: string | null
}

/**
 * Variables that would change how Node behaves in the host, and the one by which it knows that it is elevated: pkexec sets that
 * anew, and ours, in a shell that pkexec opened, is about another.
 */
const dropped = /^(NODE_|ELECTRON_|npm_|VITEST|PKEXEC_UID$)/

/** A process that was killed ends at once, unless it hangs in the kernel. */
const killedMs = 2000

/**
 * Start `command` and wait for its hello. Rejects with E_ENGINE_GONE (or what `explainEnd` made of it) when it ended
 * before, with E_HELPER_VERSION when it is another version, with the signal's reason. Then no process is left.
 */
export async function startHost(command: EngineCommand, options: StartOptions): Promise<HostProcess> {
  options.signal?.throwIfAborted()
  const child = spawn(command.file, command.argv, {
    // Not in a folder of the user's: that would keep its volume from being unmounted.
    ...(process.platform === 'win32' ? {} : { cwd: '/' }),
    env: options.env ?? {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !dropped.test(name))),
      LC_ALL: 'C',
    },
    // Its own process group: Ctrl-C in the terminal is for us, and we end it properly.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  const lines = new LastLines(20)
  child.stderr.on('data', (chunk: Buffer) => lines.add(chunk.toString('utf8')))

  const transport = lineTransport(child.stdout, child.stdin)
  const ended = watchEnd(child, lines)
  const connection = connectContract(engineContract, {
    ...transport,
    // The streams end a moment before the process does; how it ended is the reason that tells something.
    onClose: (listener) =>
      transport.onClose((reason) => void ended.then((end) => listener(goneError(end, reason)))),
  })

  connection.subscribe('log', ({ level, message, fields }) => {
    lines.add(`${level}: ${message} ${JSON.stringify(fields)}\n`)
  })

  const host: HostProcess = {
    connection,
    ended: ended.then(() => undefined),
    async end(graceMs) {
      transport.close(new Error('no longer needed'))
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await Promise.race([ended, after(graceMs + killedMs)])
      clearTimeout(timer)
    },
  }

  const cut = new AbortController()
  const abort = () => cut.abort(options.signal?.reason)
  options.signal?.addEventListener('abort', abort, { once: true })
  const timer =
    options.helloTimeoutMs === null
      ? undefined
      : setTimeout(
          () => cut.abort(gone('E_ENGINE_GONE', 'the engine host does not answer', lines.read())),
          options.helloTimeoutMs,
        )
  try {
    const hello = await Promise.race([connection.hello, rejectOnAbort(cut.signal)])
    if (hello.version !== options.version) {
      const message = `the engine host is version ${hello.version}, the app ${options.version}`
      throw gone('E_HELPER_VERSION', message, [], { found: hello.version, expected: options.version })
    }
    return host
  } catch (error) {
    child.kill('SIGKILL')
    // What became root meanwhile can't be killed by us; it ends because its stdin does.
    transport.close(new Error('not needed'))
    const end = await ended
    throw (cut.signal.aborted ? null : options.explainEnd?.(end)) ?? error
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', abort)
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

function watchEnd(child: Child, lines: LastLines): Promise<HostEnd> {
  return new Promise((resolve) => {
    let errno: string | null = null
    child.on('error', (error: NodeJS.ErrnoException) => {
      errno = error.code ?? error.message
      if (child.pid === undefined) resolve({ exitCode: null, signal: null, lastLines: [], errno })
    })
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, lastLines: lines.read(), errno }))
  })
}

const after = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref())

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

function goneError(end: HostEnd, reason: Error): Error {
  if (reason instanceof EngineGoneError) return reason
  const how = end.errno ?? end.signal ?? `status ${end.exitCode}`
  return new EngineGoneError('E_ENGINE_GONE', `the engine host ended: ${how}`, {
    details: { exitCode: end.exitCode, signal: end.signal, lastLines: [...end.lastLines] },
    cause: reason,
    transient: true,
  })
}

function gone(
  code: EngineGoneCode,
  message: string,
  lastLines: readonly string[],
  more: { readonly [key: string]: string } = {},
): EngineGoneError {
  return new EngineGoneError(code, message, { details: { exitCode: null, signal: null, lastLines, ...more } })
}

/** The last lines of what was added, bounded. */
class LastLines {
  readonly #count: number
  #text = ''

  constructor(count: number) {
    this.#count = count
  }

  add(text: string): void {
    this.#text = (this.#text + text).slice(-8192)
  }

  read(): string[] {
    return this.#text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-this.#count)
  }
}
