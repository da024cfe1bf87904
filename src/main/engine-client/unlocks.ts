/**
 * Passwords that opened images, for hosts that start later: an elevated one, or one that takes the place of another that died.
 * They are in this process's memory, and nowhere else, until the app ends.
 */
import type { EngineContract, RequestIn } from '#shared/contract'
import type { HostProcess } from './host-process.ts'

type Unlock = RequestIn<EngineContract, 'image.unlock'>

/** The oldest are forgotten. */
const rememberedImages = 100

export class Unlocks {
  readonly #byPath = new Map<string, Unlock>()
  readonly #given = new WeakMap<HostProcess, Set<Unlock>>()

  /** `host` opened it. */
  add(unlock: Unlock, host: HostProcess): void {
    this.#byPath.delete(unlock.path)
    this.#byPath.set(unlock.path, unlock)
    for (const path of this.#byPath.keys()) {
      if (this.#byPath.size <= rememberedImages) break
      this.#byPath.delete(path)
    }
    this.#givenTo(host).add(unlock)
  }

  /**
   * Tell `host` what it wasn't told yet. What it can't open, another file is there now for one, stays locked for it. Rejects
   * with the signal's reason.
   */
  async handTo(host: HostProcess, signal?: AbortSignal): Promise<void> {
    const given = this.#givenTo(host)
    const missing = this.#byPath
      .values()
      .filter((unlock) => !given.has(unlock))
      .toArray()
    await Promise.all(
      missing.map(async (unlock) => {
        given.add(unlock)
        await host.connection
          .request('image.unlock', unlock, signal === undefined ? {} : { signal })
          .catch(() => undefined)
      }),
    )
    signal?.throwIfAborted()
  }

  #givenTo(host: HostProcess): Set<Unlock> {
    const known = this.#given.get(host)
    if (known !== undefined) return known
    const made = new Set<Unlock>()
    this.#given.set(host, made)
    return made
  }
}
