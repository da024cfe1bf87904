/**
 * Ends the process for sure. `process.exit` waits for every thread, and one that reads from a disk or a file server that doesn't
 * answer may never end: the process would be there for ever, deaf to Ctrl-C.
 */
import { constants } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

/** What doesn't end by itself in so long hangs. */
const [graceMs, lookMs] = [500, 10]

const threads = new Set<Worker>()

/** From now on it is known which threads there are. Called before the first is started. */
export function watchThreads(): void {
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
 * What the system does needn't wait for threads: a signal that nobody listens to, which is how a program ends that was asked to by
 * one (status 128 and its number), or another program in its place, of which there is one for success and one for failure.
 */
function leaveThreads(status: number): void {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0]
  if (signal !== undefined) {
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  }
  try {
    process.execve?.(status === 0 ? '/usr/bin/true' : '/usr/bin/false', [], {})
  } catch {
    // There is no such program here.
  }
  process.kill(process.pid, 'SIGKILL')
}
