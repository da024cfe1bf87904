/**
 * Ends the process for sure. `process.exit` waits for every thread, and one that reads from a disk or a file server that doesn't
 * answer may never end: the process would be there for ever, deaf to Ctrl-C.
 */
import { constants, fstatSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

/** What doesn't end by itself in so long hangs. */
const [graceMs, lookMs] = [500, 10]

const threads = new Set<Worker>()
/** Of standard input, output and error, those that didn't block when we got them. */
let foundNonBlocking: readonly number[] = []

/**
 * From now on it is known which threads there are, and how the standard streams were found. Called before the first thread is started, and
 * before anybody has a stream of one.
 */
export function watchThreads(): void {
  foundNonBlocking = [0, 1, 2].filter((descriptor) => blocks(descriptor) === false)
  process.on('worker', (worker) => {
    threads.add(worker)
    worker.once('exit', () => threads.delete(worker))
  })
}

/** Everything is written and let go. */
export async function leave(status: number): Promise<never> {
  for (const thread of threads) void thread.terminate()
  for (let waitedMs = 0; isReading() && waitedMs < graceMs; waitedMs += lookMs) await setTimeout(lookMs)
  if (isReading()) leaveThreads(status)
  process.exit(status)
}

const isReading = () =>
  threads.size > 0 || process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'))

/**
 * Another program in its place: the system ends the threads of this one for it, all but those that it can't wake itself. It is Node,
 * which is surely there (where a program isn't, execve aborts), and does nothing but end with the same status.
 */
function leaveThreads(status: number): never {
  giveBackStreams()
  process.execve?.(process.execPath, [process.execPath, '-e', `process.exit(${status})`], {})
  process.kill(process.pid, 'SIGKILL')
  throw new Error('killed')
}

/**
 * A socket or a pipe that others share with us is as Node left it, which doesn't block, and they may take that for an error. Node gives it
 * back only where it ends by itself.
 */
function giveBackStreams(): void {
  for (const [descriptor, name] of (['stdin', 'stdout', 'stderr'] as const).entries())
    try {
      const stats = fstatSync(descriptor)
      if (!(stats.isSocket() || stats.isFIFO())) continue
      if (blocks(descriptor) === true || foundNonBlocking.includes(descriptor)) continue
      const stream: { readonly _handle?: { readonly setBlocking?: (blocking: boolean) => unknown } | null } =
        process[name] as object
      stream._handle?.setBlocking?.(true)
    } catch {
      // Closed: nobody shares it.
    }
}

/** Null where the system doesn't tell. */
function blocks(descriptor: number): boolean | null {
  try {
    const [, flags] =
      /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')) ?? []
    return flags === undefined ? null : (parseInt(flags, 8) & constants.O_NONBLOCK) === 0
  } catch {
    return null
  }
}
