/**
 * A disk put together of files: its map in one, its volume in another, zeros between. Nothing is copied; the layout says where
 * everything is.
 */
import { open } from 'node:fs/promises'
import { openFileSource } from '#engine/block-io'
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { readUsedBlocks } from '#engine/formats/filesystem'
import type { NewMap } from '#engine/formats/partition-map'
import type { Logger } from '#shared/log'
import { edgesOf, unreadRowsOf } from './volume-edges.ts'

export interface DiskPieces {
  readonly sizeBytes: number
  readonly map: { readonly path: string; readonly writes: NewMap['writes'] } | null
  /** A file with a file system, and where on the disk it is. */
  readonly volume: { readonly path: string; readonly offset: number; readonly sizeBytes: number } | null
}

export interface ComposedDisk {
  readonly layout: ExtentLayout
  /** Of the map and of what the file system uses. */
  readonly usedBytes: number
}

interface Row {
  readonly from: number
  readonly to: number
  readonly kind: 'raw' | 'zero' | 'ignore'
  readonly storedOffset: number
}

/**
 * The map's bytes are written into the file at `map.path`, one stretch after another. Unused blocks of the volume are
 * ignored, but for its edges, where they are zeros.
 */
export async function composeDisk(
  { sizeBytes, map, volume }: DiskPieces,
  log: Logger,
): Promise<ComposedDisk> {
  const parts = []
  const rows: Row[] = []
  let stored = 0
  if (map !== null) {
    await using file = await open(map.path, 'wx', 0o600)
    for (const { offset, bytes } of map.writes) {
      await file.write(bytes, 0, bytes.length, stored)
      rows.push({ from: offset, to: offset + bytes.length, kind: 'raw', storedOffset: stored })
      stored += bytes.length
    }
    parts.push({ path: map.path, streamOffset: 0, fileOffset: 0, lengthBytes: stored })
  }
  if (volume !== null) {
    const { path, offset, sizeBytes: lengthBytes } = volume
    parts.push({ path, streamOffset: stored, fileOffset: 0, lengthBytes })
    const unreadRows = unreadRowsOf(edgesOf(offset, lengthBytes))
    const skip = (from: number, to: number) => {
      for (const row of unreadRows(offset + from, offset + to)) rows.push({ ...row, storedOffset: 0 })
    }
    let at = 0
    for (const [from, to] of await usedRanges(path, lengthBytes, log)) {
      skip(at, from)
      rows.push({ from: offset + from, to: offset + to, kind: 'raw', storedOffset: stored + from })
      at = to
    }
    skip(at, lengthBytes)
  }
  rows.sort((a, b) => a.from - b.from)
  const complete: Row[] = []
  let at = 0
  for (const row of [...rows, { from: sizeBytes, to: sizeBytes, kind: 'zero' as const, storedOffset: 0 }]) {
    if (row.from > at) complete.push({ from: at, to: row.from, kind: 'zero', storedOffset: 0 })
    if (row.to > row.from) complete.push(row)
    at = row.to
  }
  const extents = allocateExtentTable(complete.length)
  complete.forEach(({ from, to, kind, storedOffset }, index) => {
    extents.diskOffset[index] = from
    extents.diskBytes[index] = to - from
    extents.kind[index] = kindIndex[kind]
    extents.storedOffset[index] = storedOffset
    extents.storedBytes[index] = kind === 'raw' ? to - from : 0
  })
  const usedBytes = complete.reduce((sum, { from, to, kind }) => sum + (kind === 'raw' ? to - from : 0), 0)
  return { layout: { kind: 'extents', sizeBytes, parts, extents, checks: [], storedChecks: [] }, usedBytes }
}

/** What the file system in a file uses, in whole sectors. */
async function usedRanges(
  path: string,
  sizeBytes: number,
  log: Logger,
): Promise<Iterable<readonly [from: number, to: number]>> {
  await using source = await openFileSource(path)
  const found = await readUsedBlocks(
    async (offset, lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes)
      await source.read(bytes, offset)
      return bytes
    },
    { offset: 0, sizeBytes },
  )
  if (found.kind === 'whole') {
    log.info('read whole', { reason: found.reason, problem: found.problem })
    return [[0, sizeBytes]]
  }
  return [...found.ranges].map(([from, to]) => [
    Math.floor(from / 512) * 512,
    Math.min(sizeBytes, Math.ceil(to / 512) * 512),
  ])
}
