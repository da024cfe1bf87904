/** The product's version, from its package.json, wherever the program was put. */
import { manifestIn, productFolders } from './product-files.ts'

/** `0.1.0`. Both ends of the engine contract compare it: two halves of different installations refuse each other. */
export function productVersion(): string {
  for (const folder of productFolders(import.meta.dirname)) {
    const manifest = manifestIn(folder)
    if (manifest !== null) return manifest.version
  }
  return 'unknown'
}
