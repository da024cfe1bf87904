/**
 * Converts an image of any format that can be read to any that can be written: opens the source, checks that the target may
 * be written, streams the disk from one to the other, and only then gives the new file its name.
 *
 *     openBlockStream        decodes the source on all cores, ahead by one bounded pool
 *     disk-stream            checks its checksums
 *     write-udif-image       cuts tables and runs, has them compressed by encoder threads, writes them in order
 *     write-raw-image        or writes the disk as it is, with holes
 *     ReplacementFile        is a hidden file until all of it is on the medium
 *
 * Memory is the pool, the slots and the encoders' tables, whatever the image's size, and 40 bytes a run.
 */
import { availableParallelism } from 'node:os'
import { stat } from 'node:fs/promises'
import { openReplacementFile } from '#engine/block-io'
import type { CompressedKind } from '#engine/formats/codecs'
import type { ImageLayout } from '#engine/formats/extents'
import { openImage } from '#engine/formats/image'
import { planTables } from '#engine/formats/udif'
import type { JobContext } from '#engine/job'
import { defaultPool, openBlockStream } from '#engine/pipeline'
import { UsageError } from '#shared/errors'
import {
  compressionLevels,
  type ConvertRequest,
  type ImageConversion,
  type WritableFormat,
} from '#shared/model'
import { diskItems } from './disk-stream.ts'
import { writeRawImage } from './write-raw-image.ts'
import { writeUdifImage } from './write-udif-image.ts'

/** Runs of UDIF formats; null: stored as they are. What isn't here isn't UDIF. */
const codecs: { readonly [format in WritableFormat]?: CompressedKind | null } = {
  UDRO: null,
  UDZO: 'zlib',
  UDBZ: 'bzip2',
  ULFO: 'lzfse',
  ULMO: 'lzma',
  UDCO: 'adc',
}

/**
 * Write the disk inside `request.source` to `request.target`. Throws UsageError E_USAGE (level), E_DST_EXISTS, E_DST_KIND,
 * E_SAME; FormatError and DeviceError of the source; DeviceError of the target; the signal's reason. Whatever is thrown, the
 * target is as it was before and nothing else is left.
 */
export async function convertImage(request: ConvertRequest, context: JobContext): Promise<ImageConversion> {
  const startMs = performance.now()
  const { source, target, format } = request
  const { signal } = context
  const level = checkLevel(request)
  context.enter('validating-source')
  const { info, layout } = await openImage(source, { signal })
  await refuseSame(layout, target)
  await using file = await openReplacementFile(target, { mode: request.erase ? 'replace' : 'create' })

  context.enter('converting', layout.sizeBytes)
  await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 512, signal })
  const items = diskItems(stream, layout, source)
  const advance = (doneBytes: number) => context.advance(doneBytes)
  const codec = codecs[format]
  let sizes
  if (codec === undefined) {
    const sizeBytes = await writeRawImage(items, file, { advance, signal })
    sizes = { sizeBytes, storedBytes: sizeBytes }
  } else {
    sizes = await writeUdifImage(items, file, {
      tables: planTables(info),
      hasPartitionMap: info.partitionMap !== 'none',
      codec: codec === null ? null : { kind: codec, level },
      cores: availableParallelism(),
      signal,
      advance,
    })
  }
  signal.throwIfAborted()
  await file.commit(sizes.storedBytes)

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

function checkLevel({ format, level }: ConvertRequest): number {
  const usual = compressionLevels[format]
  if (level === null) return usual ?? 0
  const problem =
    usual === undefined
      ? `${format} has no compression levels.`
      : Number.isInteger(level) && level >= 1 && level <= 9
        ? null
        : 'Compression levels are 1 to 9.'
  if (problem === null) return level
  throw new UsageError('E_USAGE', problem, { details: { input: 'level', problem } })
}

/** Throws UsageError E_SAME when the target is a file of the source, by whatever name. */
async function refuseSame(layout: ImageLayout, target: string): Promise<void> {
  const there = await stat(target).catch(() => null)
  if (there === null) return
  const paths = layout.kind === 'extents' ? layout.parts.map(({ path }) => path) : [layout.path]
  for (const path of paths) {
    const own = await stat(path).catch(() => null)
    if (own?.dev === there.dev && own.ino === there.ino)
      throw new UsageError('E_SAME', 'source and target are the same file', { details: { input: target } })
  }
}
