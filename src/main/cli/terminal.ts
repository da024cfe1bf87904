/**
 * Where the command line reads, writes and is interrupted. Writes are synchronous: nothing is lost when the process
 * ends, and a program that reads our progress sees each line at once.
 */
import { writeSync } from 'node:fs'

export interface Terminal {
  /** Standard output. Silent once nobody reads it any more. */
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** One line of standard input, without its end; null at the end of the input. Rejects with the signal's reason. */
  readLine(signal: AbortSignal): Promise<string | null>
  /** Calls `listener` at each Ctrl-C or request to end, instead of ending, until disposed. */
  onInterrupt(listener: () => void): Disposable
}

const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    write: createWriter(1),
    writeError: createWriter(2),
    readLine,
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

/** Nobody reads any more: a pipe closed (EPIPE), a terminal that hung up (EIO), a descriptor that was never open. */
const nobodyReads: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'EBADF', 'ECONNRESET', 'ENXIO'])

/** Writes all of each text to `descriptor`; a closed one is quiet. Exported for its test. */
export function createWriter(
  descriptor: number,
  write: (descriptor: number, bytes: Uint8Array) => number = writeSync,
): (text: string) => void {
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
        else if (errno !== 'EINTR') throw error
      }
    }
  }
}

/** Whoever shares the pipe made it non-blocking and hasn't emptied it yet. */
const wait = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

async function readLine(signal: AbortSignal): Promise<string | null> {
  const { createInterface } = await import('node:readline')
  signal.throwIfAborted()
  const lines = createInterface({ input: process.stdin, terminal: false })
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      lines.once('line', resolve)
      lines.once('close', () => resolve(null))
      process.stdin.once('error', () => resolve(null))
    })
  } finally {
    lines.close()
    process.stdin.pause()
  }
}
