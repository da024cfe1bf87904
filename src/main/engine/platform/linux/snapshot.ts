/**
 * One reading of the machine's storage: which block devices there are, what is mounted where, and what stands on what.
 * Read afresh for each question; nothing is remembered, because the answer to "may this be erased?" ages at once.
 */
import type { Machine } from '#engine/platform/system'
import {
  isSystemMountPoint,
  isWithin,
  parseFstab,
  parseMountinfo,
  parseSwaps,
  type Mount,
  type Swap,
} from './mounts.ts'
import { readBlockDevices, type BlockDevice, type PartitionDevice } from './sysfs.ts'
import { findTwins } from './twins.ts'
import { readZfsPools } from './zfs.ts'

/** Where a block device's number leads. */
export interface Place {
  readonly disk: BlockDevice
  /** Null: the disk itself. */
  readonly partition: PartitionDevice | null
}

/** `major:minor` of the partition, or of the disk and all its partitions. */
export function numbersOf({ disk, partition }: Place): readonly string[] {
  if (partition !== null) return [partition.number]
  return [disk.number, ...disk.partitions.map((each) => each.number)]
}

export interface LinuxSnapshot {
  readonly devices: readonly BlockDevice[]
  readonly mounts: readonly Mount[]
  readonly swaps: readonly Swap[]
  /** The device with this `major:minor`; null for one that isn't a block device we know. */
  at(number: string): Place | null
  named(kernelName: string): Place | null
  /** Mounts that keep data on this device or partition, in the kernel's order. */
  mountsOn(number: string): readonly Mount[]
  /** `major:minor` of all that the mount keeps data on. */
  devicesOf(mount: Mount): readonly string[]
  swapsOn(number: string): readonly Swap[]
  /** The ZFS pool that this device or partition belongs to. */
  zfsPoolOn(number: string): string | null
  /** There is ZFS, and nobody tells on which disks; `mountPoint`: of the running system, what lies on it. Null: it is known. */
  readonly unknownZfs: { readonly mountPoint: string | null } | null
  /**
   * The device, and every device it stands on: partition, disk, the parts of a RAID or a mapping, the file behind a
   * loop device and what stores that; each of them by all the ways that lead to it.
   */
  foundationsOf(numbers: readonly string[]): readonly BlockDevice[]
  /** The other ways to the same disk. */
  twinsOf(disk: BlockDevice): readonly BlockDevice[]
  /** What stores the file, or is the device, that a loop device shows. */
  behind(loop: BlockDevice): readonly string[]
  /** Block devices that store the file or folder, or would store it if it were made; none for network and memory. */
  devicesStoring(path: string): Promise<readonly string[]>
  /** What of the running system each disk carries, by kernel name: a mount point, or `swap`. */
  readonly systemUses: ReadonlyMap<string, string>
  /** What of the running program each disk carries, by kernel name: a path of it. */
  readonly programUses: ReadonlyMap<string, string>
}

export async function readSnapshot(system: Machine): Promise<LinuxSnapshot> {
  const devices = await readBlockDevices(system)
  // Only then: a stick that is dying keeps who asks for its serial number for many seconds, and disks are mounted meanwhile.
  const [ownMounts, firstMounts, swapText] = await Promise.all([
    system.readText('/proc/self/mountinfo'),
    // A service may run in a mount namespace of its own; process 1 sees what the computer runs from.
    system.readText('/proc/1/mountinfo'),
    system.readText('/proc/swaps'),
  ])
  const mounts = parseMountinfo(ownMounts ?? '')
  const swaps = parseSwaps(swapText ?? '')

  const places = new Map<string, Place>()
  const names = new Map<string, Place>()
  for (const disk of devices) {
    const own = { disk, partition: null }
    places.set(disk.number, own)
    names.set(disk.kernelName, own)
    for (const partition of disk.partitions) {
      places.set(partition.number, { disk, partition })
      names.set(partition.kernelName, { disk, partition })
    }
  }
  const numberOf = ({ disk, partition }: Place) => partition?.number ?? disk.number
  const pools = await readBtrfsPools(system, names)
  const zfs = await readZfsPools(system, mounts)

  async function numbersOfMount(mount: Mount, depth = 0): Promise<readonly string[]> {
    const numbers = new Set<string>()
    if (places.has(mount.device)) numbers.add(mount.device)
    const named = mount.source.split(':').filter((source) => source.startsWith('/dev/'))
    const separate = [...mount.superOptions.matchAll(/(?:^|,)(?:logdev|rtdev|journal_path)=([^,]+)/g)]
    let isNamed = false
    for (const source of [...named, ...separate.map((match) => match[1] ?? '')]) {
      const facts = await system.stat(source).catch(() => null)
      if (facts?.kind !== 'block') continue
      isNamed = true
      if (places.has(facts.node)) numbers.add(facts.node)
    }
    if (mount.filesystem === 'btrfs') {
      const known = pools.filter((pool) => pool.numbers.some((number) => numbers.has(number)))
      // `/dev/root` and the like lead nowhere: then it may be any of them. A device that came since they were read has come with its
      // pool, or to one.
      const possible = isNamed ? pools.filter((pool) => pool.hasUnknown) : pools
      for (const pool of known.length > 0 ? known : possible)
        for (const number of pool.numbers) numbers.add(number)
    }
    if (mount.filesystem === 'zfs')
      for (const number of zfs.members.get(mount.source.split('/')[0] ?? '') ?? []) numbers.add(number)
    if (mount.filesystem === 'overlay' && depth < 4) {
      for (const folder of overlayFolders(mount.superOptions))
        for (const number of await devicesStoring(folder, depth + 1)) numbers.add(number)
    }
    return [...numbers]
  }

  /** The mount that `path`, which is no link, is under. */
  function mountOf(path: string): Mount | undefined {
    let found: Mount | undefined
    for (const candidate of mounts) {
      if (!isWithin(path, candidate.mountPoint)) continue
      if (found === undefined || candidate.mountPoint.length >= found.mountPoint.length) found = candidate
    }
    return found
  }

  async function devicesStoring(path: string, depth = 0): Promise<readonly string[]> {
    const remote = mountOf(path)
    if (remote !== undefined && answeredByOthers.test(remote.filesystem)) return numbersOfMount(remote, depth)
    const existing = await nearestExisting(system, path)
    if (existing === null) return []
    const { facts } = existing
    if (facts.kind === 'block') return places.has(facts.node) ? [facts.node] : []
    if (places.has(facts.device)) return [facts.device]
    // File systems without one block device have numbers of their own, btrfs another for each subvolume.
    const real = (await system.realPath(existing.path)) ?? existing.path
    const mount = mountOf(real)
    return mount === undefined ? [] : numbersOfMount(mount, depth)
  }

  const numbersByMount = new Map<Mount, readonly string[]>()
  for (const mount of mounts) {
    // An overlay only borrows what its folders lie on: unmounting the disk isn't unmounting the overlay.
    if (mount.filesystem !== 'overlay') numbersByMount.set(mount, await numbersOfMount(mount))
  }
  const numbersBySwap = new Map<Swap, readonly string[]>()
  for (const swap of swaps) numbersBySwap.set(swap, await devicesStoring(swap.path))
  const backing = new Map<string, readonly string[]>()
  for (const device of devices) {
    if (device.backingFile !== null)
      backing.set(device.kernelName, await devicesStoring(device.backingFile.replace(/ \(deleted\)$/, '')))
  }

  const twins = findTwins(devices)

  async function devicesInFstab(mountPoint: string): Promise<readonly string[]> {
    const numbers: string[] = []
    for (const entry of parseFstab((await system.readText('/etc/fstab')) ?? '')) {
      if (entry.mountPoint !== mountPoint) continue
      const facts = await system.stat(entry.path).catch(() => null)
      if (facts?.kind === 'block') numbers.push(facts.node)
    }
    return numbers
  }

  function foundationsOf(numbers: readonly string[]): readonly BlockDevice[] {
    const found = new Set<BlockDevice>()
    const waiting = [...numbers]
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
      const place = places.get(number)
      if (place === undefined || found.has(place.disk)) continue
      found.add(place.disk)
      for (const slave of place.disk.slaves) {
        const below = names.get(slave)
        if (below !== undefined) waiting.push(numberOf(below))
      }
      waiting.push(...(backing.get(place.disk.kernelName) ?? []))
      waiting.push(...(twins.get(place.disk) ?? []).map((twin) => twin.number))
    }
    return [...found]
  }

  const systemUses = new Map<string, string>()
  const programUses = new Map<string, string>()
  const use = (uses: Map<string, string>, numbers: readonly string[], what: string) => {
    for (const device of foundationsOf(numbers))
      if (!uses.has(device.kernelName)) uses.set(device.kernelName, what)
  }
  const everywhere = firstMounts === null || firstMounts === ownMounts ? [] : parseMountinfo(firstMounts)
  const systemMounts = [...mounts, ...everywhere].filter((mount) => isSystemMountPoint(mount.mountPoint))
  systemMounts.sort((a, b) => a.mountPoint.length - b.mountPoint.length)
  const onZfs = systemMounts.find((mount) => mount.filesystem === 'zfs')
  for (const mount of systemMounts) {
    // It is mounted when somebody looks there; until then only the system's table says what.
    if (mount.filesystem === 'autofs')
      use(systemUses, await devicesInFstab(mount.mountPoint), mount.mountPoint)
    use(systemUses, numbersByMount.get(mount) ?? (await numbersOfMount(mount)), mount.mountPoint)
  }
  for (const numbers of numbersBySwap.values()) use(systemUses, numbers, 'swap')
  for (const file of system.ownFiles)
    use(programUses, await devicesStoring((await system.realPath(file)) ?? file), file)

  return {
    devices,
    mounts,
    swaps,
    at: (number) => places.get(number) ?? null,
    named: (kernelName) => names.get(kernelName) ?? null,
    mountsOn: (number) => mounts.filter((mount) => numbersByMount.get(mount)?.includes(number) === true),
    devicesOf: (mount) => numbersByMount.get(mount) ?? [],
    swapsOn: (number) => swaps.filter((swap) => numbersBySwap.get(swap)?.includes(number) === true),
    zfsPoolOn: (number) => [...zfs.members].find(([, members]) => members.includes(number))?.[0] ?? null,
    unknownZfs: zfs.isKnown ? null : { mountPoint: onZfs?.mountPoint ?? null },
    foundationsOf,
    twinsOf: (disk) => twins.get(disk) ?? [],
    behind: (loop) => backing.get(loop.kernelName) ?? [],
    devicesStoring,
    systemUses,
    programUses,
  }
}

interface BtrfsPool {
  readonly numbers: readonly string[]
  /** Some of its devices aren't among those that were read. */
  readonly hasUnknown: boolean
}

/** The devices of each mounted btrfs: `/sys/fs/btrfs/UUID/devices/` has a link for each, named as the kernel does. */
async function readBtrfsPools(
  system: Machine,
  names: ReadonlyMap<string, Place>,
): Promise<readonly BtrfsPool[]> {
  const pools: BtrfsPool[] = []
  for (const uuid of await system.readFolder('/sys/fs/btrfs')) {
    const members = await system.readFolder(`/sys/fs/btrfs/${uuid}/devices`)
    const places = members.map((name) => names.get(name)).filter((place) => place !== undefined)
    const numbers = places.map(({ disk, partition }) => partition?.number ?? disk.number)
    if (numbers.length > 0) pools.push({ numbers, hasUnknown: numbers.length < members.length })
  }
  return pools
}

/**
 * File systems whose answers come from another machine or from a program: where that hangs, so would whoever asks for
 * as much as a file's size, and with it the list of all disks.
 */
const answeredByOthers = /^(?:fuse|nfs|cifs|smb|9p|ceph|afs|autofs)/

/** `lowerdir=/a:/b,upperdir=/c,…`; commas and colons inside a path come with a backslash. */
function overlayFolders(superOptions: string): readonly string[] {
  return superOptions.split(/(?<!\\),/).flatMap((option) => {
    const match = /^(?:lowerdir|upperdir)\+?=(.*)$/.exec(option)
    if (match?.[1] === undefined) return []
    return match[1]
      .split(/(?<!\\):/)
      .map((path) => path.replace(/\\(.)/g, '$1'))
      .filter((path) => path.startsWith('/'))
  })
}

async function nearestExisting(system: Machine, path: string) {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const facts = await system.stat(at).catch(() => null)
    if (facts !== null) return { path: at, facts }
  }
  const facts = await system.stat('/').catch(() => null)
  return facts === null ? null : { path: '/', facts }
}
