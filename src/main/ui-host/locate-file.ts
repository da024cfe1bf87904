/**
 * Finds the file that a browser handed over without its path. A browser gives name, size, time and bytes; the file that
 * has all four the same, in one of the usual folders, is the one. A file that differs in any is another one: two
 * versions of an image often differ in their middle only, and the wrong one must never be taken.
 */
import { createHash } from 'node:crypto'
import { lstat, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RequestIn, UiContract } from '#shared/contract'
import type { PlaceOptions } from './places.ts'
import { isKernelPath, listPlaces } from './places.ts'

export interface LocateBounds {
  readonly maxEntries: number
  readonly maxDepth: number
  readonly maxMs: number
}

export const locateBounds: LocateBounds = { maxEntries: 50_000, maxDepth: 5, maxMs: 5000 }

type Wanted = RequestIn<UiContract, 'files.locate'>

/** What the window hashes of the file. */
const headBytes = 64 * 1024
/** Browsers round. */
const slackMs = 1000

/**
 * Its full path, or null. Looks breadth first, so that the nearest is found first; follows no links, and leaves hidden
 * folders and what lies deeper than `maxDepth` alone. Ends early, with null, at the bounds and when `signal` aborts.
 */
export async function locateFile(
  wanted: Wanted,
  options: PlaceOptions,
  signal: AbortSignal,
  bounds: LocateBounds = locateBounds,
): Promise<string | null> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(bounds.maxMs)])
  const found = search(wanted, options, end, bounds)
  // The system may never answer for a dead network volume.
  const late = new Promise<null>((resolve) =>
    end.addEventListener('abort', () => resolve(null), { once: true }),
  )
  return Promise.race([found, late])
}

async function search(
  wanted: Wanted,
  options: PlaceOptions,
  end: AbortSignal,
  bounds: LocateBounds,
): Promise<string | null> {
  const queue = (await listPlaces(options)).map(({ path }) => ({ path, depth: 0 }))
  const seen = new Set<string>()
  let entries = 0
  for (const { path, depth } of queue) {
    if (end.aborted || entries > bounds.maxEntries) return null
    if (seen.has(path) || isKernelPath(path)) continue
    seen.add(path)
    const names = await opendir(path).catch(() => null)
    if (names === null) continue
    try {
      for await (const entry of names) {
        entries += 1
        if (end.aborted || entries > bounds.maxEntries) break
        const inner = join(path, entry.name)
        if (entry.isFile() && entry.name === wanted.name && (await isIt(inner, wanted))) return inner
        if (entry.isDirectory() && !entry.name.startsWith('.') && depth < bounds.maxDepth) {
          queue.push({ path: inner, depth: depth + 1 })
        }
      }
    } catch {
      // Its disk fails, or it was taken away: it may be in another.
    }
  }
  return null
}

async function isIt(path: string, wanted: Wanted): Promise<boolean> {
  try {
    const facts = await lstat(path)
    if (!facts.isFile() || facts.size !== wanted.sizeBytes) return false
    if (Math.abs(facts.mtimeMs - wanted.modifiedMs) > slackMs) return false
    await using file = await open(path, 'r')
    const head = Buffer.alloc(Math.min(headBytes, facts.size))
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    return createHash('sha256').update(head.subarray(0, bytesRead)).digest('hex') === wanted.headSha256
  } catch {
    // Not readable, or gone since: not it.
    return false
  }
}
