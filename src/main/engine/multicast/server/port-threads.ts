/** The threads of the ports that sessions use: one a port, as long as somebody uses it, and a while longer for its last words. */
import type { ThreadHandle } from '#engine/multicast/port'

/** The use of a port. */
export interface PortLease {
  readonly thread: ThreadHandle
  /**
   * To be called once. Resolves when the port is free for others, if this was the last use of it; at once where its thread has ended by
   * itself, whoever has the port now.
   */
  release(): Promise<void>
}

interface Port {
  readonly thread: Promise<ThreadHandle>
  users: number
}

export class PortThreads implements AsyncDisposable {
  readonly #start: (port: number) => Promise<ThreadHandle>
  readonly #ports = new Map<number, Port>()
  /** A port that is being let go can't be taken before that is done. */
  readonly #closing = new Map<number, Promise<void>>()
  /** They have no port any more. */
  readonly #retired = new Set<ThreadHandle>()

  constructor(start: (port: number) => Promise<ThreadHandle>) {
    this.#start = start
  }

  has(port: number): boolean {
    return this.#ports.has(port)
  }

  /** Of a port that is used; undefined for others. */
  get(port: number): Promise<ThreadHandle> | undefined {
    return this.#ports.get(port)?.thread
  }

  all(): readonly Promise<ThreadHandle>[] {
    return [...this.#ports.values()].map(({ thread }) => thread)
  }

  /** Rejects with NetworkError E_MC_PORT; then there is nothing to give back. */
  async take(port: number): Promise<PortLease> {
    while (this.#closing.has(port)) await this.#closing.get(port)
    const known = this.#ports.get(port)
    const at = known ?? { thread: this.#start(port), users: 0 }
    if (known === undefined) this.#ports.set(port, at)
    at.users += 1
    try {
      return { thread: await at.thread, release: () => this.#release(port, at) }
    } catch (error) {
      if (this.#ports.get(port) === at) this.#ports.delete(port)
      throw error
    }
  }

  async #release(port: number, at: Port): Promise<void> {
    // It was `gone`, and another one may have come in its place.
    if (this.#ports.get(port) !== at) return
    at.users -= 1
    if (at.users > 0) return
    this.#ports.delete(port)
    const free = at.thread.then((thread) => this.#retire(thread))
    this.#closing.set(port, free)
    await free
    this.#closing.delete(port)
  }

  async #retire(thread: ThreadHandle): Promise<void> {
    this.#retired.add(thread)
    void thread.ended.then(() => this.#retired.delete(thread))
    await thread.retire()
  }

  /** It ended by itself. */
  gone(port: number): void {
    this.#ports.delete(port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const threads = await Promise.allSettled(this.all())
    this.#ports.clear()
    const started = threads.flatMap((thread) => (thread.status === 'fulfilled' ? [thread.value] : []))
    await Promise.all(this.#closing.values())
    await Promise.all([...started, ...this.#retired].map((thread) => thread[Symbol.asyncDispose]()))
  }
}
