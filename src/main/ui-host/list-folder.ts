/** The window's own file panel, for hosts whose window has no open panel of the system (`reprise web`). */
import type { Stats } from 'node:fs'
import { opendir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FolderListing } from '#shared/contract'
import type { DeviceCode } from '#shared/errors'
import { DeviceError, UsageError } from '#shared/errors'
import type { PlaceOptions } from './places.ts'
import { isKernelPath, listPlaces } from './places.ts'
import { wholePath } from './typed-path.ts'

export interface ListBounds {
  /** Entries in the answer. */
  readonly maxListed: number
  /** Entries looked at. */
  readonly maxRead: number
  readonly maxMs: number
}

export const listBounds: ListBounds = { maxListed: 2000, maxRead: 20_000, maxMs: 5000 }

type Entry = FolderListing['entries'][number]

/**
 * The folders and plain files in `asked` (null: the home folder; `~` is understood), folders first, by name; hidden ones
 * are left out, links are followed. What takes longer than `maxMs` is left out, too, which `truncated` tells. Of a file's path the folder that it
 * lies in, and the file. Throws UsageError E_USAGE for a path that isn't absolute, or of what is neither folder nor
 * file, or in the kernel; DeviceError E_NOT_FOUND or E_DENIED.
 */
export async function listFolder(
  asked: string | null,
  options: PlaceOptions,
  bounds: ListBounds = listBounds,
  look: (path: string) => Promise<Stats> = stat,
): Promise<FolderListing> {
  const untilMs = performance.now() + bounds.maxMs
  const { folder, file } = await find(wholePath(asked ?? options.home, options.home, 'folder'))
  const names = await readNames(folder, bounds.maxRead, untilMs)
  const { entries, late } = await readEntries(folder, names.list, untilMs, look)
  return {
    folder,
    file,
    parent: dirname(folder) === folder ? null : dirname(folder),
    places: await listPlaces(options),
    entries: entries.slice(0, bounds.maxListed),
    truncated: names.truncated || late || entries.length > bounds.maxListed,
  }
}

async function find(path: string): Promise<{ readonly folder: string; readonly file: string | null }> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw failed(path, cause)
  })
  if (isKernelPath(real)) throw notFiles(path, 'Disks are chosen in the sidebar.')
  const facts = await stat(real).catch((cause: unknown) => {
    throw failed(path, cause)
  })
  if (facts.isDirectory()) return { folder: real, file: null }
  if (facts.isFile()) return { folder: dirname(real), file: real }
  throw notFiles(path, null)
}

const notFiles = (path: string, hint: string | null) =>
  new UsageError('E_USAGE', 'neither a folder of files nor a file', {
    details: { input: 'folder', path, problem: `'${path}' is neither a file nor a folder of files.`, hint },
  })

async function readNames(folder: string, maxRead: number, untilMs: number) {
  const list: string[] = []
  try {
    for await (const { name } of await opendir(folder)) {
      if (!name.startsWith('.')) list.push(name)
      if (list.length >= maxRead || performance.now() > untilMs) return { list, truncated: true }
    }
  } catch (cause) {
    throw failed(folder, cause)
  }
  return { list, truncated: false }
}

/** `late`: the time was up before all had been looked at. */
async function readEntries(
  folder: string,
  names: readonly string[],
  untilMs: number,
  look: (path: string) => Promise<Stats>,
) {
  const entries: Entry[] = []
  let looked = 0
  const waiting = names.values()
  const work = async () => {
    for (const name of waiting) {
      if (performance.now() > untilMs) return
      const entry = await readEntry(join(folder, name), name, look)
      looked += 1
      if (entry !== null) entries.push(entry)
    }
  }
  // A dead network volume answers never: what is known by then is the answer.
  const timeUp = Promise.withResolvers<void>()
  const timer = setTimeout(timeUp.resolve, Math.max(0, untilMs - performance.now()))
  await Promise.race([Promise.all(Array.from({ length: 8 }, work)), timeUp.promise])
  clearTimeout(timer)
  return { entries: entries.toSorted(inListOrder), late: looked < names.length }
}

/** Folders first, and names as people count. */
const inListOrder = (a: Entry, b: Entry): number =>
  Number(a.kind === 'file') - Number(b.kind === 'file') ||
  a.name.localeCompare(b.name, 'en', { numeric: true, sensitivity: 'base' })

async function readEntry(
  path: string,
  name: string,
  look: (path: string) => Promise<Stats>,
): Promise<Entry | null> {
  let facts: Stats
  try {
    facts = await look(path)
    if (isKernelPath(await realpath(path))) return null
  } catch {
    // A dangling link, or gone since: not listed.
    return null
  }
  if (!facts.isDirectory() && !facts.isFile()) return null
  const kind = facts.isDirectory() ? 'folder' : 'file'
  return { name, path, kind, sizeBytes: facts.size, modifiedMs: Math.round(facts.mtimeMs) }
}

function failed(path: string, cause: unknown): DeviceError {
  const errno = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  const code: DeviceCode = errno === 'EACCES' || errno === 'EPERM' ? 'E_DENIED' : 'E_NOT_FOUND'
  return new DeviceError(code, 'the folder cannot be read', { details: { path, errno }, cause })
}
