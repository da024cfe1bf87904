/** The Practice disk as a `Disk`, like those that the platform lists. */
import { lstat } from 'node:fs/promises'
import type { Disk } from '#shared/model'

/** What a plain file says of the disk in it; the rest is read by whoever knows partition maps. */
export type PracticeContents = Pick<Disk, 'partitionMap' | 'volumes'>

/**
 * The disk in the file at `path`, null when it isn't there any more. `readContents` looks inside; when it can't, the
 * disk is shown as an empty one.
 */
export async function practiceDisk(
  path: string,
  readContents: (path: string) => Promise<PracticeContents>,
): Promise<Disk | null> {
  const facts = await lstat(path).catch(() => null)
  if (!facts?.isFile()) return null
  const contents = await readContents(path).catch((): PracticeContents => ({
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
