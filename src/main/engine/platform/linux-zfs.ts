/**
 * ZFS keeps its disks to itself: neither sysfs nor mountinfo tells which devices a pool is made of, only `zpool` does
 * (zpool-list(8): -v with devices, -H by tabs, -P full paths, -L links resolved).
 */
import { DeviceError } from '#shared/errors'
import type { Mount } from './linux-mounts.ts'
import type { Machine } from './machine.ts'

/** Imported pools and the `major:minor` of their devices; empty without ZFS. */
export async function readZfsPools(
  system: Machine,
  mounts: readonly Mount[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const pools = new Map<string, string[]>()
  const loaded = (await system.readFolder('/proc/spl/kstat/zfs')).length > 0
  if (!loaded && !mounts.some((mount) => mount.filesystem === 'zfs')) return pools
  let members: string[] = []
  for (const line of (await askZpool(system)).split('\n')) {
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
  return pools
}

async function askZpool(system: Machine): Promise<string> {
  try {
    return (await system.run('zpool', ['list', '-v', '-H', '-P', '-L'], { timeoutMs: 10_000 })).stdout
  } catch (error) {
    DeviceError.accept(error)
    return ''
  }
}
