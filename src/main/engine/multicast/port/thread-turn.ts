/**
 * How soon the sending thread runs when it wakes. A datagram that is late by some milliseconds can't be made up for within the
 * Data Rate, and on a busy computer others keep the processor for that long. So the thread goes before others: by its nice
 * value, and, while it sends at a rate that leaves it asleep most of the time, by Linux's round-robin real-time class.
 * sched(7). Only root may do either; without, everything works, only less evenly.
 *
 * Not without a cap: a real-time thread that never sleeps would keep a processor from all others, also from those
 * that serve the network. Nor where there is but one processor.
 */
import { readlinkSync } from 'node:fs'
import { availableParallelism, constants, setPriority } from 'node:os'
import { runProgram, type RunProgram } from '#engine/platform'

/** Bytes a second: a gigabit. Sending at that takes about half of a processor. */
const fastestRealTime = 125e6
/** A stream that nobody needs anything of may go on at any moment: each change costs a program. */
const restMs = 5000

export interface ThreadTurnOptions {
  /** Default: as this machine is. */
  readonly isLinux?: boolean
  /** Number of processors; default: this machine's. */
  readonly processors?: number
  readonly run?: RunProgram
  /** The calling thread's number for the system. Throws where there is none. */
  readonly thread?: () => string
}

/** Made by the thread that it is about. */
export class ThreadTurn {
  readonly #run: RunProgram
  /** Null: it can't be real-time. */
  readonly #thread: string | null
  #isRealTime = false
  #isWanted = false
  #wantedMs = -Infinity
  #isChanging = false
  #isRefused = false

  constructor(options: ThreadTurnOptions = {}) {
    const { isLinux = process.platform === 'linux', processors = availableParallelism() } = options
    this.#run = options.run ?? runProgram
    this.#thread = isLinux && processors > 1 ? numberOf(options.thread ?? callingThread) : null
  }

  /**
   * The Data Rates of all streams that are sending now, in bytes a second together. `nowMs`: of any clock that doesn't go back. Never
   * throws.
   */
  follow(bytesPerSecond: number, nowMs: number): void {
    if (bytesPerSecond > 0) {
      this.#isWanted = bytesPerSecond <= fastestRealTime
      this.#wantedMs = nowMs
    } else if (nowMs - this.#wantedMs >= restMs) this.#isWanted = false
    void this.#change()
  }

  async #change(): Promise<void> {
    const thread = this.#thread
    if (thread === null || this.#isChanging) return
    this.#isChanging = true
    while (!this.#isRefused && this.#isRealTime !== this.#isWanted) {
      const wanted = this.#isWanted
      // Programs and threads that this one starts are as all others.
      const policy = wanted ? ['--rr', '--reset-on-fork', '--pid', '1'] : ['--other', '--pid', '0']
      const status = await this.#run('chrt', [...policy, thread]).then(
        (result) => result.status,
        () => 1,
      )
      if (status === 0) this.#isRealTime = wanted
      // As it is in a container that may not: asked once.
      else if (wanted) this.#isRefused = true
      // It must not stay so: tried again when it is next followed.
      else break
    }
    this.#isChanging = false
  }
}

/** 0 is the calling thread on Linux, and the whole process elsewhere, which is left as it is. */
export function goBeforeOthers(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, constants.priority.PRIORITY_HIGH)
  } catch {
    // As all others, then.
  }
}

function numberOf(thread: () => string): string | null {
  try {
    const number = thread()
    return /^[1-9]\d{0,9}$/.test(number) ? number : null
  } catch {
    return null
  }
}

/** `PID/task/TID`: proc(5). */
const callingThread = () => readlinkSync('/proc/thread-self').split('/').at(-1) ?? ''
