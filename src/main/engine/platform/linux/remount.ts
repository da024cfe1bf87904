/**
 * Put back what was unmounted: volumes where they were, then folders of them that were shown elsewhere too (bind mounts).
 * What is there already, by whomever, is left alone.
 */
import {
  programFailed,
  runChecked,
  stoppable,
  type Machine,
  type MountedVolume,
  type ProgramResult,
} from '#engine/platform/system'
import { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'
import { probeContents } from './contents.ts'
import { isWithin, showsFilesystem } from './mounts.ts'
import { isMountable } from './readable.ts'
import { readSnapshot, type LinuxSnapshot } from './snapshot.ts'

/** For a disk that has just been written to, and may have much to do. */
const patienceMs = 60_000

/**
 * Mount each of `volumes` again where it was, if there is a file system now. A device that the system's automounter has
 * mounted meanwhile is left where it is. A folder that was bound is bound again if the file system is still of the same
 * kind and has it. Failures don't stop the others; the signal does, and what isn't mounted then is told like a failure.
 * So is a file system that this computer has no driver for, as `why: 'unreadable'`: that is nobody's fault.
 */
export async function remountVolumes(
  system: Machine,
  log: Logger,
  volumes: readonly MountedVolume[],
  signal?: AbortSignal,
): Promise<{ readonly mountPoints: readonly string[]; readonly errors: readonly Error[] }> {
  const mountPoints = new Set<string>()
  const errors: Error[] = []
  const automounted = await automountedAt(system, volumes)
  for (const mountPoint of [...automounted.values()].flat()) mountPoints.add(mountPoint)
  const wholes = volumes.filter((each) => each.subfolder === null && !automounted.has(each.devicePath))
  const folders = volumes.filter((each) => each.subfolder !== null)
  // In the order they were mounted: one may be inside another.
  for (const each of [...wholes, ...folders]) {
    try {
      signal?.throwIfAborted()
      if (await mountAgain(system, log, each, signal)) mountPoints.add(each.mountPoint)
    } catch (thrown) {
      const error =
        signal?.aborted === true && thrown === signal.reason ? notMounted(each, 'stopped') : thrown
      DeviceError.accept(error)
      const { code, message: reason } = error
      log.warn('not mounted again', { path: each.devicePath, mountPoint: each.mountPoint, code, reason })
      errors.push(error)
    }
  }
  return { mountPoints: [...mountPoints], errors }
}

/** Device → where it is mounted, for those that are mounted at a place where they were not. */
async function automountedAt(
  system: Machine,
  volumes: readonly MountedVolume[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>()
  for (const [devicePath, places] of Map.groupBy(volumes, (volume) => volume.devicePath)) {
    const number = await numberOf(system, devicePath)
    if (number === null) continue
    const mounts = (await readSnapshot(system)).mountsOn(number)
    const present = mounts.map((mount) => mount.mountPoint)
    if (present.some((at) => !places.some((place) => place.mountPoint === at))) found.set(devicePath, present)
  }
  return found
}

async function numberOf(system: Machine, devicePath: string): Promise<string | null> {
  const facts = await system.stat(devicePath).catch(() => null)
  return facts?.kind === 'block' ? facts.node : null
}

/** False: there is nothing to mount, and nothing wrong with that. */
async function mountAgain(
  machine: Machine,
  log: Logger,
  volume: MountedVolume,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const system = stoppable(machine, signal)
  const { devicePath, mountPoint, subfolder } = volume
  const number = await numberOf(system, devicePath)
  if (number === null) return false
  const snapshot = await readSnapshot(system)
  // Where mounts are shared, one that was put back may have brought this one with it.
  const there = snapshot.mountsOn(number).filter((mount) => mount.mountPoint === mountPoint)
  if (there.some((mount) => (subfolder === null ? showsFilesystem(mount) : mount.root === subfolder)))
    return true
  const contents = await probeContents(system, devicePath, { log, patienceMs })
  signal?.throwIfAborted()
  // A disk that doesn't answer isn't one without a file system.
  if (contents === null) throw notMounted(volume, 'silent')
  const { filesystem } = contents
  if (filesystem === null) return false
  const isSame = isSameKind(filesystem, volume.filesystem)
  if (subfolder !== null) {
    if (!isSame) return false
    const from = placeOf(snapshot, number, subfolder)
    const folder = { ...volume, subfolder }
    return from === null
      ? await bindFromAside(machine, folder, signal)
      : await bindAgain(system, from, folder)
  }
  const isMade = await makePlace(machine, volume)
  try {
    const options = isSame ? volume.options : flagsOnly(volume.options)
    const args = ['-o', options, devicePath, mountPoint]
    const result = await system.run('mount', args, { timeoutMs: patienceMs })
    if (lacksDriver(result) && isMountable(filesystem)) throw notMounted(volume, 'unreadable', filesystem)
    if (result.status !== 0) throw programFailed(result, args)
    return true
  } catch (error) {
    if (isMade) await machine.run('rmdir', [mountPoint])
    throw error
  }
}

/** The folder around a place that a desktop mounts at: `/media/anna/STICK`, `/run/media/anna/STICK`, `/media/STICK`. */
const desktopFolder = /^((?:\/run)?\/media)(?:\/[^/]+)?(?=\/[^/]+$)/

/**
 * udisks takes the folder away that it made, when it sees the volume go. False: the place is there as it was. Throws
 * E_NOT_FOUND for one that is gone and wasn't a desktop's, or where anybody but root could have put something else by then.
 */
async function makePlace(system: Machine, volume: MountedVolume): Promise<boolean> {
  const { mountPoint } = volume
  if (await isItself(system, mountPoint)) {
    if ((await system.stat(mountPoint)).kind !== 'folder') throw placeGone(volume)
    return false
  }
  const [around, top] = desktopFolder.exec(mountPoint) ?? []
  if (around === undefined || top === undefined || !(await isRootsAlone(system, around, top)))
    throw placeGone(volume)
  // Fails for whatever is there, a link that leads nowhere included. Not stopped half way: it would be left behind.
  await runChecked(system.run, 'mkdir', ['-m', '0755', mountPoint])
  return true
}

/** `folder` is `top` or lies in it, not on a volume of its own, and only root can change what is in them. */
async function isRootsAlone(system: Machine, folder: string, top: string): Promise<boolean> {
  if (!(await isItself(system, folder))) return false
  const each = await Promise.all([system.stat(folder), system.stat(top)])
  return (
    each.every(({ kind, owner, mode }) => kind === 'folder' && owner === 0 && (mode & 0o022) === 0) &&
    each[0].device === each[1].device
  )
}

type MountedFolder = MountedVolume & { readonly subfolder: string }

/** Only that folder was shown, so the whole file system is mounted aside for as long as it takes to show it again. */
async function bindFromAside(
  machine: Machine,
  volume: MountedFolder,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const system = stoppable(machine, signal)
  const made = await runChecked(system.run, 'mktemp', ['-d', '/run/reprise-XXXXXXXXXX'])
  const aside = made.trim()
  try {
    await runMount(system, ['-o', flagsOnly(volume.options), volume.devicePath, aside])
    try {
      return await bindAgain(system, aside + volume.subfolder, volume)
    } finally {
      await runChecked(machine.run, 'umount', [aside])
    }
  } finally {
    await machine.run('rmdir', [aside])
  }
}

async function bindAgain(system: Machine, from: string, volume: MountedFolder): Promise<boolean> {
  const { mountPoint } = volume
  if (!(await isItself(system, from))) return false
  if (!(await isItself(system, mountPoint))) throw placeGone(volume)
  await runMount(system, ['--bind', from, mountPoint])
  await runMount(system, ['-o', `remount,bind,${allFlags(volume.options)}`, mountPoint])
  return true
}

/** Where `folder` of the file system can be seen, if nothing is mounted over it. */
function placeOf(snapshot: LinuxSnapshot, number: string, folder: string): string | null {
  for (const mount of snapshot.mountsOn(number)) {
    if (!isWithin(folder, mount.root)) continue
    const path = mount.mountPoint + (mount.root === '/' ? folder : folder.slice(mount.root.length))
    if (snapshot.mounts.findLast((other) => isWithin(path, other.mountPoint)) === mount) return path
  }
  return null
}

/** It is there, and not by a link: one that came with what was restored could lead to any place of this computer. */
async function isItself(system: Machine, path: string): Promise<boolean> {
  return (await system.realPath(path)) === path.replace(/(?<=.)\/$/, '')
}

async function runMount(system: Machine, args: readonly string[]): Promise<void> {
  const result = await system.run('mount', args, { timeoutMs: patienceMs })
  if (result.status !== 0) throw programFailed(result, args)
}

/** mount(8): 32 is "mount failure", for which there are many reasons. It speaks English here, see `bareProcess`. */
const lacksDriver = ({ status, stderr }: ProgramResult): boolean =>
  status === 32 && /unknown filesystem type/i.test(stderr)

const placeGone = ({ mountPoint, devicePath }: MountedVolume) =>
  new DeviceError('E_NOT_FOUND', `${mountPoint} isn't there any more`, {
    details: { path: mountPoint, device: devicePath },
  })

/** `silent`: its disk doesn't answer. `unreadable`: this computer has no driver for what is on it now. */
const notMounted = (
  { devicePath, mountPoint }: MountedVolume,
  why: 'stopped' | 'silent' | 'unreadable',
  filesystem?: string,
) =>
  new DeviceError('E_DEVICE_TOOL', `${devicePath} was not mounted again: ${why}`, {
    details: {
      path: mountPoint,
      device: devicePath,
      left: 'mount',
      why,
      ...(filesystem === undefined ? {} : { filesystem }),
    },
  })

/** blkid's name beside the kernel's: NTFS is mounted by one of three drivers. */
function isSameKind(found: string, mounted: string): boolean {
  return found === mounted || (found === 'ntfs' && /^(ntfs|fuseblk)/.test(mounted))
}

/** Options that every file system takes. */
function flagsOnly(options: string): string {
  const flag =
    /^(ro|rw|nosuid|nodev|noexec|noatime|nodiratime|relatime|strictatime|lazytime|sync|dirsync|mand)$/
  return options
    .split(',')
    .filter((option) => flag.test(option))
    .join(',')
}

/** A bind mount begins with the flags of the mount it is made from: those it doesn't have are taken away. */
function allFlags(options: string): string {
  const flags = options.split(',')
  const others = ['suid', 'dev', 'exec', 'atime', 'diratime'].filter((flag) => !flags.includes(`no${flag}`))
  return [...flags, ...others].join(',')
}
