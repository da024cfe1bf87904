/**
 * Which disks are used, across both hosts: the plain one, who lists and ejects them, doesn't know what the elevated one does with them,
 * and neither knows what waits for a prompt.
 */
import { DeviceError } from '#shared/errors'
import {
  diskRead,
  markInUse,
  pathWritten,
  type Disk,
  type DisksInUse,
  type JobState,
  type RestorePlan,
} from '#shared/model'

export interface DiskUsesDeps {
  /** Of both hosts; ended ones may be among them. */
  readonly jobs: () => Iterable<JobState>
  /** What was confirmed, and isn't a job yet: there may be a prompt for rights. */
  readonly starting: () => Iterable<RestorePlan>
}

export class DiskUses {
  readonly #deps: DiskUsesDeps
  /** Which may take minutes. */
  readonly #ejecting = new Set<string>()
  #disks: readonly Disk[] = []

  constructor(deps: DiskUsesDeps) {
    this.#deps = deps
  }

  /** As the plain host lists them. */
  see(disks: readonly Disk[]): void {
    this.#disks = disks
  }

  /** What was seen last, marked. */
  disks(): readonly Disk[] {
    const inUse = this.#inUse()
    return this.#disks.map((disk) => markInUse(disk, inUse))
  }

  /** The disk that `source` names, by any name it has; null: none. */
  diskOf(source: string | null): Disk | null {
    const holds = ({ path, volumes }: Disk) =>
      path === source ||
      volumes.some((volume) => volume.path === source || volume.mountPoints.some((point) => point === source))
    return this.#disks.find(holds) ?? null
  }

  /** Throws DeviceError E_DST_BUSY where one of these is being ejected. */
  refuseEjecting(...paths: readonly (string | null)[]): void {
    for (const path of paths)
      if (path !== null && this.#ejecting.has(path)) throw busy(path, 'is being ejected')
  }

  /** Nothing is started on it until that is disposed. Throws DeviceError E_DST_BUSY for one that is used, or about to be. */
  claimToEject(path: string): Disposable {
    const { written, read } = this.#inUse()
    if (written.has(path) || read.has(path)) throw busy(path, 'is being used by a job')
    this.refuseEjecting(path)
    for (const plan of this.#deps.starting())
      if ([pathWritten(plan), diskRead(plan)].includes(path)) throw busy(path, 'is about to be used')
    this.#ejecting.add(path)
    return { [Symbol.dispose]: () => void this.#ejecting.delete(path) }
  }

  #inUse(): DisksInUse {
    const written = new Set<string>()
    const read = new Set<string>()
    for (const { outcome, plan, kind, source } of this.#deps.jobs()) {
      if (outcome !== null) continue
      if (plan !== null) written.add(pathWritten(plan))
      const imaged = kind === 'create-image' ? (this.diskOf(source)?.path ?? null) : null
      const from = plan === null ? imaged : diskRead(plan)
      if (from !== null) read.add(from)
    }
    return { written, read }
  }
}

const busy = (path: string, why: string) =>
  new DeviceError('E_DST_BUSY', `${path} ${why}`, { details: { path, holders: ['Reprise'] } })
