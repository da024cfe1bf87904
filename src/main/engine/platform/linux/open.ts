/** Devices as descriptors, and what a device can do without data being sent to it. */
import { constants } from 'node:fs'
import {
  deviceError,
  holdsProgram,
  type DeviceAbilities,
  type DeviceUse,
  type Machine,
  type OpenDevice,
  type Openers,
  type Platform,
} from '#engine/platform/system'
import { DeviceError, errnoName, UsageError } from '#shared/errors'
import { findHolders } from './holders.ts'
import { findOpeners } from './writers.ts'
import { deviceAt } from './resolve.ts'
import { numbersOf, readSnapshot, type LinuxSnapshot, type Place } from './snapshot.ts'

const BUSY_PAUSES_MS = [100, 300]
/** Who looks at a disk for its state has it open for a moment, and some do that for writing. */
const WRITER_PAUSES_MS = [100, 300, 1000]

/** Shared, for reading. Throws E_NOT_FOUND, E_DENIED, E_SRC_GONE, E_SRC_IN_USE, E_IO_READ. */
export async function openForReading(system: Machine, path: string): Promise<OpenDevice> {
  const { place } = await deviceAt(system, path)
  return openDevice(system, path, place, constants.O_RDONLY, 'source')
}

/**
 * As `openExclusively`; throws E_DST_BUSY also where another program has it open for writing without asking for it alone, or it couldn't
 * be found out whether one has. `now`: milliseconds.
 */
export async function openForWriting(system: Machine, path: string, now?: () => number): Promise<OpenDevice> {
  const { place, snapshot } = await deviceAt(system, path)
  const opened = await openPlace(system, path, place, snapshot)
  try {
    await refuseWriters(system, path, { place, snapshot, now })
    return opened
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
}

/** See `Platform.openElsewhere`. */
export async function openElsewhere(
  system: Machine,
  path: string,
  { how, signal }: Parameters<Platform['openElsewhere']>[1],
): Promise<Openers> {
  const { place, snapshot } = await deviceAt(system, path)
  const isClients = hasClient(place)
  if (isClients && how === 'for writing') return { programs: [], isComplete: true }
  const asked = {
    numbers: numbersOfWays(place, snapshot),
    how: isClients ? 'for reading' : how,
    signal,
  } as const
  for (let attempt = 0; ; attempt += 1) {
    const openers = await findOpeners(system, asked)
    const pause = WRITER_PAUSES_MS[attempt]
    if (openers.programs.length === 0 || !openers.isComplete || pause === undefined) return openers
    await system.pause(pause)
  }
}

/**
 * For reading and writing: as long as it is open nobody can mount the device or a part of it, nor open it exclusively.
 * Throws UsageError E_DST_SYSTEM, DeviceError E_DST_BUSY with `holders`, E_DST_READONLY, E_DENIED, E_NOT_FOUND,
 * E_DST_GONE, E_IO_WRITE.
 */
export async function openExclusively(system: Machine, path: string): Promise<OpenDevice> {
  const { place, snapshot } = await deviceAt(system, path)
  return openPlace(system, path, place, snapshot)
}

async function openPlace(
  system: Machine,
  path: string,
  place: Place,
  snapshot: LinuxSnapshot,
): Promise<OpenDevice> {
  // Asked again here, where it can't be forgotten: O_EXCL alone lets a disk through that only carries a RAID's half.
  const mountPoint = snapshot.systemUses.get(place.disk.kernelName)
  if (mountPoint !== undefined)
    throw new UsageError('E_DST_SYSTEM', `${place.disk.path} runs this computer (${mountPoint})`, {
      details: { input: 'target', path, disk: place.disk.path, mountPoint },
    })
  const program = snapshot.programUses.get(place.disk.kernelName)
  if (program !== undefined) throw holdsProgram(path, place.disk.path, program)
  return openDevice(system, path, place, constants.O_RDWR | constants.O_EXCL, 'target')
}

/** With the device in hand, so that whoever asks for it alone can't come any more. Throws E_DST_BUSY. */
async function refuseWriters(
  system: Machine,
  path: string,
  {
    place,
    snapshot,
    now,
  }: { readonly place: Place; readonly snapshot: LinuxSnapshot; readonly now: (() => number) | undefined },
): Promise<void> {
  if (hasClient(place)) return
  const numbers = numbersOfWays(place, snapshot)
  for (let attempt = 0; ; attempt += 1) {
    const asked = { numbers, how: 'for writing', ...(now === undefined ? {} : { now }) } as const
    const { programs: holders, isComplete } = await findOpeners(system, asked)
    if (holders.length === 0 && isComplete) return
    // Erasing what a virtual machine runs from can't be undone, and a try more costs nothing. It takes millions of open files.
    if (holders.length === 0)
      throw new DeviceError('E_DST_BUSY', `who writes to ${path} could not be found out`, {
        details: { path, why: 'unknown' },
        transient: true,
      })
    const pause = WRITER_PAUSES_MS[attempt]
    if (pause === undefined)
      throw new DeviceError('E_DST_BUSY', `${path} is open for writing in ${holders.join(', ')}`, {
        details: { path, holders },
        transient: true,
      })
    await system.pause(pause)
  }
}

/** A network block device's client has it open for writing as long as it is there, and is not to be told from others who do. */
const hasClient = ({ disk }: Place): boolean => disk.kernelName.startsWith('nbd')

/** Also of the disk around a partition, and of the other ways to it: who has one of those open is another program as well. */
function numbersOfWays(place: Place, snapshot: LinuxSnapshot): readonly string[] {
  const ways = snapshot.twinsOf(place.disk).flatMap((disk) => numbersOf({ disk, partition: null }))
  return [...new Set([place.disk.number, ...numbersOf(place), ...ways])]
}

async function openDevice(
  system: Machine,
  path: string,
  place: Place,
  flags: number,
  role: DeviceUse['role'],
): Promise<OpenDevice> {
  const part = place.partition ?? place.disk
  const readOnly = part.readOnly || place.disk.readOnly
  // Linux lets root open such a device for writing, and fails the writes.
  if (role === 'target' && readOnly)
    throw new DeviceError('E_DST_READONLY', `${path} is write-protected`, { details: { path } })
  let opened: { fd: number; direct: boolean }
  try {
    opened = await openPatiently(system, path, flags)
  } catch (error) {
    const holders = errnoName(error) === 'EBUSY' ? await holdersOf(system, place) : undefined
    throw deviceError(error, { path, role, readOnly, ...(holders === undefined ? {} : { holders }) })
  }
  const { fd, direct } = opened
  try {
    await checkSameDevice(system, fd, path, part.number, role)
  } catch (error) {
    await system.close(fd)
    throw error
  }
  const cachedFile = await cachedFileOf(system, place)
  let open = true
  return {
    fd,
    path,
    sizeBytes: part.sizeBytes,
    abilities: abilitiesOf(place),
    direct,
    ...(cachedFile === null ? {} : { cachedFile }),
    [Symbol.asyncDispose]: async () => {
      if (!open) return
      open = false
      await system.close(fd)
    },
  }
}

/** A loop device reads its file like any program, unless it was set up for direct I/O: as a rule it isn't. */
async function cachedFileOf(system: Machine, { disk }: Place): Promise<string | null> {
  const direct = await system.readText(`/sys/block/${disk.kernelName}/loop/dio`)
  return direct?.trim() === '1' ? null : disk.backingFile
}

/** A volume that was just unmounted lets go of its device a moment later. */
async function openPatiently(
  system: Machine,
  path: string,
  flags: number,
): Promise<{ fd: number; direct: boolean }> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await openDirect(system, path, flags)
    } catch (error) {
      const pause = BUSY_PAUSES_MS[attempt]
      if (errnoName(error) !== 'EBUSY' || pause === undefined) throw error
      await system.pause(pause)
    }
  }
}

/** Past the page cache where the device allows it. */
async function openDirect(
  system: Machine,
  path: string,
  flags: number,
): Promise<{ fd: number; direct: boolean }> {
  try {
    return { fd: await system.open(path, flags | constants.O_DIRECT), direct: true }
  } catch (error) {
    if (errnoName(error) !== 'EINVAL') throw error
    return { fd: await system.open(path, flags), direct: false }
  }
}

/** Between looking at the path and opening it, another device may have come to it, or a plain file. */
async function checkSameDevice(
  system: Machine,
  fd: number,
  path: string,
  number: string,
  role: DeviceUse['role'],
): Promise<void> {
  const facts = await system.stat(`/proc/${system.processId}/fd/${fd}`)
  if (facts.kind === 'block' && facts.node === number) return
  throw new DeviceError(
    role === 'target' ? 'E_DST_CHANGED' : 'E_SRC_CHANGED',
    `${path} is another device now`,
    {
      details: { path, expected: number, found: facts.node },
    },
  )
}

export function abilitiesOf({ disk }: Place): DeviceAbilities {
  return {
    logicalBlockBytes: disk.logicalBlockBytes,
    zeroOut: disk.zeroOut,
    discard: disk.discard,
  }
}

async function holdersOf(system: Machine, place: Place): Promise<readonly string[]> {
  const snapshot = await readSnapshot(system)
  const numbers = numbersOf(place)
  const disk = place.disk.path
  return findHolders(system, snapshot, {
    numbers,
    nodes: [disk, ...place.disk.partitions.map((partition) => partition.path)],
    mounts: numbers.flatMap((number) => snapshot.mountsOn(number)),
  })
}
