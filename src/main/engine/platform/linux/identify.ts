/** Which disk a path stands for now, and nothing more about it: asked before every write to the partition map, so it is cheap. */
import type { Machine } from '#engine/platform/system'
import { DeviceError } from '#shared/errors'
import { identityOf } from './list.ts'
import { readBlockDevice, type BlockDevice } from './sysfs.ts'

/** `Disk.identity` of the disk at `path`, or of the disk that the partition at `path` is on. Throws E_DST_GONE. */
export async function identifyDevice(system: Machine, path: string): Promise<string> {
  const disk = await diskBehind(system, path)
  if (disk === null)
    throw new DeviceError('E_DST_GONE', `${path} isn't there any more`, { details: { path } })
  return identityOf(system, disk)
}

/** Null when the path leads to no block device, or to one that has gone or is empty. */
async function diskBehind(system: Machine, path: string): Promise<BlockDevice | null> {
  const facts = await system.stat(path).catch(() => null)
  if (facts?.kind !== 'block') return null
  const own = await system.realPath(`/sys/dev/block/${facts.node}`)
  if (own === null) return null
  // A partition's folder is in its disk's.
  const isPartition = (await system.readText(`${own}/partition`)) !== null
  const folder = isPartition ? own.slice(0, own.lastIndexOf('/')) : own
  return readBlockDevice(system, folder.slice(folder.lastIndexOf('/') + 1))
}
