/**
 * The system's disks with what only this host knows: which of them its jobs are using, and the Practice disk, which
 * is no device of the system.
 */
import type { Platform } from '#engine/platform'
import { practiceDisk } from '#engine/practice'
import { markInUse, type Disk, type DisksInUse } from '#shared/model'

export interface HostPlatformDeps {
  readonly platform: Platform
  readonly inUse: () => DisksInUse
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
    return [...disks.map((disk) => this.#mark(disk)), ...(practice === null ? [] : [this.#mark(practice)])]
  }

  /**
   * For the engines: the system's platform, to which the Practice disk is a disk, not a file. Who plans sees which disks
   * jobs are using; a job must not be stopped by its own.
   */
  platform(viewer: 'planner' | 'job'): Platform {
    const { platform } = this.#deps
    const mark = viewer === 'planner' ? (disk: Disk) => this.#mark(disk) : (disk: Disk) => disk
    return override(platform, {
      list: async (signal) => (await platform.list(signal)).map(mark),
      resolve: async (locator, signal) => {
        if (this.#practicePath !== null && locator.startsWith(`${this.#practicePath}#`)) {
          return { kind: 'other', path: locator, what: 'a volume of the Practice disk' }
        }
        const practice = this.isPractice(locator) ? await this.#practice() : null
        if (practice !== null) return { kind: 'disk', disk: mark(practice) }
        const resolved = await platform.resolve(locator, signal)
        return 'disk' in resolved ? { ...resolved, disk: mark(resolved.disk) } : resolved
      },
    })
  }

  async #practice(): Promise<Disk | null> {
    if (this.#practicePath === null) return null
    return practiceDisk(this.#practicePath)
  }

  #mark(disk: Disk): Disk {
    return markInUse(disk, this.#deps.inUse())
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
