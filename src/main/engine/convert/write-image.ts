/**
 * Writes a disk as an image of any format, wherever its bytes come from: conversions and new images end here. The file has a
 * hidden name until all of it is on the medium.
 */
import { unlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { openReplacementFile, type FileOwner } from '#engine/block-io'
import type { CompressedKind } from '#engine/formats/codecs'
import type { LeastSize } from '#engine/formats/extents'
import { EncryptedFile, newEncryption } from '#engine/formats/encrypted'
import { planTables } from '#engine/formats/udif'
import { UsageError } from '#shared/errors'
import { compressionLevels, type ConvertRequest, type ImageInfo, type WritableFormat } from '#shared/model'
import type { DiskItem } from './disk-stream.ts'
import { refuseCutShort, refuseWrittenShort, tellableDisk } from './tellable-disk.ts'
import { writeRawImage } from './write-raw-image.ts'
import { findOldSegments, refuseOthersSegments } from './old-segments.ts'
import { openSegmentedFile } from './segmented-file.ts'
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
export type ImageTargetRequest = Pick<
  ConvertRequest,
  'target' | 'format' | 'level' | 'erase' | 'encryption'
> &
  Partial<Pick<ConvertRequest, 'segmentBytes'>>

/** A disk to be written: what is on it, for the image's tables, and its bytes in order. */
export interface DiskToWrite {
  readonly contents: Pick<ImageInfo, 'partitionMap' | 'mapBlockBytes' | 'partitions' | 'sizeBytes'> & {
    /** How large the disk has to be by what is on it, where that is known. */
    readonly least?: LeastSize | null
  }
  readonly items: AsyncIterable<DiskItem>
}

export interface ImageTarget extends AsyncDisposable {
  /**
   * Write the disk and give the file its name; once. Resolves to the sizes of the disk and of the file. Throws what `items`
   * throws, UsageError E_UNSUPPORTED for a raw disk that couldn't be told as one or not as a whole one, DeviceError of the target, the signal's reason; then the target is as it was before.
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

/** Throws UsageError E_UNSUPPORTED for formats that aren't cut into segments. */
export function checkSegments({
  format,
  segmentBytes = null,
}: Pick<ImageTargetRequest, 'format' | 'segmentBytes'>): void {
  if (segmentBytes === null || codecs[format] !== undefined) return
  const problem = `${format} can't be written in segments.`
  const hint = 'UDRO, UDZO, UDBZ, ULFO, ULMO and UDCO can.'
  throw new UsageError('E_UNSUPPORTED', problem, { details: { input: 'segmentsize', problem, hint } })
}

/**
 * Make the hidden file. Throws UsageError E_USAGE (level), E_UNSUPPORTED (segments), E_DST_EXISTS, E_DST_KIND; DeviceError of
 * the target. `owner`: whose rights count, and whose the file will be; null: this process's.
 */
export async function openImageTarget(
  request: ImageTargetRequest,
  { owner = null }: { readonly owner?: FileOwner | null } = {},
): Promise<ImageTarget> {
  const { target, format, erase, encryption } = request
  const level = checkLevel(request)
  checkSegments(request)
  const mode = erase ? 'replace' : 'create'
  const password = encryption?.password ?? null
  const { segmentBytes = null } = request
  if (owner !== null && (format === 'UDSB' || segmentBytes !== null)) throw severalFiles()
  if (format === 'UDSB') return await openBundleTarget(target, { mode, password })
  const segments =
    segmentBytes === null
      ? null
      : await openSegmentedFile(target, {
          segmentBytes,
          mode,
          password,
          refuseOthers: refuseOthersSegments(password),
        })
  const file = segments ?? (await openReplacementFile(target, { mode, owner }))
  return {
    async write({ contents, items }, { signal, advance }) {
      // Each segment is encrypted by itself.
      const keys = password === null || segments !== null ? null : await newEncryption(password)
      const encrypted = keys === null ? null : new EncryptedFile(file, keys.cipher, { signal })
      const inside = encrypted ?? file
      const codec = codecs[format]
      segments?.expectDisk(contents.sizeBytes)
      let sizes
      if (format === 'UDSP') {
        const { sizeBytes } = contents
        sizes = await writeSparseImage(items, inside, { sizeBytes, advance, signal })
      } else if (codec === undefined) {
        refuseCutShort(target, contents)
        // Encrypted, its header tells.
        const told = password === null ? tellableDisk(items, { target, contents }) : items
        const sizeBytes = await writeRawImage(told, inside, { advance, signal })
        sizes = { sizeBytes, storedBytes: sizeBytes }
      } else {
        sizes = await writeUdifImage(items, inside, {
          tables: planTables(contents),
          hasPartitionMap: contents.partitionMap !== 'none',
          codec: codec === null ? null : { kind: codec, level },
          cores: availableParallelism(),
          signal,
          advance,
        })
      }
      signal.throwIfAborted()
      // The other files of a segmented image are of no use to anybody when the first is replaced.
      const old = erase && owner === null ? await findOldSegments(target, { password, signal }) : []
      segments?.replaces(old)
      const storedBytes = (await encrypted?.finish(sizes.storedBytes)) ?? sizes.storedBytes
      if (keys !== null) await file.write(keys.header(sizes.storedBytes), 0)
      // Of a compressed disk the end may not have been seen before.
      const isToSee = codec === undefined && format !== 'UDSP' && encrypted === null && !contents.least
      await file.commit(storedBytes, isToSee ? (path) => refuseWrittenShort(target, path, signal) : undefined)
      if (segments === null) for (const path of old) await unlink(path).catch(() => undefined)
      return { ...sizes, storedBytes: (await segments?.storedBytes()) ?? storedBytes }
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

/** They are made one by one, for as long as it takes, and all of them would have to be somebody else's. */
function severalFiles(): UsageError {
  const problem = "Only an image in one file can be written while somebody else's rights are used to read."
  const hint = 'Write a sparse image (UDSP), and convert it.'
  return new UsageError('E_UNSUPPORTED', problem, { details: { input: 'format', problem, hint } })
}
