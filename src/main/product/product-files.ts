/**
 * Where the files that belong to Reprise are. The source tree, `out/main` and the package's `resources/engine` differ in
 * depth only: what is looked for lies in one of the folders above.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** `folder` and every folder above it. */
export function foldersUpwards(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...foldersUpwards(parent)]
}

/** Full path of the nearest file or folder of ours with one of these names (`assets/practice.dmg`), or null. */
export function productFile(...names: readonly string[]): string | null {
  return (
    foldersUpwards(import.meta.dirname)
      .flatMap((folder) => names.map((name) => join(folder, name)))
      .find((path) => existsSync(path)) ?? null
  )
}
