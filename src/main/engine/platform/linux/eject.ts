/** Flush a disk and let it go. */
import { runChecked, stoppable, type Machine } from '#engine/platform/system'
import { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'
import { rereadPartitionTable } from './partitions.ts'
import { deviceAt } from './resolve.ts'
import { numbersOf } from './snapshot.ts'
import { readBlockDevice, type BlockDevice } from './sysfs.ts'
import { unmountDevice } from './unmount.ts'

const GONE_WITHIN_MS = 5000

/**
 * Everything on the disk is unmounted first. Loop devices are detached; USB and other removable disks are told to let
 * go of the medium, or taken off the bus; the rest stays where it is, unmounted, with the partitions known that are on it
 * now. A partition's path stands for its disk. Throws what `unmountDevice` and `rereadPartitionTable` throw, and
 * E_DST_BUSY or E_DEVICE_TOOL.
 */
export async function ejectDevice(
  machine: Machine,
  log: Logger,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const { disk } = (await deviceAt(machine, path)).place
  await unmountDevice(machine, log, disk.path, signal)
  const system = stoppable(machine, signal)
  // It has gone with what was mounted.
  if (disk.autoclear) return waitForDetached(system, disk)
  const flush = () => runChecked(system.run, 'blockdev', ['--flushbufs', disk.path], { timeoutMs: 600_000 })
  await flush()
  if (disk.bus === 'loop') await detachLoop(system, disk)
  else if (disk.bus === 'usb' || (disk.removable && disk.bus !== 'sd')) await letGo(system, log, disk)
  else {
    // Else the system finds the new partitions some time later, and a desktop mounts them when all is said to be done.
    await rereadPartitionTable(system, log, disk.path)
    if (await isInUse(system, disk.path)) await unmountDevice(machine, log, disk.path, signal)
    await flush()
  }
}

/** A RAID or a volume group that the new partitions belong to is no reason: it stays with the disk. */
async function isInUse(system: Machine, path: string): Promise<boolean> {
  const { place, snapshot } = await deviceAt(system, path)
  return numbersOf(place).some(
    (number) => snapshot.mountsOn(number).length > 0 || snapshot.swapsOn(number).length > 0,
  )
}

async function detachLoop(system: Machine, disk: BlockDevice): Promise<void> {
  // Partitions that partx announced would outlive the device.
  if (disk.partitions.length > 0) await system.run('partx', ['--delete', disk.path])
  await runChecked(system.run, 'losetup', ['--detach', disk.path], { timeoutMs: 600_000 })
  await waitForDetached(system, disk)
}

async function waitForDetached(system: Machine, disk: BlockDevice): Promise<void> {
  // The kernel detaches when the last one who has it open lets go; udev has, for a moment.
  for (let waited = 0; waited < GONE_WITHIN_MS; waited += 50) {
    const now = await readBlockDevice(system, disk.kernelName)
    if (now === null || now.sequence !== disk.sequence || now.backingFile !== disk.backingFile) return
    await system.pause(50)
  }
  throw new DeviceError('E_DST_BUSY', `${disk.path} is still open somewhere; it goes when that is closed`, {
    details: { path: disk.path },
    transient: true,
  })
}

async function letGo(system: Machine, log: Logger, disk: BlockDevice): Promise<void> {
  try {
    await runChecked(system.run, 'eject', [disk.path], { timeoutMs: 120_000 })
    return
  } catch (error) {
    DeviceError.accept(error)
    log.info('taking the disk off the bus instead', { path: disk.path, reason: error.message })
  }
  try {
    await system.writeText(`/sys/block/${disk.kernelName}/device/delete`, '1')
  } catch (cause) {
    throw new DeviceError('E_DEVICE_TOOL', `${disk.path} is unmounted, but can't be ejected`, {
      details: { path: disk.path, tool: 'eject', package: 'eject' },
      cause,
    })
  }
}
