/** A sparse bundle: a folder with a file for each stretch of the disk that was ever written. */
import { join } from 'node:path'
import { openFileSource } from '#engine/block-io'
import { corrupt } from '#engine/formats/struct'
import { AppError, FormatError } from '#shared/errors'
import { bandDiskBytes, bandExtents, countBands, type BandGeometry } from './band-layout.ts'
import { bundleNames, readBundleFiles, type BundleFiles } from './bundle-folder.ts'
import { parseBundlePlist } from './bundle-plist.ts'
import type { SparseImage } from './read-sparse-image.ts'

export interface SparseBundle extends SparseImage {
  /** Bytes of the file `token`: none, or the header of an encrypted bundle. Null: there is no such file. */
  readonly tokenBytes: number | null
}

const maxPlistBytes = 1024 * 1024

/**
 * Read the folder at `path`. The layout's stored stream is the disk itself, so that a band's part begins in it where the
 * band begins on the disk. Throws `FormatError` E_SRC_FORMAT, E_SRC_CORRUPT; DeviceError; the signal's reason.
 */
export async function readSparseBundle(path: string, signal?: AbortSignal): Promise<SparseBundle> {
  const files = await readBundleFiles(path, signal)
  const geometry = await readBundleGeometry(path, files, signal)
  const { sizeBytes, bandBytes } = geometry
  const bandCount = countBands(geometry)
  const tooLong = files.bands.find((band) => band.sizeBytes > bandBytes)
  if (tooLong !== undefined)
    throw corrupt({
      format: 'sparsebundle',
      field: 'band',
      offset: bandBytes,
      path: tooLong.path,
      found: tooLong.sizeBytes,
      expected: `at most ${bandBytes}`,
    })
  // What a disk that became smaller left behind isn't of it any more.
  const bands = files.bands.filter((band) => band.index < bandCount && band.sizeBytes > 0)
  const stored = bands.map((band) => Math.min(band.sizeBytes, bandDiskBytes(geometry, band.index)))
  return {
    layout: {
      kind: 'extents',
      sizeBytes,
      parts: bands.map((band) => ({
        path: band.path,
        streamOffset: band.index * bandBytes,
        fileOffset: 0,
        lengthBytes: band.sizeBytes,
        stamp: band.stamp,
      })),
      extents: bandExtents(geometry, {
        index: bands.map((band) => band.index),
        storedOffset: bands.map((band) => band.index * bandBytes),
        storedBytes: stored,
      }),
      checks: [],
      storedChecks: [],
      bundle: { path, state: files.state },
    },
    bandBytes,
    bandCount: bands.length,
    dataBytes: stored.reduce((sum, bytes) => sum + bytes, 0),
    storedBytes: files.storedBytes,
    modifiedMs: files.modifiedMs,
    tokenBytes: files.token,
  }
}

/**
 * From `Info.plist` of the bundle at `path`; where that is missing or damaged, from the copy that is there for it. `files`: the
 * lengths of both. Throws `FormatError` E_SRC_FORMAT, E_SRC_CORRUPT; DeviceError; the signal's reason.
 */
export async function readBundleGeometry(
  path: string,
  files: Pick<BundleFiles, 'info' | 'backup'>,
  signal?: AbortSignal,
): Promise<BandGeometry> {
  try {
    return await readPlist(path, bundleNames.info, files.info, signal)
  } catch (error) {
    AppError.accept(error)
    if (!(error instanceof FormatError) || files.backup === null) throw error
    return await readPlist(path, bundleNames.backup, files.backup, signal).catch(() => {
      throw error
    })
  }
}

async function readPlist(
  path: string,
  name: string,
  lengthBytes: number | null,
  signal?: AbortSignal,
): Promise<BandGeometry> {
  const problem = { format: 'sparsebundle', field: name, offset: 0, path: join(path, name) }
  if (lengthBytes === null) throw corrupt({ ...problem, found: 'nothing', expected: 'a plist' })
  if (lengthBytes > maxPlistBytes)
    throw corrupt({ ...problem, found: lengthBytes, expected: `at most ${maxPlistBytes} bytes` })
  await using source = await openFileSource(join(path, name))
  const bytes = new Uint8Array(Math.min(lengthBytes, source.sizeBytes))
  await source.read(bytes, 0, signal)
  return parseBundlePlist(bytes, join(path, name))
}
