/**
 * Where the files that belong to Reprise are. The source tree, `out/main` and the package's `resources/engine` differ in
 * depth only: what is looked for lies in one of the folders above, up to the product's own. Never further: anybody may be
 * allowed to write there, and some of these files are started, even as root.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Full path of the nearest file or folder of ours with one of these names (`assets/practice.dmg`), or null. */
export function productFile(...names: readonly string[]): string | null {
  return productFileFrom(import.meta.dirname, ...names)
}

/** The same, for a program in `folder`. */
export function productFileFrom(folder: string, ...names: readonly string[]): string | null {
  return (
    productFolders(folder)
      .flatMap((each) => names.map((name) => join(each, name)))
      .find((path) => existsSync(path)) ?? null
  )
}

/** What our package.json says; null: it isn't in this folder, or another's is. */
export function manifestIn(folder: string): { readonly version: string } | null {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name?: unknown
      version?: unknown
    }
    const { name, version } = manifest
    return name === 'reprise' && typeof version === 'string' ? { version } : null
  } catch {
    return null
  }
}

/**
 * `folder` and those above it, up to the product's own: the first that has our package.json. From the archive of the packaged app
 * also the folder it lies in, where the engine and its Node are. None when there is no such folder.
 */
export function productFolders(folder: string): string[] {
  if (manifestIn(folder) !== null) return folder.endsWith('.asar') ? [folder, dirname(folder)] : [folder]
  const parent = dirname(folder)
  if (parent === folder) return []
  const above = productFolders(parent)
  return above.length === 0 ? [] : [folder, ...above]
}
