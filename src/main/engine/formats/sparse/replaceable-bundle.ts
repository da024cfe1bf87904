/**
 * Whether a folder may be removed as a sparse bundle: everything in it goes, so that more is asked than of one that is only
 * opened. It reads as a bundle, and nothing is in it but what Reprise, Apple's tools and file managers put into bundles.
 */
import type { Dirent } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { openFailure } from '#engine/block-io'
import { FormatError } from '#shared/errors'
import { bundleNames, isBandName } from './bundle-folder.ts'
import { readBundleGeometry } from './read-sparse-bundle.ts'

/** What a Mac keeps of a bundle that is in use: a file, and a folder of bands. */
const [lockName, mappedName] = ['lock', 'mapped']
const fileNames: ReadonlySet<string> = new Set([
  bundleNames.info,
  bundleNames.backup,
  bundleNames.token,
  lockName,
])
/** What file managers leave in folders, and what was to become a plist when a resize was stopped. */
const strayFile = /^(?:\.DS_Store|\._.+|\.reprise-[0-9a-f]{12}\.part)$/s

/** `path` is a folder, behind no link. Throws DeviceError where it can't be looked through. */
export async function isReplaceableBundle(path: string): Promise<boolean> {
  const names = new Set<string>()
  const isPart = (entry: Dirent) => {
    names.add(entry.name)
    if (entry.isDirectory()) return entry.name === bundleNames.bands || entry.name === mappedName
    return entry.isFile() && (fileNames.has(entry.name) || strayFile.test(entry.name))
  }
  const isBand = (entry: Dirent) => entry.isFile() && (isBandName(entry.name) || strayFile.test(entry.name))
  if (!(await holdsOnly(path, isPart)) || !names.has(bundleNames.bands)) return false
  for (const folder of [bundleNames.bands, mappedName])
    if (names.has(folder) && !(await holdsOnly(join(path, folder), isBand))) return false
  return await hasPlist(path)
}

async function holdsOnly(path: string, accepts: (entry: Dirent) => boolean): Promise<boolean> {
  try {
    for await (const entry of await opendir(path, { bufferSize: 4096 })) if (!accepts(entry)) return false
    return true
  } catch (error) {
    throw openFailure(error, path, 'destination')
  }
}

async function hasPlist(path: string): Promise<boolean> {
  const [info = null, backup = null] = await Promise.all(
    [bundleNames.info, bundleNames.backup].map(async (name) => {
      const stats = await lstat(join(path, name)).catch(() => null)
      return stats?.isFile() === true ? stats.size : null
    }),
  )
  try {
    await readBundleGeometry(path, { info, backup })
    return true
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}
