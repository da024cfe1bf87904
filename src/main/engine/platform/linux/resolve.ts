/** From what a person names (a device node, a mount point, a file) to what it is. */
import { deviceError, type FileFacts, type Machine, type Resolved } from '#engine/platform/system'
import { DeviceError, errnoName } from '#shared/errors'
import type { Disk } from '#shared/model'
import { parseSwaps, showsFilesystem } from './mounts.ts'
import { readSnapshot, type LinuxSnapshot, type Place } from './snapshot.ts'
import { isListed, type BlockDevice } from './sysfs.ts'

/** Describes a disk of the snapshot that was just taken. */
type Describe = (snapshot: LinuxSnapshot, device: BlockDevice) => Promise<Disk>

/**
 * `locator` is an absolute path. `describe` is called only when it leads to a device. Throws DeviceError E_NOT_FOUND (also
 * for a missing node in /dev: a mistyped disk must never become a file), E_DENIED.
 */
export async function resolveLocator(
  system: Machine,
  locator: string,
  describe: Describe,
): Promise<Resolved> {
  const facts = await statOrNull(system, locator)
  if (facts === null) return resolveAbsent(system, locator)
  const path = (await system.realPath(locator)) ?? locator
  switch (facts.kind) {
    case 'block':
      return resolveDevice(path, facts, describe, await readSnapshot(system))
    case 'folder':
      return resolveFolder(path, describe, await readSnapshot(system))
    case 'file':
      if (isInDev(path)) return { kind: 'other', path, what: 'a plain file in /dev' }
      if (parseSwaps((await system.readText('/proc/swaps')) ?? '').some((swap) => swap.path === path))
        return { kind: 'other', path, what: 'a swap file that is in use' }
      return {
        kind: 'file',
        path,
        sizeBytes: facts.sizeBytes,
        device: facts.deviceNumber,
        inode: facts.inode,
      }
    case 'character':
      return { kind: 'other', path, what: 'a character device' }
    case 'socket':
      return { kind: 'other', path, what: 'a socket' }
    case 'fifo':
      return { kind: 'other', path, what: 'a pipe' }
    default:
      return { kind: 'other', path, what: 'something that is not a file' }
  }
}

/** A disk or partition, in the reading of the machine that it was found in. */
export interface FoundDevice {
  readonly place: Place
  readonly snapshot: LinuxSnapshot
}

/** What the node at `path` stands for. Throws DeviceError E_NOT_FOUND, E_DENIED, E_DST_GONE. */
export async function deviceAt(system: Machine, path: string): Promise<FoundDevice> {
  const facts = await statOrNull(system, path)
  if (facts === null)
    throw new DeviceError('E_NOT_FOUND', `there is no ${path}`, { details: { path, errno: 'ENOENT' } })
  if (facts.kind !== 'block')
    throw new DeviceError('E_NOT_FOUND', `${path} is not a block device`, { details: { path } })
  const snapshot = await readSnapshot(system)
  const place = snapshot.at(facts.node)
  if (place === null)
    throw new DeviceError('E_DST_GONE', `${path} has no disk behind it`, { details: { path } })
  return { place, snapshot }
}

async function resolveDevice(
  path: string,
  facts: FileFacts,
  describe: Describe,
  snapshot: LinuxSnapshot,
): Promise<Resolved> {
  const place = snapshot.at(facts.node)
  if (place === null) {
    const major = facts.node.split(':')[0]
    return { kind: 'other', path, what: major === '11' ? 'a CD drive' : 'a drive with nothing in it' }
  }
  if (!isListed(place.disk)) {
    const mapped = place.disk.slaves.length > 0
    return { kind: 'other', path, what: mapped ? 'a device made of other disks' : 'not a disk' }
  }
  const disk = await describe(snapshot, place.disk)
  if (place.partition === null) return { kind: 'disk', disk }
  const volume = disk.volumes.find((candidate) => candidate.path === place.partition?.path)
  if (volume === undefined) return { kind: 'other', path, what: 'a part of the partition map' }
  return { kind: 'volume', disk, volume }
}

async function resolveFolder(path: string, describe: Describe, snapshot: LinuxSnapshot): Promise<Resolved> {
  // What was mounted last at a place is what one sees there.
  const mount = snapshot.mounts.findLast((candidate) => candidate.mountPoint === path)
  if (mount === undefined) return { kind: 'other', path, what: 'a folder' }
  if (!showsFilesystem(mount)) return { kind: 'other', path, what: 'a folder that is shown here too' }
  const carriers = snapshot.devices
    .filter(isListed)
    .flatMap((device) =>
      [{ ...device, index: 0 }, ...device.partitions].map(({ number, index }) => ({ device, number, index })),
    )
    .filter(({ number }) => snapshot.mountsOn(number).includes(mount))
  // A file system may keep its journal elsewhere, or lie on several disks, none of which is it.
  const place =
    carriers.find(({ number }) => number === mount.device) ??
    (carriers.length === 1 ? carriers[0] : undefined)
  if (place === undefined && carriers.length > 1)
    return { kind: 'other', path, what: `a ${mount.filesystem} on several disks` }
  if (place !== undefined) {
    const disk = await describe(snapshot, place.device)
    const volume = disk.volumes.find((candidate) => candidate.index === place.index)
    if (volume !== undefined) return { kind: 'volume', disk, volume }
  }
  return { kind: 'other', path, what: `a mounted ${mount.filesystem}` }
}

async function resolveAbsent(system: Machine, locator: string): Promise<Resolved> {
  const slash = locator.lastIndexOf('/')
  const folder = locator.slice(0, slash) || '/'
  const name = locator.slice(slash + 1)
  const facts = await statOrNull(system, folder)
  const real = (await system.realPath(folder)) ?? folder
  const path = `${real === '/' ? '' : real}/${name}`
  // A link that leads nowhere, to a disk that was unplugged for one, must not become a file at its end either.
  const dangles = (await system.readLink(locator)) !== null
  if (facts?.kind !== 'folder' || name === '' || dangles || isInDev(path))
    throw new DeviceError('E_NOT_FOUND', `there is no ${locator}`, {
      details: { path: locator, errno: 'ENOENT', ...(facts === null ? { missingFolder: folder } : {}) },
    })
  return { kind: 'absent', path }
}

function isInDev(path: string): boolean {
  return path.startsWith('/dev/') && !path.startsWith('/dev/shm/')
}

/** Null when nothing is there. Throws DeviceError E_DENIED and the like. */
async function statOrNull(system: Machine, path: string): Promise<FileFacts | null> {
  try {
    return await system.stat(path)
  } catch (error) {
    const errno = errnoName(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return null
    // A name that no file can have: with a zero byte in it, too long, a loop of links.
    if (errno === 'ERR_INVALID_ARG_VALUE' || errno === 'ENAMETOOLONG' || errno === 'ELOOP')
      throw new DeviceError('E_NOT_FOUND', `there is no ${path.replaceAll('\0', '?')}`, {
        details: { path, errno },
        cause: error,
      })
    throw deviceError(error, { path, role: 'source' })
  }
}
