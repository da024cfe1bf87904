/**
 * Take a disk or a partition out of use. Unmounting is all or nothing: when one volume can't be let go,
 * those already unmounted are mounted again, since nothing will be erased.
 */
import { lateSignal, leaveMs, type Machine, type MountedVolume } from '#engine/platform/system'
import { DeviceError, UsageError } from '#shared/errors'
import type { Logger } from '#shared/log'
import { findHolders } from './holders.ts'
import { isSystemMountPoint, showsFilesystem, type Mount } from './mounts.ts'
import { sharedFilesystems, usersElsewhere, usersOf, vanishingMount } from './protection.ts'
import { remountVolumes } from './remount.ts'
import { deviceAt } from './resolve.ts'
import { numbersOf, readSnapshot, type LinuxSnapshot, type Place } from './snapshot.ts'
import { nodePath } from './sysfs.ts'

const PAUSES_MS = [300, 1000]

/**
 * As `unmountDevice`, for a device that is to be used afterwards: throws E_DST_BUSY also for one that would be gone by
 * then.
 */
export async function takeOutOfUse(
  system: Machine,
  log: Logger,
  path: string,
  signal?: AbortSignal,
  tellLeft?: (errors: readonly Error[]) => void,
): Promise<readonly MountedVolume[]> {
  const { place, snapshot } = await deviceAt(system, path)
  const by = vanishingMount(snapshot, place.disk)
  if (by !== null) throw inUse(path, [by])
  return unmountDevice(system, log, path, signal, tellLeft)
}

/**
 * Unmount everything on the disk or partition at `path`, bind mounts included, and switch off its swap. Resolves to what
 * was mounted; `tellLeft` is `Platform.unmount`'s `left`. Throws UsageError E_DST_SYSTEM for what the computer runs from, DeviceError E_DST_BUSY with
 * `holders`, E_DENIED, E_NOT_FOUND; the signal's reason when cancelled.
 */
export async function unmountDevice(
  system: Machine,
  log: Logger,
  path: string,
  signal?: AbortSignal,
  tellLeft?: (errors: readonly Error[]) => void,
): Promise<readonly MountedVolume[]> {
  const { place, snapshot: before } = await deviceAt(system, path)
  const numbers = numbersOf(place)
  const mounts = mountsOn(before, numbers)
  refuseSystem(before, place, path, mounts)
  const swaps = numbers.flatMap((number) => before.swapsOn(number))
  signal?.throwIfAborted()
  if (mounts.length === 0 && swaps.length === 0) return []
  const was = mounts.map((mount) => describeMount(before, mount, numbers))
  try {
    for (let attempt = 0; ; attempt += 1) {
      signal?.throwIfAborted()
      const left = await tryOnce(system, numbers, signal)
      if (left === null) return was
      const pause = PAUSES_MS[attempt]
      if (pause === undefined) throw await busy(system, path, numbers, left)
      log.info('not unmounted yet', { path, attempt: attempt + 1, said: left })
      await system.pause(pause, signal)
    }
  } catch (error) {
    // Nobody would hear what is left: then nothing is.
    using late = lateSignal(tellLeft && signal, leaveMs)
    const { errors } = await remountVolumes(system, log, was, late.signal)
    const snapshot = await readSnapshot(system)
    // Not stopped: it takes no time, and nobody would miss it before it is needed.
    for (const swap of swaps)
      if (!snapshot.swaps.some((on) => on.path === swap.path))
        await system.run('swapon', [swap.path]).catch(() => undefined)
    if (errors.length > 0) tellLeft?.(errors)
    throw error
  }
}

/** One round over all mounts and swap areas. Null when nothing is left, else what the last refusal said. */
async function tryOnce(
  system: Machine,
  numbers: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const snapshot = await readSnapshot(system)
  // What was written lately goes to the medium first, and that may be a slow one.
  const options = { timeoutMs: 600_000, ...(signal === undefined ? {} : { signal }) }
  let refusal = ''
  for (const swap of numbers.flatMap((number) => snapshot.swapsOn(number))) {
    const result = await system.run('swapoff', [swap.path], options)
    if (result.status !== 0) refusal = result.stderr
  }
  // What was mounted last comes off first; that is also the deepest.
  for (const mount of mountsOn(snapshot, numbers).toReversed()) {
    const top = snapshot.mounts.findLast((other) => other.mountPoint === mount.mountPoint)
    // `umount` would take off another volume that is mounted over this one.
    if (top?.id !== mount.id && !numbers.some((number) => snapshot.mountsOn(number).includes(top ?? mount)))
      continue
    const result = await system.run('umount', [mount.mountPoint], options)
    if (result.status !== 0) refusal = result.stderr
  }
  const after = await readSnapshot(system)
  const left = numbers.some((number) => after.mountsOn(number).length > 0 || after.swapsOn(number).length > 0)
  return left ? refusal.trim() || 'still mounted' : null
}

async function busy(
  system: Machine,
  path: string,
  numbers: readonly string[],
  said: string,
): Promise<DeviceError> {
  const snapshot = await readSnapshot(system)
  const nodes = numbers.map((number) => nodeOf(snapshot, number))
  const holders = await findHolders(system, snapshot, { numbers, nodes, mounts: mountsOn(snapshot, numbers) })
  const denied = /permission|not permitted|superuser/i.test(said)
  return new DeviceError(denied ? 'E_DENIED' : 'E_DST_BUSY', `${path} can't be unmounted: ${said}`, {
    details: { path, holders, tried: 'unmount', stderr: said.slice(0, 400) },
    transient: true,
  })
}

function refuseSystem(snapshot: LinuxSnapshot, place: Place, path: string, mounts: readonly Mount[]): void {
  const own = mounts.find((mount) => isSystemMountPoint(mount.mountPoint))?.mountPoint
  // Swap alone is switched off below; but what carries the system through RAID or a mapper has no mounts of its own.
  const use = snapshot.systemUses.get(place.disk.kernelName)
  const whole = place.partition === null && use !== undefined && use !== 'swap' ? use : undefined
  const mountPoint = own ?? whole
  if (mountPoint !== undefined)
    throw new UsageError('E_DST_SYSTEM', `${path} runs this computer (${mountPoint})`, {
      details: { input: 'target', path, mountPoint },
    })
  const part = place.partition
  const others = [
    ...(part === null ? [] : sharedFilesystems(snapshot, part.number, [part.number])),
    ...usersElsewhere(snapshot, place.disk),
  ]
  const users = [...new Set([...others, ...usersOf(snapshot, place.disk)])]
  if (
    users.length > 0 &&
    (part === null ||
      part.holders.length > 0 ||
      others.length > 0 ||
      snapshot.zfsPoolOn(part.number) !== null)
  )
    throw inUse(path, users)
}

const inUse = (path: string, holders: readonly string[]) =>
  new DeviceError('E_DST_BUSY', `${path} is in use by ${holders.join(', ')}`, { details: { path, holders } })

/** In the kernel's order, each once. */
function mountsOn(snapshot: LinuxSnapshot, numbers: readonly string[]): readonly Mount[] {
  const mounts = new Set(numbers.flatMap((number) => snapshot.mountsOn(number)))
  return snapshot.mounts.filter((mount) => mounts.has(mount))
}

function nodeOf(snapshot: LinuxSnapshot, number: string): string {
  const place = snapshot.at(number)
  return place === null ? '' : nodePath((place.partition ?? place.disk).kernelName)
}

function describeMount(snapshot: LinuxSnapshot, mount: Mount, numbers: readonly string[]): MountedVolume {
  const number = numbers.find((candidate) => snapshot.mountsOn(candidate).includes(mount)) ?? ''
  const isBound = !showsFilesystem(mount) || isReadOnlyView(snapshot, mount)
  return {
    devicePath: nodeOf(snapshot, number),
    mountPoint: mount.mountPoint,
    filesystem: mount.filesystem,
    options: isBound ? mount.options : mountOptions(mount),
    subfolder: isBound ? mount.root : null,
  }
}

/** What is mounted for writing elsewhere can be read-only here by a bind mount and no other way. */
function isReadOnlyView(snapshot: LinuxSnapshot, { id, device, root, options }: Mount): boolean {
  const isReadOnly = (each: Pick<Mount, 'options'>) => each.options.split(',').includes('ro')
  return (
    isReadOnly({ options }) &&
    snapshot.mounts.some(
      (other) => other.id !== id && other.device === device && other.root === root && !isReadOnly(other),
    )
  )
}

/**
 * What mounts it again as it was: the mount's own flags, and of the file system's options those that a person chooses
 * (whose files they are on a file system without owners, which subvolume, when it is written). The others are the
 * kernel's report, and belong to a file system that may be another one by then.
 */
function mountOptions(mount: Mount): string {
  const chosen =
    /^(uid|gid|umask|fmask|dmask|utf8|iocharset|subvol|compress(-force)?|nls|flush|showexec|sync|dirsync|lazytime|mand)(=|$)/
  // `subvol=/` too: without it, btrfs mounts the subvolume that is set as its default.
  const fromSuper = mount.superOptions.split(',').filter((option) => chosen.test(option))
  const readOnly = mount.superOptions.split(',').includes('ro')
  const flags = mount.options.split(',').filter((option) => option !== (readOnly ? 'rw' : ''))
  return [...new Set([...(readOnly ? ['ro'] : []), ...flags, ...fromSuper])].join(',')
}
