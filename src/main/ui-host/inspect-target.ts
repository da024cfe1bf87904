/**
 * What lies where a file is to be written, so that the window can ask before something is replaced, and say how much
 * room there is. A courtesy: the engine looks again, and replaces nothing it wasn't told to.
 */
import { constants, type Stats } from 'node:fs'
import { access, lstat, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { TargetFacts } from '#shared/contract'

/** `path` is absolute. What can't be looked at is told as such. */
export async function inspectTarget(path: string): Promise<TargetFacts> {
  const folder = dirname(path)
  const there = await lstat(path).catch(() => null)
  const freeBytes = await freeBytesOf(folder)
  const facts = { sizeBytes: there?.isFile() === true ? there.size : 0, freeBytes }
  if (there !== null) return { kind: kindOf(there), ...facts }
  const parent = await stat(folder).catch(() => null)
  if (parent === null || !parent.isDirectory()) return { kind: 'no-folder', ...facts }
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )
  return { kind: writable ? 'nothing' : 'denied', ...facts }
}

function kindOf(facts: Stats): TargetFacts['kind'] {
  if (facts.isDirectory()) return 'folder'
  return facts.isFile() ? 'file' : 'other'
}

async function freeBytesOf(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    return null
  }
}
