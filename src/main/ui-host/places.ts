/** Folders where a person's disk images are likely to be. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { join, resolve, sep } from 'node:path'

export interface Place {
  readonly name: string
  readonly path: string
}

export interface PlaceOptions {
  readonly home: string
  readonly workingFolder: string
  readonly practiceFolder: string
  /** Folders whose folders are mounted volumes. */
  readonly mountFolders: readonly string[]
}

export function usualPlaces(practiceFolder: string): PlaceOptions {
  return {
    home: homedir(),
    workingFolder: process.cwd(),
    practiceFolder,
    mountFolders:
      process.platform === 'darwin'
        ? ['/Volumes']
        : ['/media', `/media/${userInfo().username}`, `/run/media/${userInfo().username}`, '/mnt'],
  }
}

/** Those that are there, each once. */
export async function listPlaces(options: PlaceOptions): Promise<Place[]> {
  const mounted = await Promise.all(options.mountFolders.map(foldersIn))
  const candidates = [
    { name: 'Home', path: options.home },
    { name: 'Downloads', path: join(options.home, 'Downloads') },
    { name: 'Desktop', path: join(options.home, 'Desktop') },
    { name: 'Working folder', path: options.workingFolder },
    { name: 'Practice', path: options.practiceFolder },
    ...mounted.flat(),
  ]
  const found: Place[] = []
  for (const { name, path } of candidates) {
    const real = await realFolder(path)
    if (real !== null && !found.some((place) => place.path === real)) found.push({ name, path: real })
  }
  return found
}

/** Views into the kernel, not folders of files: opening things there can do anything. */
const notFiles = ['/proc', '/sys', '/dev'].map((folder) => folder + sep)

/** Whether `path` (absolute, without links) is or lies in a place that isn't made of files. */
export function isKernelPath(path: string): boolean {
  const folder = resolve(path) + sep
  return notFiles.some((place) => folder.startsWith(place))
}

async function foldersIn(folder: string): Promise<Place[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .slice(0, 50)
    .map((entry) => ({ name: entry.name, path: join(folder, entry.name) }))
}

async function realFolder(path: string): Promise<string | null> {
  try {
    const real = await realpath(path)
    return (await stat(real)).isDirectory() && !isKernelPath(real) ? real : null
  } catch {
    // Not there, or not ours to look into: no place.
    return null
  }
}
