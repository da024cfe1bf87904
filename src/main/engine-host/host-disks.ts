/**
 * The system's disks with what only this host knows: which of them its jobs are writing to, and the Practice disk, which
 * is no device of the system.
 */
import type { Platform } from '#engine/platform'
import { practiceDisk, type PracticeContents } from '#engine/practice'
import type { Disk } from '#shared/model'

export interface HostPlatformDeps {
  readonly platform: Platform
  /** Paths of disks and files that jobs are writing to. */
  readonly claimed: () => ReadonlySet<string>
  readonly readContents: (path: string) => Promise<PracticeContents>
}

export class HostDisks {
  readonly #deps: HostPlatformDeps
  #practicePath: string | null = null

  constructor(deps: HostPlatformDeps) {
    this.#deps = deps
  }

  setPractice(path: string): void {
    this.#practicePath = path
  }

  isPractice(path: string): boolean {
    return path === this.#practicePath
  }

  /** The given disks of the system, marked, and the Practice disk after them. */
  async complete(disks: readonly Disk[]): Promise<readonly Disk[]> {
    const practice = await this.#practice()
    return [...disks.map((disk) => this.#mark(disk)), ...(practice === null ? [] : [practice])]
  }

  /** For the engines: as the system's, but a job's disk is busy, and the Practice disk is a disk, not a file. */
  platform(): Platform {
    const { platform } = this.#deps
    return override(platform, {
      list: async (signal) => (await platform.list(signal)).map((disk) => this.#mark(disk)),
      resolve: async (locator) => {
        const practice = this.isPractice(locator) ? await this.#practice() : null
        if (practice !== null) return { kind: 'disk', disk: practice }
        const resolved = await platform.resolve(locator)
        return 'disk' in resolved ? { ...resolved, disk: this.#mark(resolved.disk) } : resolved
      },
    })
  }

  async #practice(): Promise<Disk | null> {
    if (this.#practicePath === null) return null
    const disk = await practiceDisk(this.#practicePath, this.#deps.readContents)
    return disk && this.#mark(disk)
  }

  #mark(disk: Disk): Disk {
    return this.#deps.claimed().has(disk.path) ? { ...disk, busy: true } : disk
  }
}

/** `platform`, some of whose methods are other ones. */
function override(platform: Platform, methods: Partial<Platform>): Platform {
  return new Proxy(platform, {
    get(target, key) {
      if (Object.hasOwn(methods, key)) return Reflect.get(methods, key) as unknown
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
