/**
 * Which file systems this computer has no way to mount: no driver in the kernel, no module of it, and none of the
 * programs that do the same. Only a sure no counts: where that can't be looked up, nothing is said.
 */
import { stoppable, type Machine } from '#engine/platform/system'
import { errnoName } from '#shared/errors'
import type { Logger } from '#shared/log'
import { probeContents } from './contents.ts'
import { deviceAt } from './resolve.ts'

/**
 * By blkid's name, what mounts it. What isn't here isn't judged: swap and the members of a RAID are recognised too, and
 * nobody mounts those.
 */
const drivers: {
  readonly [filesystem: string]: { readonly modules: readonly string[]; readonly programs: readonly string[] }
} = {
  apfs: { modules: ['apfs'], programs: ['mount.apfs', 'mount.fuse.apfs', 'apfs-fuse'] },
  hfs: { modules: ['hfs'], programs: ['mount.hfs'] },
  hfsplus: { modules: ['hfsplus'], programs: ['mount.hfsplus'] },
  ntfs: { modules: ['ntfs', 'ntfs3'], programs: ['mount.ntfs', 'mount.ntfs-3g', 'ntfs-3g'] },
  exfat: { modules: ['exfat'], programs: ['mount.exfat', 'mount.exfat-fuse'] },
  xfs: { modules: ['xfs'], programs: [] },
  btrfs: { modules: ['btrfs'], programs: [] },
  f2fs: { modules: ['f2fs'], programs: [] },
  udf: { modules: ['udf'], programs: [] },
}

const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin']
const patienceMs = 6000

/** It is one that is mounted where there is a driver for it. */
export const isMountable = (filesystem: string): boolean => Object.hasOwn(drivers, filesystem)

/** As `Platform.unreadable`. */
export async function unreadableOn(
  machine: Machine,
  log: Logger,
  path: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const system = stoppable(machine, signal)
  const { place, snapshot } = await deviceAt(system, path)
  const { disk, partition } = place
  const parts = partition !== null ? [partition] : disk.partitions.length > 0 ? disk.partitions : [disk]
  const found = new Set<string>()
  for (const part of parts) {
    signal?.throwIfAborted()
    if (snapshot.mountsOn(part.number).length > 0) continue
    const contents = await probeContents(system, part.path, { log, patienceMs })
    const filesystem = contents?.filesystem ?? null
    if (filesystem !== null && !(await maybeMountable(system, filesystem))) found.add(filesystem)
  }
  return [...found]
}

/** What the kernel may load, as depmod lists it; nothing, of one that loads no modules. Null: that can't be seen. */
async function listModules(system: Machine): Promise<string | null> {
  const [loads, release] = await Promise.all([
    system.stat('/proc/modules').then(
      () => true,
      (error: unknown) => errnoName(error) !== 'ENOENT',
    ),
    system.readText('/proc/sys/kernel/osrelease'),
  ])
  if (!loads) return ''
  return release === null ? null : await system.readText(`/lib/modules/${release.trim()}/modules.dep`)
}

/** False only where that is sure. */
async function maybeMountable(system: Machine, filesystem: string): Promise<boolean> {
  const known = isMountable(filesystem) ? drivers[filesystem] : undefined
  if (known === undefined) return true
  const [present, modules] = await Promise.all([system.readText('/proc/filesystems'), listModules(system)])
  if (present === null || modules === null) return true
  const kinds = present.split('\n').map((line) => line.split('\t').at(-1))
  const loadable = new Set(
    [...modules.matchAll(/^[^:\n]*?([^/:\n]+)\.ko[^:/\n]*:/gm)].map(([, name]) => name),
  )
  if (known.modules.some((name) => kinds.includes(name) || loadable.has(name))) return true
  for (const program of known.programs)
    for (const folder of folders)
      if ((await system.stat(`${folder}/${program}`).catch(() => null)) !== null) return true
  return false
}
