/**
 * Writes a disk as an image of any format, wherever its bytes come from: conversions and new images end here. The file has a
 * hidden name until all of it is on the medium.
 */
import { availableParallelism } from 'node:os'
import { openReplacementFile } from '#engine/block-io'
import type { CompressedKind } from '#engine/formats/codecs'
import { planTables } from '#engine/formats/udif'
import { UsageError } from '#shared/errors'
import { compressionLevels, type ConvertRequest, type ImageInfo, type WritableFormat } from '#shared/model'
import type { DiskItem } from './disk-stream.ts'
import { writeRawImage } from './write-raw-image.ts'
import { openBundleTarget, writeSparseImage } from './write-sparse-image.ts'
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

/** What of a request is about the file to write. */
export type ImageTargetRequest = Pick<ConvertRequest, 'target' | 'format' | 'level' | 'erase'>

/** A disk to be written: what is on it, for the image's tables, and its bytes in order. */
export interface DiskToWrite {
  readonly contents: Pick<ImageInfo, 'partitionMap' | 'partitions' | 'sizeBytes'>
  readonly items: AsyncIterable<DiskItem>
}

export interface ImageTarget extends AsyncDisposable {
  /**
   * Write the disk and give the file its name; once. Resolves to the sizes of the disk and of the file. Throws what `items`
   * throws, DeviceError of the target, the signal's reason; then the target is as it was before.
   */
  write(
    disk: DiskToWrite,
    options: { readonly signal: AbortSignal; readonly advance: (doneBytes: number) => void },
  ): Promise<{ readonly sizeBytes: number; readonly storedBytes: number }>
}

/** The level to compress with. Throws UsageError E_USAGE for one that the format hasn't. */
export function checkLevel({ format, level }: Pick<ImageTargetRequest, 'format' | 'level'>): number {
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

/** Make the hidden file. Throws UsageError E_USAGE (level), E_DST_EXISTS, E_DST_KIND; DeviceError of the target. */
export async function openImageTarget(request: ImageTargetRequest): Promise<ImageTarget> {
  const { target, format, erase } = request
  const level = checkLevel(request)
  const mode = erase ? 'replace' : 'create'
  if (format === 'UDSB') return await openBundleTarget(target, mode)
  const file = await openReplacementFile(target, { mode })
  return {
    async write({ contents, items }, { signal, advance }) {
      const codec = codecs[format]
      let sizes
      if (format === 'UDSP') {
        const { sizeBytes } = contents
        sizes = await writeSparseImage(items, file, { sizeBytes, advance, signal })
      } else if (codec === undefined) {
        const sizeBytes = await writeRawImage(items, file, { advance, signal })
        sizes = { sizeBytes, storedBytes: sizeBytes }
      } else {
        sizes = await writeUdifImage(items, file, {
          tables: planTables(contents),
          hasPartitionMap: contents.partitionMap !== 'none',
          codec: codec === null ? null : { kind: codec, level },
          cores: availableParallelism(),
          signal,
          advance,
        })
      }
      signal.throwIfAborted()
      await file.commit(sizes.storedBytes)
      return sizes
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}
