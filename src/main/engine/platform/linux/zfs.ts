/**
 * ZFS keeps its disks to itself: neither sysfs nor mountinfo tells which devices a pool is made of, only `zpool` does
 * (zpool-list(8): -v with devices, -H by tabs, -P full paths, -L links resolved). Where that doesn't answer, any disk
 * with ZFS on it may be one of them.
 */
import type { Machine } from '#engine/platform/system'
import { DeviceError } from '#shared/errors'
import type { Mount } from './mounts.ts'

export interface ZfsPools {
  /** Imported pools and the `major:minor` of their devices; empty without ZFS. */
  readonly members: ReadonlyMap<string, readonly string[]>
  /** False: there is ZFS, and which disks it has can't be found out. */
  readonly isKnown: boolean
}

/** A suspended pool lets `zpool` hang: it isn't waited for with every list. */
const silenceMs = 30_000
const silentUntil = new WeakMap<Machine, number>()

export async function readZfsPools(system: Machine, mounts: readonly Mount[]): Promise<ZfsPools> {
  const pools = new Map<string, string[]>()
  const isUsed = mounts.some((mount) => mount.filesystem === 'zfs') || (await hasPools(system))
  if (!isUsed) return { members: pools, isKnown: true }
  const said = await askZpool(system)
  let members: string[] = []
  for (const line of (said ?? '').split('\n')) {
    const [pool = '', ...fields] = line.split('\t')
    if (pool !== '') {
      members = []
      pools.set(pool, members)
    }
    const path = fields.find((field) => field.startsWith('/dev/'))
    if (path === undefined) continue
    const facts = await system.stat(path).catch(() => null)
    if (facts?.kind === 'block') members.push(facts.node)
  }
  return { members: pools, isKnown: said !== null }
}

/** The kernel has a folder of figures for each imported pool, among files about all; it is there without any, too. */
async function hasPools(system: Machine): Promise<boolean> {
  const folder = '/proc/spl/kstat/zfs'
  for (const name of await system.readFolder(folder))
    if ((await system.readFolder(`${folder}/${name}`)).length > 0) return true
  return false
}

/** Null: no answer that one could go by. */
async function askZpool(system: Machine): Promise<string | null> {
  if (performance.now() < (silentUntil.get(system) ?? 0)) return null
  try {
    const result = await system.run('zpool', ['list', '-v', '-H', '-P', '-L'], { timeoutMs: 10_000 })
    return result.status === 0 ? result.stdout : null
  } catch (error) {
    DeviceError.accept(error)
    silentUntil.set(system, performance.now() + silenceMs)
    return null
  }
}
