/** Unmounting, mounting again and ejecting on a Mac, through `diskutil`, which asks the Disk Arbitration daemon. */
import {
  lateSignal,
  leaveMs,
  programFailed,
  runChecked,
  saidBy,
  stoppable,
  type Machine,
  type MountedVolume,
  type ProgramResult,
} from '#engine/platform/system'
import { DeviceError, UsageError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { Volume } from '#shared/model'
import { readDiskInfo, text, type ListedDisk } from './diskutil.ts'
import { filesystemName, listDarwinDisks, readDarwinSnapshot, volumesInStore } from './list.ts'

const PAUSES_MS = [300, 1000]

/** As `Platform.unmount`. Of an APFS partition all volumes of its container are unmounted. */
export async function unmountDarwin(
  system: Machine,
  log: Logger,
  path: string,
  signal?: AbortSignal,
  tellLeft?: (errors: readonly Error[]) => void,
): Promise<readonly MountedVolume[]> {
  signal?.throwIfAborted()
  const disks = await listDarwinDisks(system, log, signal)
  const disk = disks.find((each) => each.path === path || each.volumes.some((volume) => volume.path === path))
  if (disk === undefined)
    throw new DeviceError('E_NOT_FOUND', `there is no disk ${path}`, { details: { path } })
  if (disk.protection?.kind === 'system') {
    const { mountPoint } = disk.protection
    throw new UsageError('E_DST_SYSTEM', `${path} runs this computer (${mountPoint})`, {
      details: { input: 'target', path, mountPoint },
    })
  }
  if (disk.protection?.kind === 'in-use')
    throw new DeviceError('E_DST_BUSY', `${path} is in use by ${disk.protection.by}`, {
      details: { path, holders: [disk.protection.by] },
    })
  const { listed } = await readDarwinSnapshot(system, signal)
  const volumes = disk.path === path ? disk.volumes : disk.volumes.filter((volume) => volume.path === path)
  const mounted = (
    await Promise.all(volumes.map((volume) => mountsOf(system, listed, volume, signal)))
  ).flat()
  const orders =
    disk.path === path
      ? [['unmountDisk', path]]
      : [...new Set(mounted.map((volume) => volume.devicePath))].map((device) => ['unmount', device])
  if (mounted.length === 0) return []
  try {
    for (let attempt = 0; ; attempt += 1) {
      const refusal = await giveOrders(system, orders, signal)
      if (refusal === null) return mounted
      const pause = PAUSES_MS[attempt]
      if (pause === undefined) throw busy(path, refusal)
      log.info('not unmounted yet', { path, attempt: attempt + 1, said: saidBy(refusal) })
      await system.pause(pause, signal)
    }
  } catch (error) {
    // All or nothing: nothing will be erased.
    // Nobody would hear what is left: then nothing is.
    using late = lateSignal(tellLeft && signal, leaveMs)
    const { errors } = await remountDarwin(system, log, mounted, late.signal)
    if (errors.length > 0) tellLeft?.(errors)
    throw error
  }
}

/** Where the volume is mounted, or those of the container that lies in it. */
async function mountsOf(
  system: Machine,
  listed: readonly ListedDisk[],
  volume: Volume,
  signal: AbortSignal | undefined,
): Promise<readonly MountedVolume[]> {
  const identifier = volume.path.slice('/dev/'.length)
  const inside = volumesInStore(listed, identifier)
  const parts = inside.length > 0 ? inside : [{ identifier, mountPoints: volume.mountPoints }]
  const mounted: MountedVolume[] = []
  for (const part of parts) {
    const devicePath = `/dev/${part.identifier}`
    if (part.mountPoints.length === 0) continue
    const info = await readDiskInfo(system, devicePath, signal)
    const options = info?.['WritableVolume'] === false ? 'ro' : ''
    const filesystem = volume.filesystem ?? 'unknown'
    for (const mountPoint of part.mountPoints)
      mounted.push({ devicePath, mountPoint, filesystem, options, subfolder: null })
  }
  return mounted
}

async function giveOrders(
  system: Machine,
  orders: readonly (readonly string[])[],
  signal: AbortSignal | undefined,
): Promise<ProgramResult | null> {
  let refusal: ProgramResult | null = null
  for (const order of orders) {
    const options = { timeoutMs: 60_000, ...(signal === undefined ? {} : { signal }) }
    const result = await system.run('diskutil', order, options)
    if (result.status !== 0) refusal = result
  }
  return refusal
}

/**
 *     Unmount of disk4 failed: at least one volume could not be unmounted
 *     Unmount was dissented by PID 612 (/usr/bin/tail)
 */
function busy(path: string, refusal: ProgramResult): DeviceError {
  const said = `${refusal.stdout}\n${refusal.stderr}`
  const holders = [...said.matchAll(/dissented by PID (\d+) \(([^)]*)\)/g)].map(
    ([, pid, program = '']) => `${program.slice(program.lastIndexOf('/') + 1)} (${pid})`,
  )
  return new DeviceError('E_DST_BUSY', `${path} can't be unmounted: ${saidBy(refusal)}`, {
    details: { path, holders, tried: 'unmount', stderr: saidBy(refusal) },
    transient: true,
  })
}

/**
 * As `Platform.remount`. Below /Volumes the system names the folder after the volume, which may have another name now;
 * elsewhere the volume goes where it was.
 */
export async function remountDarwin(
  system: Machine,
  log: Logger,
  before: readonly MountedVolume[],
  signal?: AbortSignal,
): Promise<{ readonly mountPoints: readonly string[]; readonly errors: readonly Error[] }> {
  const mountPoints: string[] = []
  const errors: Error[] = []
  for (const volume of before) {
    const { devicePath, mountPoint } = volume
    try {
      const now = await mountAgain(stoppable(system, signal), volume)
      if (now !== null) mountPoints.push(now)
    } catch (thrown) {
      const error =
        signal?.aborted === true && thrown === signal.reason ? stopped(devicePath, mountPoint) : thrown
      DeviceError.accept(error)
      log.warn('not mounted again', { path: devicePath, mountPoint, reason: error.message })
      errors.push(error)
    }
  }
  return { mountPoints: [...new Set(mountPoints)], errors }
}

const stopped = (device: string, path: string) =>
  new DeviceError('E_DEVICE_TOOL', `${device} was not mounted again: stopped`, {
    details: { path, device, left: 'mount', why: 'stopped' },
  })

async function mountAgain(
  system: Machine,
  { devicePath, mountPoint, filesystem, options }: MountedVolume,
): Promise<string | null> {
  const info = await readDiskInfo(system, devicePath)
  if (info === null || text(info['FilesystemType']) === null) return null
  const there = text(info['MountPoint'])
  if (there !== null) return there
  // Another file system may be one that a Mac can write to, as it can't to NTFS.
  const readOnly = options === 'ro' && filesystemName(info, '') === filesystem ? ['readOnly'] : []
  const at = mountPoint.startsWith('/Volumes/') ? [] : ['-mountPoint', mountPoint]
  const args = ['mount', ...readOnly, ...at, devicePath]
  const result = await system.run('diskutil', args, { timeoutMs: 60_000 })
  if (result.status !== 0) throw programFailed(result, args)
  return text((await readDiskInfo(system, devicePath))?.['MountPoint']) ?? mountPoint
}

/** As `Platform.eject`. */
export async function ejectDarwin(
  system: Machine,
  log: Logger,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  await unmountDarwin(system, log, path, signal)
  await runChecked(stoppable(system, signal).run, 'diskutil', ['eject', path], { timeoutMs: 60_000 })
}
