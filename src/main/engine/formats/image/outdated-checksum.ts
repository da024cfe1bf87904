/**
 * Who changes an image's file, or puts another at its place, leaves a wrong checksum beside it, and every restore would fail by that
 * later. It can't be brought up to date with it: that would vouch for bytes nobody has compared. So it is told, at once.
 */
import { stat } from 'node:fs/promises'
import { fileStamp } from '#engine/formats/extents'
import { checksumPath, findChecksum } from './checksum-file.ts'

/**
 * Call before the file at `path` may be changed, and what it resolves to afterwards: that tells the path of the file beside it whose
 * SHA-256 was of what is no longer there, or null.
 */
export async function watchChecksum(path: string): Promise<() => Promise<string | null>> {
  const before = await stampOf(path)
  const known = await findChecksum(path).catch(() => null)
  return async () => {
    if (known === null || (await stampOf(path)) === before) return null
    const now = await findChecksum(path).catch(() => null)
    return now === known ? checksumPath(path) : null
  }
}

async function stampOf(path: string): Promise<string | null> {
  const facts = await stat(path).catch(() => null)
  return facts?.isFile() === true ? fileStamp(facts) : null
}
