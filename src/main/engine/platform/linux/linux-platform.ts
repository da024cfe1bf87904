/** Linux: the files of this folder behind the one interface. */
import { resolve } from 'node:path'
import { realMachine, stoppable, watchDisks, type Machine, type Platform } from '#engine/platform/system'
import { silentLogger, type Logger } from '#shared/log'
import { ejectDevice } from './eject.ts'
import { identifyDevice } from './identify.ts'
import { createDiskLister } from './list.ts'
import { makeDeviceEmpty } from './make-empty.ts'
import { openElsewhere, openForReading, openForWriting } from './open.ts'
import { rereadPartitionTable } from './partitions.ts'
import { changeRange } from './ranges.ts'
import { unreadableOn } from './readable.ts'
import { remountVolumes } from './remount.ts'
import { resolveLocator } from './resolve.ts'
import { isListed } from './sysfs.ts'
import { readSnapshot } from './snapshot.ts'
import { takeOutOfUse } from './unmount.ts'
import { linuxEvents } from './watch.ts'

export interface LinuxPlatformOptions {
  readonly log?: Logger
  /** Files and folders of the running program: the disk that stores one is protected. */
  readonly ownFiles?: readonly string[]
  /** The machine; tests hand a recorded one. */
  readonly system?: Machine
}

export function createLinuxPlatform(options: LinuxPlatformOptions = {}): Platform {
  const log = options.log ?? silentLogger
  const system = options.system ?? realMachine(options.ownFiles)
  const disks = createDiskLister(system, log)
  const list: Platform['list'] = (signal) => disks.list(signal)
  return {
    name: 'linux',
    supported: true,
    privileged: system.privileged,
    list,
    watch: (listener) => watchDisks({ ...linuxEvents(system), list }, log, listener),
    resolve: (locator, signal) =>
      resolveLocator(system, resolve(locator), (snapshot, device) =>
        disks.describe(snapshot, device, signal),
      ),
    identify: (path) => identifyDevice(system, path),
    disksHoldingFile: async (path) => {
      const snapshot = await readSnapshot(system)
      const foundations = snapshot.foundationsOf(await snapshot.devicesStoring(path))
      return foundations
        .filter(isListed)
        .map((device) => device.path)
        .sort()
    },
    unmount: (path, signal, left) => takeOutOfUse(system, log, path, signal, left),
    remount: (_path, before, signal) => remountVolumes(system, log, before, signal),
    unreadable: (path, signal) => unreadableOn(system, log, path, signal),
    eject: (path, signal) => ejectDevice(system, log, path, signal),
    openElsewhere: (path, options) => openElsewhere(stoppable(system, options.signal), path, options),
    openSource: (path) => openForReading(system, path),
    openTarget: (path) => openForWriting(system, path),
    zeroOut: (device, offset, lengthBytes, signal) =>
      changeRange(system, device, 'zero-out', offset, lengthBytes, signal),
    discard: (device, offset, lengthBytes, signal) =>
      changeRange(system, device, 'discard', offset, lengthBytes, signal),
    rereadPartitions: (path, signal) => rereadPartitionTable(stoppable(system, signal), log, path),
    makeEmpty: (path, filesystem, check) => makeDeviceEmpty(system, log, { path, filesystem, check }),
  }
}
