/**
 * Standard output and standard error. Writes are synchronous as long as somebody reads: nothing is lost when the process ends,
 * and a program that reads our progress sees each line at once. What a full pipe or a stopped terminal can't take is kept and written later: work goes
 * on, and Ctrl-C is heard, while whoever should read has stalled. Of what only passes, no more than a few MiB are kept.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { DeviceError, errnoName } from '#shared/errors'

/** Passing is what a later text says better, or nobody needs later: it is left out while too much is kept already. */
export type Worth = 'passing' | 'lasting'

export interface Output {
  /** Silent once nobody reads it any more; throws DeviceError E_DST_FULL when it goes to a file on a full disk, E_IO_WRITE for anything else. */
  write(text: string, worth?: Worth): void
  /** Resolves when nothing is kept any more. Never rejects. */
  drained(): Promise<void>
  /** What waits for whoever reads it. */
  keptBytes(): number
}

export interface Outputs {
  readonly output: Output
  readonly errors: Output
  /** Both go to one screen, pipe or file: what is written to one breaks an open line of the other. */
  readonly areOne: boolean
}

export function openOutputs(): Outputs {
  const errors = createOutput({ descriptor: neverBlocking(2), name: null })
  // What comes out of one pipe, socket or terminal keeps its order.
  const same = sameOf(1, 2)
  const output =
    same === 'line' ? errors : createOutput({ descriptor: neverBlocking(1), name: 'standard output' })
  return { output, errors, areOne: same !== null }
}

/** /dev/ptmx (5, 2): opened anew it makes another pseudo-terminal. */
const pseudoTerminals = 0x502

/**
 * A pipe or a terminal opened anew doesn't make anybody wait. (A flag on the descriptor that we were given would also be one of those
 * who share it.) A socket, which other programs and journald give us, can't be opened anew: Node sets its flag as soon as it has a
 * stream of it, and takes it back when the process ends; `leave` does where it ends otherwise. Until then, and after a SIGKILL, other
 * programs that write to the same socket may find it full, too (EAGAIN).
 */
function neverBlocking(descriptor: 1 | 2): number {
  try {
    const stats = fstatSync(descriptor)
    if (stats.isSocket()) Reflect.get(process, descriptor === 1 ? 'stdout' : 'stderr')
    if (process.platform !== 'linux' || !(stats.isFIFO() || isatty(descriptor))) return descriptor
    if (stats.isCharacterDevice() && stats.rdev === pseudoTerminals) return descriptor
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
    return openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
  } catch {
    // Somebody else's, or nobody reads it: it is used as it is.
    return descriptor
  }
}

/** What both descriptors are; null: they are two. */
function sameOf(one: number, other: number): 'line' | 'file' | null {
  try {
    const [a, b] = [fstatSync(one), fstatSync(other)]
    if (a.dev !== b.dev || a.ino !== b.ino) return null
    return a.isFIFO() || a.isSocket() || isatty(one) ? 'line' : 'file'
  } catch {
    return null
  }
}

/** Nobody reads any more: a pipe closed (EPIPE), a terminal that hung up (EIO), a descriptor that was never open. */
const nobodyReads: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'EBADF', 'ECONNRESET', 'ENXIO'])
const full: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
/** Between tries, while nobody reads. */
const retryMs = 20
/** A day of a session's states is hundreds of times as much. */
const mostKeptBytes = 4 * 1024 * 1024

export interface OutputOptions {
  readonly descriptor: number
  /** What it is called in an error; null: errors are kept quiet, there is nowhere left to tell them. */
  readonly name: string | null
  readonly write?: (descriptor: number, bytes: Uint8Array) => number
}

/** Exported for its test. */
export function createOutput({ descriptor, name, write = writeSync }: OutputOptions): Output {
  let closed = false
  let kept: Uint8Array[] = []
  let keptBytes = 0
  const waiting: (() => void)[] = []

  /** Returns what is left because the pipe is full. */
  function writeNow(all: Uint8Array): Uint8Array {
    let bytes = all
    while (bytes.length > 0 && !closed) {
      try {
        bytes = bytes.subarray(write(descriptor, bytes))
      } catch (error) {
        const errno = errnoName(error) ?? ''
        if (errno === 'EAGAIN') return bytes
        if (errno === 'EINTR') continue
        if (name !== null && !nobodyReads.has(errno)) throw lost(name, errno, error)
        closed = true
      }
    }
    return new Uint8Array(0)
  }
  function retry(): void {
    try {
      for (let [first] = kept; first !== undefined; [first] = kept) {
        const left = writeNow(first)
        keptBytes -= first.length - left.length
        if (left.length > 0) {
          kept[0] = left
          setTimeout(retry, retryMs)
          return
        }
        kept.shift()
      }
    } catch {
      // Whoever wrote it isn't there to be told; the next who writes will be.
      kept = []
      keptBytes = 0
    }
    for (const done of waiting.splice(0)) done()
  }

  return {
    write(text, worth = 'lasting') {
      const bytes = Buffer.from(text, 'utf8')
      if (kept.length > 0) {
        if (worth === 'passing' && keptBytes + bytes.length > mostKeptBytes) return
        kept.push(bytes)
        keptBytes += bytes.length
        return
      }
      const left = writeNow(bytes)
      if (left.length === 0) return
      kept = [left]
      keptBytes = left.length
      setTimeout(retry, retryMs)
    },
    drained: () =>
      new Promise((done) => {
        if (kept.length === 0) done()
        else waiting.push(done)
      }),
    keptBytes: () => keptBytes,
  }
}

const lost = (path: string, errno: string, cause: unknown) =>
  new DeviceError(full.has(errno) ? 'E_DST_FULL' : 'E_IO_WRITE', `write ${path}: ${errno}`, {
    details: { path, errno },
    cause,
  })
