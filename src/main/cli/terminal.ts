/**
 * Where the command line reads, writes and is interrupted. Writes are synchronous: nothing is lost when the process
 * ends, and a program that reads our progress sees each line at once.
 */
import { writeSync } from 'node:fs'
import { DeviceError } from '#shared/errors'
import { readHidden, readLineOf, readUntilNul } from './hidden-input.ts'

export interface Terminal {
  /** Standard output. Silent once nobody reads it any more; throws DeviceError when a file can't take it. */
  readonly write: (text: string) => void
  /** Standard error. Never throws. */
  readonly writeError: (text: string) => void
  /** One line of standard input, without its end; null at the end of the input. Rejects with the signal's reason. */
  readLine(signal: AbortSignal): Promise<string | null>
  /** Standard input up to a NUL or its end, as it is; null when it is empty. Rejects with the signal's reason. */
  readPassword(signal: AbortSignal): Promise<string | null>
  /** Asks on a terminal, without showing what is typed; null where there is none. Rejects with the signal's reason. */
  askPassword(question: string, signal: AbortSignal): Promise<string | null>
  /** Calls `listener` at each Ctrl-C or request to end, instead of ending, until disposed. */
  onInterrupt(listener: () => void): Disposable
}

const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const writeError = createWriter({ descriptor: 2, name: null })
  return {
    write: createWriter({ descriptor: 1, name: 'standard output' }),
    writeError,
    readLine: async (signal) => await readLineOf(process.stdin, signal),
    async readPassword(signal) {
      if (process.stdin.isTTY) return await askPassword('Password: ', signal, writeError)
      return await readUntilNul(process.stdin, signal)
    },
    askPassword: (question, signal) => askPassword(question, signal, writeError),
    onInterrupt(listener) {
      const handle = () => listener()
      for (const name of interrupts) process.on(name, handle)
      return {
        [Symbol.dispose]: () => {
          for (const name of interrupts) process.off(name, handle)
        },
      }
    },
  }
}

async function askPassword(
  question: string,
  signal: AbortSignal,
  write: (text: string) => void,
): Promise<string | null> {
  if (!process.stdin.isTTY) return null
  try {
    return await readHidden(process.stdin, {
      signal,
      ask: () => write(question),
      interrupt: () => process.kill(process.pid, 'SIGINT'),
    })
  } finally {
    write('\n')
  }
}

/** Nobody reads any more: a pipe closed (EPIPE), a terminal that hung up (EIO), a descriptor that was never open. */
const nobodyReads: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'EBADF', 'ECONNRESET', 'ENXIO'])
const full: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export interface WriterOptions {
  readonly descriptor: number
  /** What it is called in an error; null: errors are kept quiet, there is nowhere left to tell them. */
  readonly name: string | null
  readonly write?: (descriptor: number, bytes: Uint8Array) => number
}

/**
 * Writes all of each text; quiet once nobody reads. Throws DeviceError E_DST_FULL when the output goes to a file on a full
 * disk, E_IO_WRITE for anything else. Exported for its test.
 */
export function createWriter({ descriptor, name, write = writeSync }: WriterOptions): (text: string) => void {
  let closed = false
  return (text) => {
    let bytes: Uint8Array = Buffer.from(text, 'utf8')
    while (bytes.length > 0 && !closed) {
      try {
        bytes = bytes.subarray(write(descriptor, bytes))
      } catch (error) {
        const errno = error instanceof Error && 'code' in error ? String(error.code) : ''
        if (nobodyReads.has(errno)) closed = true
        else if (errno === 'EAGAIN') wait(5)
        else if (errno === 'EINTR') continue
        else if (name === null) closed = true
        else throw lost(name, errno, error)
      }
    }
  }
}

const lost = (path: string, errno: string, cause: unknown) =>
  new DeviceError(full.has(errno) ? 'E_DST_FULL' : 'E_IO_WRITE', `write ${path}: ${errno}`, {
    details: { path, errno },
    cause,
  })

/** Whoever shares the pipe made it non-blocking and hasn't emptied it yet. */
const wait = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
