/**
 * The elevated host: at most one, asked for when somebody needs it, shared by all who do, gone when it was idle for a
 * while. What it is asked to do is no business of this file.
 */
import type { HostProcess } from './host-process.ts'

export interface ElevationOptions {
  /** May wait for a person. Aborting ends the prompt; it settles when its process has ended. */
  readonly start: (signal: AbortSignal) => Promise<HostProcess>
  /** It is running a job. */
  readonly isBusy: (host: HostProcess) => boolean
  readonly idleMs: number
  readonly graceMs: number
}

interface Prompt {
  readonly host: Promise<HostProcess>
  readonly stop: AbortController
  waiting: number
}

export class Elevation {
  readonly #options: ElevationOptions
  #prompt: Prompt | null = null
  #host: HostProcess | null = null
  #uses = 0
  #idle: ReturnType<typeof setTimeout> | undefined
  readonly #leaving = new Set<Promise<void>>()

  constructor(options: ElevationOptions) {
    this.#options = options
  }

  /** The elevated host, where one is there already. */
  current(): HostProcess | null {
    return this.#host
  }

  /**
   * The elevated host, started if need be; several callers share one prompt. A caller who aborts leaves the others
   * their prompt; with the last one it is taken away, and then this settles when it is gone.
   */
  async get(signal?: AbortSignal): Promise<HostProcess> {
    signal?.throwIfAborted()
    // One that was taken away has ended soon, and is nobody else's: what they want, they ask for.
    while (this.#prompt?.stop.signal.aborted === true) await this.#prompt.host.catch(() => undefined)
    signal?.throwIfAborted()
    if (this.#host !== null) return this.#host
    const prompt = (this.#prompt ??= this.#ask())
    prompt.waiting += 1
    const leave = Promise.withResolvers<never>()
    const abort = () => {
      prompt.waiting -= 1
      if (prompt.waiting === 0) prompt.stop.abort(signal?.reason)
      else leave.reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([prompt.host, leave.promise])
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Run `work`, during which the host isn't idle. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#uses += 1
    clearTimeout(this.#idle)
    try {
      return await work()
    } finally {
      this.#uses -= 1
      this.rest()
    }
  }

  /** Something ended: if nothing is left to do, the host may stay for a while and then goes. */
  rest(): void {
    clearTimeout(this.#idle)
    const host = this.#host
    if (host === null || this.#uses > 0 || this.#options.isBusy(host)) return
    this.#idle = setTimeout(() => {
      this.#host = null
      const left = host.end(this.#options.graceMs)
      this.#leaving.add(left)
      void left.finally(() => this.#leaving.delete(left))
    }, this.#options.idleMs)
    this.#idle.unref()
  }

  /** End the prompt or the host, and wait until it is gone. */
  async end(): Promise<void> {
    clearTimeout(this.#idle)
    this.#prompt?.stop.abort(new Error('the app is ending'))
    await this.#prompt?.host.catch(() => undefined)
    const host = this.#host
    this.#host = null
    await host?.end(this.#options.graceMs)
    await Promise.all(this.#leaving)
  }

  #ask(): Prompt {
    const stop = new AbortController()
    const host = this.#options.start(stop.signal).then(
      (started) => {
        this.#prompt = null
        this.#host = started
        started.connection.onClose(() => {
          if (this.#host === started) this.#host = null
        })
        return started
      },
      (error: unknown) => {
        this.#prompt = null
        throw error
      },
    )
    return { host, stop, waiting: 0 }
  }
}
