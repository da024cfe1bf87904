/** The product's version, from its package.json, wherever the program was put. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Looks upwards from this file: the source tree, `out/main` and the packaged app all lie below it. */
export function productVersion(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const version = versionIn(folder)
    if (version !== null) return version
    if (dirname(folder) === folder) return 'unknown'
  }
}

function versionIn(folder: string): string | null {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name?: unknown
      version?: unknown
    }
    return manifest.name === 'reprise' && typeof manifest.version === 'string' ? manifest.version : null
  } catch {
    return null
  }
}
