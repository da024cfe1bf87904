/**
 * Data to measure with: files of this machine, one after the other like in a tar file, because how well data compresses
 * decides how fast it expands. The order is the same every time; made once, and kept in the cache folder.
 */
import { createWriteStream, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where data and images made of it stay for the next run. Remove it with `--clean`. */
export const cacheFolder = join(tmpdir(), 'reprise-bench-cache')

const roots = ['/usr/bin', '/usr/share', resolve(import.meta.dirname, '../node_modules'), '/usr/lib']
const largestFile = 64 * 2 ** 20

/** Path of a file of `sizeBytes` (whole sectors). */
export async function realData(sizeBytes: number): Promise<string> {
  mkdirSync(cacheFolder, { recursive: true })
  const path = join(cacheFolder, `real-${sizeBytes / 2 ** 20}m.img`)
  if (sizeOf(path) === sizeBytes) return path
  const out = createWriteStream(`${path}.part`)
  let left = sizeBytes
  // A machine with fewer files gives them more than once; a run of an image is too short to notice.
  while (left > 0) {
    const before = left
    for (const root of roots)
      for (const file of filesUnder(root)) {
        if (left === 0) break
        const content = readFileSync(file)
        const entry = Buffer.alloc(512 + Math.ceil(content.length / 512) * 512)
        entry.write(file.slice(0, 512))
        content.copy(entry, 512)
        const piece = entry.subarray(0, left)
        left -= piece.length
        if (!out.write(piece)) await once(out, 'drain')
      }
    if (left === before) throw new Error(`no files in ${roots.join(', ')}`)
  }
  out.end()
  await once(out, 'close')
  renameSync(`${path}.part`, path)
  return path
}

function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null
}

/** Readable regular files, by name, folder after folder. Very large ones would be all there is, so they are left out. */
function* filesUnder(folder: string): Generator<string> {
  let entries
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {
    return
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesUnder(path)
    else if (entry.isFile() && (sizeOf(path) ?? Infinity) <= largestFile) yield path
  }
}
