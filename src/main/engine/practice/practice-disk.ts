/** The Practice disk as a `Disk`, like those that the platform lists. */
import { lstat } from 'node:fs/promises'
import { openFileSource } from '#engine/block-io'
import { sniffFilesystem } from '#engine/formats/filesystem'
import { readPartitionMap } from '#engine/formats/partition-map'
import type { ReadDisk } from '#engine/formats/struct'
import type { Disk, Volume } from '#shared/model'

/** The disk in the file at `path`; null when it isn't there any more. A disk that can't be read is shown as an empty one. */
export async function practiceDisk(path: string): Promise<Disk | null> {
  const facts = await lstat(path).catch(() => null)
  if (!facts?.isFile()) return null
  const contents = await readContents(path, facts.size).catch((): Contents => ({
    partitionMap: 'none',
    volumes: [],
  }))
  return {
    path,
    identity: `file:${path}:${facts.dev}:${facts.ino}`,
    name: 'Practice disk',
    vendor: null,
    model: null,
    serial: null,
    sizeBytes: facts.size,
    logicalBlockBytes: 512,
    bus: 'file',
    removable: true,
    internal: false,
    readOnly: false,
    ...contents,
    protection: null,
    backingFile: path,
    practice: true,
    busy: false,
  }
}

type Contents = Pick<Disk, 'partitionMap' | 'volumes'>

async function readContents(path: string, sizeBytes: number): Promise<Contents> {
  await using file = await openFileSource(path)
  const read: ReadDisk = async (offset, lengthBytes) => {
    const bytes = new Uint8Array(lengthBytes)
    await file.read(bytes, offset)
    return bytes
  }
  const map = await readPartitionMap(read, sizeBytes)
  const parts =
    map.kind === 'none' ? [{ index: 0, name: null, type: '', offset: 0, sizeBytes }] : map.partitions
  const volumes: Volume[] = []
  for (const { index, name, type, offset, sizeBytes: lengthBytes } of parts) {
    const room = Math.min(lengthBytes, sizeBytes - offset)
    const found = room > 0 ? await sniffFilesystem(read, { offset, sizeBytes: room }) : null
    if (index === 0 && found === null) continue
    volumes.push({
      path: index === 0 ? path : `${path}#${index}`,
      index,
      offset,
      sizeBytes: lengthBytes,
      filesystem: found?.filesystem ?? null,
      label: found?.label ?? name,
      uuid: null,
      partitionType: index === 0 ? null : type,
      mountPoints: [],
      usedBytes: null,
      readOnly: false,
    })
  }
  return { partitionMap: map.kind, volumes: volumes.sort((a, b) => a.offset - b.offset) }
}
