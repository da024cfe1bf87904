/** The product's version, from its package.json, wherever the program was put. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { foldersUpwards } from './product-files.ts'

/** `0.1.0`. Both ends of the engine contract compare it: two halves of different installations refuse each other. */
export function productVersion(): string {
  for (const folder of foldersUpwards(import.meta.dirname)) {
    const version = versionIn(folder)
    if (version !== null) return version
  }
  return 'unknown'
}

function versionIn(folder: string): string | null {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name?: unknown
      version?: unknown
    }
    return manifest.name === 'reprise' && typeof manifest.version === 'string' ? manifest.version : null
  } catch {
    // No package.json here: look in the folder above.
    return null
  }
}
