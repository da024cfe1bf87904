/** From what a person names to what it is, on a Mac. */
import { dirname } from 'node:path'
import { deviceError, type Machine, type Resolved } from '#engine/platform/system'
import { DeviceError, errnoName } from '#shared/errors'
import type { Disk } from '#shared/model'
import { readDiskInfo } from './diskutil.ts'
import { darwinIdentity, readDarwinSnapshot, volumesInStore, wholeDisksUnder, wholeOf } from './list.ts'

/** As `Platform.resolve`; `locator` is an absolute path. */
export async function resolveDarwin(
  system: Machine,
  locator: string,
  list: () => Promise<readonly Disk[]>,
): Promise<Resolved> {
  const node = /^\/dev\/r?(disk\d+(?:s\d+)*)$/.exec(locator)
  if (node?.[1] !== undefined) return resolveDevice(system, `/dev/${node[1]}`, await list())
  let facts
  try {
    facts = await system.stat(locator)
  } catch (error) {
    const errno = errnoName(error)
    if (errno !== 'ENOENT') throw deviceError(error, { path: locator, role: 'source' })
    const folder = await system.stat(dirname(locator)).catch(() => null)
    const dangles = (await system.readLink(locator)) !== null
    if (folder?.kind === 'folder' && !dangles && !locator.startsWith('/dev/'))
      return { kind: 'absent', path: locator }
    if (folder !== null) throw deviceError(error, { path: locator, role: 'source' })
    throw new DeviceError('E_NOT_FOUND', `there is no ${locator}`, {
      details: { path: locator, errno, missingFolder: dirname(locator) },
      cause: error,
    })
  }
  const path = (await system.realPath(locator)) ?? locator
  if (facts.kind === 'file')
    return {
      kind: 'file',
      path,
      sizeBytes: facts.sizeBytes,
      device: facts.deviceNumber,
      inode: facts.inode,
    }
  if (facts.kind !== 'folder') return { kind: 'other', path, what: 'something that is not a file' }
  for (const disk of await list())
    for (const volume of disk.volumes) {
      if (!volume.mountPoints.includes(path)) continue
      // Restoring onto one of several APFS volumes would overwrite the others with it.
      const { listed } = await readDarwinSnapshot(system)
      if (volumesInStore(listed, identifierOf(volume.path)).length > 1)
        return { kind: 'other', path, what: 'one of several APFS volumes in a container' }
      return { kind: 'volume', disk, volume }
    }
  return { kind: 'other', path, what: 'a folder' }
}

async function resolveDevice(system: Machine, path: string, disks: readonly Disk[]): Promise<Resolved> {
  for (const disk of disks) {
    if (disk.path === path) return { kind: 'disk', disk }
    const volume = disk.volumes.find((candidate) => candidate.path === path)
    if (volume !== undefined) return { kind: 'volume', disk, volume }
  }
  if ((await readDiskInfo(system, path)) !== null)
    return { kind: 'other', path, what: 'an APFS volume, or a device made of other disks' }
  throw new DeviceError('E_NOT_FOUND', `there is no disk ${path}`, { details: { path } })
}

/** As `Platform.identify`. */
export async function identifyDarwin(system: Machine, path: string): Promise<string> {
  const whole = `/dev/${wholeOf(identifierOf(path))}`
  const { images } = await readDarwinSnapshot(system)
  const info = (await readDiskInfo(system, path)) === null ? null : await readDiskInfo(system, whole)
  if (info === null)
    throw new DeviceError('E_DST_GONE', `${path} isn't there any more`, { details: { path } })
  return darwinIdentity(info, images.get(whole) ?? null)
}

/** As `Platform.disksHoldingFile`. */
export async function darwinDisksHolding(system: Machine, path: string): Promise<readonly string[]> {
  const { listed, images } = await readDarwinSnapshot(system)
  const found = new Set<string>()
  const waiting = [path]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const identifier = await storageOf(system, at)
    if (identifier === null) continue
    for (const whole of wholeDisksUnder(listed, identifier)) {
      if (found.has(`/dev/${whole}`)) continue
      found.add(`/dev/${whole}`)
      const image = images.get(`/dev/${whole}`)
      if (image !== undefined) waiting.push(image)
    }
  }
  return [...found].sort()
}

/** The device of the file system that a file is on, by `df -P`: POSIX fixes its columns, the first is the device. */
async function storageOf(system: Machine, path: string): Promise<string | null> {
  let existing = path
  while (existing !== '/' && (await system.stat(existing).catch(() => null)) === null)
    existing = dirname(existing)
  const node = identifierOf(existing)
  if (existing.startsWith('/dev/') && node.startsWith('disk')) return node
  const { stdout } = await system.run('df', ['-P', existing])
  return /^\/dev\/(disk\S+)/m.exec(stdout)?.[1] ?? null
}

/** `/dev/rdisk4s2` → `disk4s2`. */
export function identifierOf(path: string): string {
  return path.replace(/^\/dev\/r?(?=disk)/, '')
}
