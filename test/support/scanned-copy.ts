/** An image that may be restored with verification: scanned, where it has a place for a scan. */
import { chmodSync, copyFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { openImage } from '#engine/formats/image'
import { scanImage } from '#engine/scan'
import { quietContext } from '#test/quiet-context'

/** The image itself, or where it has to be scanned, a copy in `folder`. */
export async function scannedCopy(path: string, folder: string): Promise<string> {
  const { info } = await openImage(path)
  if (info.tables.length === 0 || info.scan !== null) return path
  const copy = join(folder, basename(path))
  copyFileSync(path, copy)
  chmodSync(copy, 0o644)
  await scanImage({ path: copy, reorder: false, allowFragmentedCatalog: false }, quietContext(), {
    scannedBy: 'Reprise',
  })
  return copy
}
