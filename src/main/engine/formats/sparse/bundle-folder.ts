/**
 * The folder of a sparse bundle: which bands are there, and a digest of what all its files are at this moment, so that a
 * hundred thousand of them are one fact to whoever asks whether the image is still the one that was looked at. Reads no
 * file's bytes.
 */
import { createHash } from 'node:crypto'
import { lstat, opendir, type Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openFailure } from '#engine/block-io'
import { fileStamp } from '#engine/formats/extents'
import { corrupt } from '#engine/formats/struct'

/** A band that is stored. */
export interface BandFile {
  readonly index: number
  readonly path: string
  readonly sizeBytes: number
  readonly stamp: string
}

export interface BundleFiles {
  /** Ascending. */
  readonly bands: readonly BandFile[]
  /** Of the files beside the bands; null where there is none. */
  readonly info: number | null
  readonly backup: number | null
  readonly token: number | null
  /** Changes when any of the files does, comes or goes. */
  readonly state: string
  readonly storedBytes: number
  readonly modifiedMs: number
}

/** The folder's files beside the bands. */
export const bundleNames = {
  info: 'Info.plist',
  backup: 'Info.bckup',
  token: 'token',
  bands: 'bands',
} as const

/** Where band `index` is. */
export const bandPath = (bundle: string, index: number): string =>
  join(bundle, bundleNames.bands, index.toString(16))

/** Whether a band may be called so: its number, in lower case and without zeros before it. */
export function isBandName(name: string): boolean {
  const index = Number.parseInt(name, 16)
  return Number.isSafeInteger(index) && index.toString(16) === name
}

const openFolder = promisify(opendir)
const lstatLater = promisify(lstat)
/** Entries asked for at once, and files looked at at once: a hundred thousand take a third of a second. */
const entriesAtOnce = 4096
const looksAtOnce = 32
/** A folder with more is a trap. */
const maxEntries = 8 * 1024 * 1024

/** Whether the folder at `path` is to be opened as a bundle. To remove it takes more: `isReplaceableBundle`. */
export async function isSparseBundle(path: string): Promise<boolean> {
  const bands = await lstatLater(join(path, bundleNames.bands)).catch(() => null)
  return bands?.isDirectory() === true
}

/**
 * Throws `FormatError` E_SRC_CORRUPT for a band that isn't a regular file, or lies on another file system than its folder,
 * or has a name that a band can't have; what the system throws as DeviceError; the signal's reason.
 */
export async function readBundleFiles(path: string, signal?: AbortSignal): Promise<BundleFiles> {
  const folder = join(path, bundleNames.bands)
  const about = await look(folder)
  if (about?.isDirectory() !== true)
    throw corrupt({ format: 'sparsebundle', field: 'bands', offset: 0, path, expected: 'a folder' })
  // Who asks which disk the image is stored on asks about its folder.
  if (about.dev !== (await followed(path)).dev) throw notAFile(folder, about)
  const names = await bandNames(folder, signal)
  const bands: BandFile[] = []
  const seen = { storedBytes: 0, modifiedMs: 0 }
  const stamps: string[] = []
  let next = 0
  const lookAtSome = async () => {
    for (let place = next++; place < names.length; place = next++) {
      signal?.throwIfAborted()
      const { name, index } = names[place] ?? { name: '', index: 0 }
      const path = join(folder, name)
      const stats = await look(path)
      // Gone since the folder was read: as if it had never been there.
      if (stats !== null && (!stats.isFile() || stats.dev !== about.dev)) throw notAFile(path, stats)
      count(seen, stats)
      stamps[place] = stampOf(stats)
      const stamp = stats === null ? '' : fileStamp(stats)
      bands[place] = { index, path, sizeBytes: stats?.size ?? 0, stamp }
    }
  }
  await Promise.all(Array.from({ length: looksAtOnce }, lookAtSome))
  const hash = createHash('sha256')
  const sizes: (number | null)[] = []
  for (const name of [bundleNames.info, bundleNames.backup, bundleNames.token]) {
    const file = join(path, name)
    const stats = await look(file)
    if (stats !== null && !stats.isFile()) throw notAFile(file, stats)
    count(seen, stats)
    hash.update(`${stampOf(stats)}\n`)
    sizes.push(stats?.size ?? null)
  }
  for (const [place, { index }] of bands.entries()) hash.update(`${index} ${stamps[place] ?? ''}\n`)
  const [info = null, backup = null, token = null] = sizes
  return { bands, info, backup, token, state: hash.digest('hex'), ...seen }
}

/** `BandFile.stamp` of the file at `path` as it is now; null when it is gone. */
export async function bandStamp(path: string): Promise<string | null> {
  const stats = await look(path)
  return stats === null ? null : fileStamp(stats)
}

/** Ascending. Files that no system takes for a band are passed over; what could be one and isn't is refused. */
async function bandNames(folder: string, signal?: AbortSignal): Promise<{ name: string; index: number }[]> {
  const found: { name: string; index: number }[] = []
  const problem = { format: 'sparsebundle', field: 'bands', offset: 0, path: folder }
  try {
    for await (const { name } of await openFolder(folder, { bufferSize: entriesAtOnce })) {
      if (found.length % entriesAtOnce === 0) signal?.throwIfAborted()
      if (found.length > maxEntries) throw corrupt({ ...problem, expected: `at most ${maxEntries} bands` })
      if (!/^[0-9a-f]+$/i.test(name)) continue
      const index = Number.parseInt(name, 16)
      if (!isBandName(name))
        throw corrupt({ ...problem, found: name, expected: 'bands named by their number in lower case' })
      found.push({ name, index })
    }
  } catch (error) {
    throw openFailure(error, folder, 'source')
  }
  return found.sort((a, b) => a.index - b.index)
}

async function look(path: string): Promise<Stats | null> {
  try {
    return await lstatLater(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw openFailure(error, path, 'source')
  }
}

/** The bundle itself may be behind a link. */
async function followed(path: string): Promise<Stats> {
  return await stat(path).catch((error: unknown) => {
    throw openFailure(error, path, 'source')
  })
}

/** With the change time, which nobody can set. */
const stampOf = (stats: Stats | null) => (stats === null ? '-' : `${fileStamp(stats)}:${stats.ctimeMs}`)

function count(seen: { storedBytes: number; modifiedMs: number }, stats: Stats | null): void {
  seen.storedBytes += stats?.size ?? 0
  seen.modifiedMs = Math.max(seen.modifiedMs, stats?.mtimeMs ?? 0)
}

function notAFile(path: string, stats: Stats) {
  const found = stats.isSymbolicLink()
    ? 'a symbolic link'
    : stats.isDirectory()
      ? 'a folder'
      : stats.isFile()
        ? 'a file of another file system'
        : 'not a file'
  return corrupt({
    format: 'sparsebundle',
    field: 'kind',
    offset: 0,
    path,
    found,
    expected: 'a regular file',
  })
}
