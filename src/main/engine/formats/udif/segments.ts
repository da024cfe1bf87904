/**
 * The files of a segmented image: `image.dmg`, `image.002.dmgpart`, … Their data forks follow one another as one stored
 * stream. Each file is a UDIF of its own with the same segment ID; only the first lists the runs.
 */
import { basename, dirname, join } from 'node:path'
import type { BlockSource } from '#engine/block-io'
import { formatError } from '#engine/formats/struct'
import { DeviceError, NetworkError } from '#shared/errors'
import { isWebLocator } from '#shared/model'
import { isKoly, kolyBytes, kolyStruct, parseKoly, type Koly } from './koly.ts'

/** One file of an image. */
export interface Segment {
  readonly path: string
  readonly fileBytes: number
  readonly koly: Koly
  /** Where its data fork begins in the stored stream. */
  readonly streamOffset: number
}

/** Name of segment `number` (from 2) of the image at `path`, which may be an address. */
export function segmentPath(path: string, number: number): string {
  if (isWebLocator(path)) {
    const url = new URL(path)
    url.pathname = segmentPath(url.pathname, number)
    return url.href
  }
  return join(dirname(path), `${stemOf(path)}.${String(number).padStart(3, '0')}.dmgpart`)
}

/** A file of this name, in the folder of the image at `path`, would be one of its segments from the second on. */
export function isSegmentName(path: string, name: string): boolean {
  const start = `${stemOf(path)}.`
  return name.startsWith(start) && /^\d{3,}\.dmgpart$/i.test(name.slice(start.length))
}

const stemOf = (path: string) => basename(path).replace(/\.dmg$/i, '')

/**
 * All segments of the image whose first file is `source`. Opens the others one after the other with `open`, and closes
 * them. Throws `FormatError` E_SRC_SEGMENT when one is missing, isn't a UDIF or belongs to another image.
 */
export async function readSegments(
  source: BlockSource,
  koly: Koly,
  open: (path: string) => Promise<BlockSource>,
  signal?: AbortSignal,
): Promise<readonly Segment[]> {
  const first = { path: source.path, fileBytes: source.sizeBytes, koly, streamOffset: 0 }
  if (koly.segmentCount <= 1) return [first]
  const field = (name: keyof Koly, fileBytes: number) => ({
    format: 'udif',
    field: `koly.${name}`,
    offset: fileBytes - kolyBytes + kolyStruct.offsetOf(name),
  })
  if (koly.segmentNumber !== 1)
    throw formatError('E_SRC_SEGMENT', {
      ...field('segmentNumber', source.sizeBytes),
      path: source.path,
      found: koly.segmentNumber,
      expected: 1,
      segmentCount: koly.segmentCount,
    })

  const segments: Segment[] = [first]
  let streamOffset = koly.dataForkLength
  for (let number = 2; number <= koly.segmentCount; number++) {
    const path = segmentPath(source.path, number)
    const missing = (cause?: unknown) =>
      formatError(
        'E_SRC_SEGMENT',
        {
          ...field('segmentCount', source.sizeBytes),
          path,
          found: 'nothing',
          expected: `segment ${number} of ${koly.segmentCount}`,
          segmentCount: koly.segmentCount,
        },
        cause,
      )
    await using segment = await open(path).catch((error: unknown) => {
      if (error instanceof DeviceError && error.code === 'E_NOT_FOUND') throw missing(error)
      if (error instanceof NetworkError && error.details['status'] === 404) throw missing(error)
      throw error
    })
    if (segment.sizeBytes < kolyBytes) throw missing()
    const bytes = new Uint8Array(kolyBytes)
    await segment.read(bytes, segment.sizeBytes - kolyBytes, signal)
    if (!isKoly(bytes)) throw missing()
    const own = parseKoly(bytes, segment.sizeBytes)
    const wanted = { segmentID: koly.segmentID, segmentNumber: number, segmentCount: koly.segmentCount }
    for (const name of ['segmentID', 'segmentNumber', 'segmentCount'] as const)
      if (own[name] !== wanted[name])
        throw formatError('E_SRC_SEGMENT', {
          ...field(name, segment.sizeBytes),
          path,
          found: own[name],
          expected: wanted[name],
        })
    if (own.runningDataForkOffset !== streamOffset)
      throw formatError('E_SRC_CORRUPT', {
        ...field('runningDataForkOffset', segment.sizeBytes),
        path,
        found: own.runningDataForkOffset,
        expected: streamOffset,
      })
    segments.push({ path, fileBytes: segment.sizeBytes, koly: own, streamOffset })
    streamOffset += own.dataForkLength
  }
  return segments
}
