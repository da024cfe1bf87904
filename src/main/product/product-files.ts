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

/** Full path of a file or folder of ours (`assets/practice.dmg`, `out/renderer`), or null when it isn't there. */
export function productFile(name: string): string | null {
  return (
    foldersUpwards(import.meta.dirname)
      .map((folder) => join(folder, name))
      .find((path) => existsSync(path)) ?? null
  )
}
