/**
 * An image with a partition map is a whole disk, and into a partition goes one volume: which one of the image's that is, is decided
 * here. Pure; the plan asks it, and once more whoever carries the plan out.
 */
import { checksumsOf } from '#engine/formats/extents'
import { AppError, UsageError } from '#shared/errors'
import { scannedIn, type ImageInfo, type ImagePartition } from '#shared/model'
import type { ExaminedSource, ImageSource, SourceFindings } from './examine-source.ts'
import type { ExaminedTarget } from './examine-target.ts'
import { partitionLayout } from './partition-layout.ts'

/** Types of partitions that are there for the computer, and that nobody means by a volume. */
const helperTypes: ReadonlySet<string> = new Set([
  'EFI System',
  'BIOS boot',
  'GPT protective',
  'Apple boot',
  'Apple APFS ISC',
  'Apple APFS Recovery',
  'Apple TV recovery',
  'Windows recovery environment',
  'Microsoft reserved',
  'Microsoft LDM metadata',
  'Hidden FAT12',
  'Hidden FAT16',
  'Hidden FAT32',
  'Hidden NTFS',
  'Linux swap',
])
/** The same, in Apple's own map. */
const appleHelpers = /^Apple_(Boot|Driver|FWDriver|Loader|Patch|Recovery)/

/**
 * The source as it goes into the target: only its one volume, or partition `wanted` of it, where the one is an image with a map
 * and the other a partition; else as it is. What stands against it is a UsageError: E_SRC_MULTIVOL, E_UNSUPPORTED, E_USAGE.
 */
export function takeVolume(
  source: ExaminedSource,
  target: ExaminedTarget,
  wanted: number | undefined,
): SourceFindings {
  try {
    return { source: takenFrom(source, target, wanted), errors: [] }
  } catch (error) {
    AppError.accept(error)
    return { source, errors: [error] }
  }
}

function takenFrom(
  source: ExaminedSource,
  target: ExaminedTarget,
  wanted: number | undefined,
): ExaminedSource {
  const isPartition = target.kind === 'device' && target.volume !== null
  const isMapped =
    source.kind === 'image' &&
    source.info.kind === 'image' &&
    source.layout.kind === 'extents' &&
    source.info.image.partitionMap !== 'none'
  if (!isPartition || !isMapped) {
    if (wanted === undefined) return source
    throw notChosen(
      isPartition
        ? 'There is no partition to choose from in this source.'
        : 'A partition of an image can be restored only to a partition.',
      isPartition
        ? 'Leave --source-partition out. It is for images with a partition map that can be read in any order.'
        : 'Name a partition or a mounted volume with --target, or leave --source-partition out.',
    )
  }
  const partition = choose(source.info.image, wanted)
  return partition === null ? source : onlyOf(source, source.info.image, source.layout, partition)
}

/** Null: there is no volume in it that is known. */
function choose({ name, partitions, hybrid }: ImageInfo, wanted: number | undefined): ImagePartition | null {
  if (wanted !== undefined) {
    const partition = partitions.find(({ index }) => index === wanted)
    if (partition !== undefined) return partition
    throw notChosen(
      `The image has no partition ${wanted}.`,
      'See which it has, and their numbers: reprise image info.',
    )
  }
  // Such a disc is one volume, whatever its maps list for the computers that start from it.
  if (hybrid !== undefined) return null
  const volumes = partitions.filter((partition) => !isHelper(partition))
  if (volumes.every(({ filesystem }) => filesystem === null)) return null
  if (volumes.length === 1) return volumes[0] ?? null
  // What isn't known may be what was meant: a boot volume may lie beside an encrypted one.
  throw new UsageError('E_SRC_MULTIVOL', `${name} holds ${volumes.length} volumes`, {
    details: {
      input: 'source',
      name,
      names: volumes.map((volume) => namesIn(volume).join(', ')),
      partitions: volumes.map(({ index }) => index),
    },
  })
}

const isHelper = ({ type, filesystem }: ImagePartition) =>
  helperTypes.has(type) || appleHelpers.test(type) || filesystem === 'swap'

/** Of the volumes in it: an APFS container has any number. */
export const namesIn = ({ volumes, label }: ImagePartition): readonly string[] =>
  volumes?.map(({ name }) => name) ?? (label === null || label === '' ? [] : [label])

/** Tables and runs stay those of the file, and so do the hashes of its blocks. */
function onlyOf(
  source: ImageSource,
  image: ImageInfo,
  whole: Extract<ImageSource['layout'], { kind: 'extents' }>,
  partition: ImagePartition,
): ImageSource {
  const { index, offset, sizeBytes } = partition
  const layout = partitionLayout(whole, partition, image.name)
  const volume: ImageInfo = {
    ...image,
    sizeBytes,
    partitionMap: 'none',
    partitions: [{ ...partition, index: 0, offset: 0 }],
    dataBytes: null,
    masterChecksum: null,
    scan: image.scan && { ...image.scan, partitions: scannedIn(image, partition) },
  }
  return {
    ...source,
    info: { kind: 'image', locator: source.info.locator, name: source.info.name, image: volume },
    layout,
    // All of the partition is there.
    least: null,
    sizeBytes,
    // Another map in the same file is another source.
    identity: `${source.identity}|${index}:${offset}+${sizeBytes}`,
    checksums: checksumsOf(layout),
    partition,
  }
}

const notChosen = (problem: string, hint: string) =>
  new UsageError('E_USAGE', problem, { details: { input: 'source-partition', problem, hint } })
