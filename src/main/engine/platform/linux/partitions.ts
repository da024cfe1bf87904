/**
 * Make the kernel see the partitions that are on the disk now. Usually one request does it; but a kernel may be built
 * without any partition formats, loop devices may be attached without scanning, and right after writing udev looks at
 * the disk for a moment, which makes the request fail. Then `partx` reads the map and tells the kernel the partitions.
 */
import { saidBy, type Machine } from '#engine/platform/system'
import { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'
import { findHolders } from './holders.ts'
import { deviceAt } from './resolve.ts'
import { numbersOf, readSnapshot } from './snapshot.ts'
import { readBlockDevice, type BlockDevice, type PartitionDevice } from './sysfs.ts'

const PAUSES_MS = [100, 300, 600, 1000]
const NODES_WITHIN_MS = 5000

/**
 * Returns when the nodes of all partitions are there and udev, where it runs, has looked at them. The device must not be
 * held exclusively by us. A partition's path stands for its disk. Throws DeviceError E_DST_BUSY, E_DST_GONE, E_NOT_FOUND.
 */
export async function rereadPartitionTable(system: Machine, log: Logger, path: string): Promise<void> {
  const { disk } = (await deviceAt(system, path)).place
  let said = ''
  let done = false
  for (let attempt = 0; !done; attempt += 1) {
    const result = await system.run('blockdev', ['--rereadpt', disk.path], { timeoutMs: 30_000 })
    done = result.status === 0
    said = saidBy(result)
    const pause = PAUSES_MS[attempt]
    // "Invalid argument": this device isn't scanned by the kernel, however often one asks.
    if (done || /Invalid argument|Inappropriate ioctl/.test(said) || pause === undefined) break
    await system.pause(pause)
  }
  const wanted = await readEntries(system, disk.path)
  const known = await fresh(system, disk)
  // A kernel that read the map is right about it; one that found nothing may not know the format.
  if (!done || (known.partitions.length === 0 && wanted.length > 0)) {
    log.debug('telling the kernel its partitions', { path: disk.path, said, partitions: wanted.length })
    await tellKernel(system, disk, wanted)
  }
  await waitForNodes(system, disk)
}

/** An entry of the map on the disk. Offsets and sizes in bytes. */
interface Entry {
  readonly index: number
  readonly offset: number
  readonly sizeBytes: number
}

/** The map by libblkid's reading; empty without one. */
async function readEntries(system: Machine, path: string): Promise<readonly Entry[]> {
  const result = await system.run('partx', ['--show', '--noheadings', '--output', 'NR,START,SECTORS', path])
  if (result.status !== 0) return []
  return [...result.stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/gm)].map(([, index, start, sectors]) => ({
    index: Number(index),
    offset: Number(start) * 512,
    sizeBytes: Number(sectors) * 512,
  }))
}

/** Somebody may be looking at an old partition just now, as udev does: try for a while. */
async function tellKernel(system: Machine, disk: BlockDevice, wanted: readonly Entry[]): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const said = await changePartitions(system, await fresh(system, disk), wanted)
    const now = (await fresh(system, disk)).partitions
    if (now.length === wanted.length && now.every((known) => wanted.some((entry) => isSame(known, entry))))
      return
    const pause = PAUSES_MS[attempt]
    if (pause === undefined) throw await keepsOld(system, disk, said)
    await system.pause(pause)
  }
}

/**
 * Take away what isn't on the disk any more, then add what is. `partx --update` would do both at once, but loses
 * partitions whose new place overlaps an old one. Resolves to what the last refusal said.
 */
async function changePartitions(
  system: Machine,
  disk: BlockDevice,
  wanted: readonly Entry[],
): Promise<string> {
  let said = ''
  for (const known of disk.partitions) {
    if (wanted.some((entry) => isSame(known, entry))) continue
    const range = `${known.index}:${known.index}`
    const result = await system.run('partx', ['--delete', '--nr', range, disk.path])
    if (result.status !== 0) said = saidBy(result)
  }
  const left = (await fresh(system, disk)).partitions
  for (const { index } of wanted) {
    if (left.some((known) => known.index === index)) continue
    const result = await system.run('partx', ['--add', '--nr', `${index}:${index}`, disk.path])
    if (result.status !== 0) said = saidBy(result)
  }
  return said
}

function isSame(known: PartitionDevice, entry: Entry): boolean {
  return (
    known.index === entry.index &&
    known.offset === entry.offset &&
    // The kernel shows the container of logical partitions as two sectors.
    (known.sizeBytes === entry.sizeBytes || known.sizeBytes <= 1024)
  )
}

async function keepsOld(system: Machine, disk: BlockDevice, said: string): Promise<DeviceError> {
  const snapshot = await readSnapshot(system)
  const numbers = numbersOf({ disk, partition: null })
  const holders = await findHolders(system, snapshot, {
    numbers,
    nodes: [disk.path, ...disk.partitions.map((partition) => partition.path)],
    mounts: numbers.flatMap((number) => snapshot.mountsOn(number)),
  })
  return new DeviceError('E_DST_BUSY', `the system keeps the old partitions of ${disk.path}: ${said}`, {
    details: { path: disk.path, holders, left: 'reread', stderr: said.slice(0, 400) },
    transient: true,
  })
}

async function waitForNodes(system: Machine, disk: BlockDevice): Promise<void> {
  // udev makes links, sets rights and reads labels; without it the kernel's own nodes are all there is.
  if ((await system.stat('/run/udev/control').catch(() => null)) !== null)
    await system.run('udevadm', ['settle', '--timeout=5']).catch(() => undefined)
  const { partitions } = await fresh(system, disk)
  for (let waited = 0; ; waited += 50) {
    const missing: string[] = []
    for (const { path } of partitions)
      if ((await system.stat(path).catch(() => null))?.kind !== 'block') missing.push(path)
    if (missing.length === 0) return
    if (waited >= NODES_WITHIN_MS)
      throw new DeviceError('E_DEVICE_TOOL', `${missing.join(', ')} didn't appear`, {
        details: { path: disk.path, missing },
      })
    await system.pause(50)
  }
}

async function fresh(system: Machine, disk: BlockDevice): Promise<BlockDevice> {
  const now = await readBlockDevice(system, disk.kernelName)
  if (now === null)
    throw new DeviceError('E_DST_GONE', `${disk.path} was disconnected`, { details: { path: disk.path } })
  return now
}
