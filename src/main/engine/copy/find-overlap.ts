/**
 * May source and target be used together: is one the other, inside the other, or stored on it? Looks through loop
 * devices, RAID and mapper by the platform's `disksHoldingFile`, and tells files apart by device and inode, not by name.
 */
import { dirname, join, sep } from 'node:path'
import type { ImageLayout } from '#engine/formats/extents'
import { UsageError } from '#shared/errors'
import type { Disk, Volume } from '#shared/model'
import { overlaps } from './overlapping.ts'
import { sameFile, type ExaminedTarget } from './examine-target.ts'
import type { ExaminedSource } from './examine-source.ts'
import type { RestoreDeps } from './restore-deps.ts'
import type { FileFacts } from './restore-io.ts'

/** What stands against using the two together, or null. */
export async function findOverlap(
  source: ExaminedSource,
  target: ExaminedTarget,
  { platform, io }: RestoreDeps,
): Promise<UsageError | null> {
  // It comes from a server.
  if (source.kind === 'stream') return null
  if (source.kind === 'image') {
    if (target.kind === 'file') {
      const { facts } = target
      if (liesInside(source.layout, target.info.path, facts)) return same()
      return facts !== null && source.files.some((file) => sameFile(file, facts)) ? same() : null
    }
    for (const file of source.files) {
      if (await isFile(target.disk.backingFile, file.path)) return same()
      if (await liesOn(file.path, target.disk, target.volume)) return holdsSource(file.path)
    }
    return null
  }
  if (target.kind === 'file') {
    if (await isFile(source.disk.backingFile, target.info.path)) return same()
    // The file's folder, where the file isn't there yet.
    const stored = target.facts === null ? dirname(target.info.path) : target.info.path
    return (await liesOn(stored, source.disk, source.volume)) ? same() : null
  }
  const isOneDisk =
    source.disk.path === target.disk.path || source.disk.sameAs?.includes(target.disk.path) === true
  if (isOneDisk) return partsOverlap(source, target) ? same() : null
  const [behindSource, behindTarget] = [source.disk.backingFile, target.disk.backingFile]
  if (behindSource !== null && behindTarget !== null && (await isFile(behindSource, behindTarget)))
    return same()
  if (behindTarget !== null && (await liesOn(behindTarget, source.disk, source.volume))) return same()
  if (behindSource !== null && (await liesOn(behindSource, target.disk, target.volume)))
    return holdsSource(behindSource)
  return null

  async function isFile(path: string | null, other: string): Promise<boolean> {
    if (path === null) return false
    const [a, b] = await Promise.all([io.readFacts(path), io.readFacts(other)])
    return a !== null && b !== null && sameFile(a, b)
  }

  /**
   * The file is stored on the disk, or on that partition of it. The platform tells disks only: a file counts as being
   * on the partition unless it is known to lie in a file system mounted from another partition.
   */
  async function liesOn(path: string, disk: Disk, volume: Volume | null): Promise<boolean> {
    const holders = await platform.disksHoldingFile(path)
    if (!holders.includes(disk.path)) return false
    if (volume === null) return true
    const facts = await io.readFacts(path)
    const siblings = disk.volumes.filter((each) => each.path !== volume.path && !overlaps(each, volume))
    for (const mountPoint of siblings.flatMap((each) => each.mountPoints)) {
      const mounted = await io.readFacts(mountPoint)
      if (facts !== null && mounted !== null && mounted.device === facts.device) return false
    }
    return true
  }

  function same(): UsageError {
    return new UsageError('E_SAME', 'source and destination overlap', {
      details: { input: 'target', source: source.info.locator, target: target.info.path },
    })
  }

  function holdsSource(file: string): UsageError {
    return new UsageError('E_DST_HOLDS_SRC', `${file} is stored on ${target.info.path}`, {
      details: { input: 'target', path: target.info.path, file },
    })
  }
}

/** In the folder of a sparse bundle, or one of its bands under another name. */
function liesInside(layout: ImageLayout, path: string, facts: FileFacts | null): boolean {
  if (layout.kind === 'stream' || layout.bundle === undefined) return false
  if (path.startsWith(join(layout.bundle.path, sep))) return true
  const start = facts === null ? null : `${facts.device}:${facts.inode}:`
  return start !== null && layout.parts.some(({ stamp }) => stamp?.startsWith(start) === true)
}

/** Of one disk; null: all of it. */
function partsOverlap(a: { readonly volume: Volume | null }, b: { readonly volume: Volume | null }): boolean {
  return a.volume === null || b.volume === null || overlaps(a.volume, b.volume)
}
