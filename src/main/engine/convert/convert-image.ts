/**
 * Converts an image of any format that can be read to any that can be written: opens the source, checks that the target may
 * be written, streams the disk from one to the other, and only then gives the new file its name.
 *
 *     openBlockStream        decodes the source on all cores, ahead by one bounded pool
 *     disk-stream            checks its checksums
 *     write-image            into a hidden file, until all of it is on the medium:
 *     write-udif-image       cuts tables and runs, has them compressed by encoder threads, writes them in order
 *     write-sparse-image     or stores what isn't zeros in bands
 *     write-raw-image        or writes the disk as it is, with holes
 *
 * Memory is the pool, the slots and the encoders' tables, whatever the image's size, and 40 bytes a run.
 */
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import type { ImageLayout, StoredPart } from '#engine/formats/extents'
import { openImage, rememberUnchecked } from '#engine/formats/image'
import { isSegmentName } from '#engine/formats/udif'
import type { JobContext } from '#engine/job'
import { defaultPool, openBlockStream } from '#engine/pipeline'
import { UsageError } from '#shared/errors'
import type { ConvertRequest, ImageConversion } from '#shared/model'
import { diskItems, thenCheck } from './disk-stream.ts'
import { checkLevel, checkSegments, openImageTarget } from './write-image.ts'

/**
 * Write the disk inside `request.source` to `request.target`. Throws UsageError E_USAGE (level), E_DST_EXISTS, E_DST_KIND,
 * E_SAME; FormatError and DeviceError of the source, E_SRC_CHANGED for one that was written to meanwhile; DeviceError of the target; the signal's reason. Whatever is thrown, the
 * target is as it was before and nothing else is left.
 */
export async function convertImage(request: ConvertRequest, context: JobContext): Promise<ImageConversion> {
  const startMs = performance.now()
  const { source, target, format } = request
  const { signal } = context
  checkLevel(request)
  checkSegments(request)
  context.enter('validating-source')
  const { info, layout, least } = await openImage(source, { signal })
  const files = await rememberUnchecked(layout)
  await refuseSame(layout, source, target)
  if (request.segmentBytes !== null) await refuseSameSegment(layout, target)
  await using file = await openImageTarget(request)

  context.enter('converting', layout.sizeBytes)
  await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 512, signal })
  const items = thenCheck(diskItems(stream, layout, source), files)
  const advance = (doneBytes: number) => context.advance(doneBytes)
  const sizes = await file.write({ contents: { ...info, least }, items }, { advance, signal })

  const durationMs = performance.now() - startMs
  return {
    target,
    format,
    ...sizes,
    sourceStoredBytes: info.storedBytes,
    durationMs,
    bytesPerSecond: (sizes.sizeBytes / durationMs) * 1000,
  }
}

/** Throws UsageError E_SAME when the target is a file of the source, by whatever name, holds it, or lies in it. */
async function refuseSame(layout: ImageLayout, source: string, target: string): Promise<void> {
  const refuse = () => {
    throw new UsageError('E_SAME', 'source and target are the same file', { details: { input: target } })
  }
  const bundle = layout.kind === 'extents' ? layout.bundle : undefined
  const place = await placeOf(target)
  if (bundle !== undefined && isWithin(place, await realpath(bundle.path))) refuse()
  // A sparse bundle is replaced with all that is in it.
  if (isWithin(await realpath(source).catch(() => source), place)) refuse()
  const there = await stat(target).catch(() => null)
  if (there === null) return
  const parts: readonly Pick<StoredPart, 'path' | 'stamp'>[] =
    layout.kind === 'extents' ? layout.parts : [{ path: layout.path }]
  for (const { path, stamp } of parts) {
    // Of the thousands of files of a bundle it is known already.
    const own = stamp === undefined ? await stat(path).catch(() => null) : null
    if (own?.dev === there.dev && own.ino === there.ino) refuse()
    if (stamp?.startsWith(`${there.dev}:${there.ino}:`) === true) refuse()
  }
}

/** The target is cut into files, and one of them would have a name of the source's. */
async function refuseSameSegment(layout: ImageLayout, target: string): Promise<void> {
  const place = await placeOf(target)
  const paths = layout.kind === 'extents' ? layout.parts.map(({ path }) => path) : [layout.path]
  for (const path of paths.filter((each) => isSegmentName(place, basename(each))))
    if ((await folderOf(path)) === dirname(place))
      throw new UsageError('E_SAME', 'source and target share a segment', { details: { input: target } })
}

/** What `path` leads to, or will when it's written: links on the way are followed. */
const placeOf = async (path: string) =>
  await realpath(path).catch(async () => join(await folderOf(path), basename(path)))

const folderOf = async (path: string) => await realpath(dirname(path)).catch(() => dirname(path))

/** `path` is `folder` or inside it. */
const isWithin = (path: string, folder: string) => path === folder || path.startsWith(join(folder, sep))
