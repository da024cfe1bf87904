/** The preflight's third step: does the one fit onto the other. Pure. */
import { DeviceError, UsageError, serializeError, type AppError } from '#shared/errors'
import type { Buffering, PreflightCheck } from '#shared/model'
import { formatBytes } from '#shared/units'
import { bufferError } from './buffer-sizes.ts'
import type { ExaminedSource } from './examine-source.ts'
import type { ExaminedTarget } from './examine-target.ts'

/** Left unused at the end of the destination, this much is worth a word. */
const notableBytes = 1_000_000
/** UDIF counts in these, and so does whoever writes a partition map into a raw image. */
const imageBlockBytes = 512

/** The checks of the step: what stands against it, or else what there is to know. */
export function compareSizes(
  source: ExaminedSource,
  target: ExaminedTarget,
  buffering: Buffering,
): readonly PreflightCheck[] {
  const errors = [
    bufferError(buffering),
    mapError(source, target),
    sizeError(source, target),
    cutShortError(source, target),
  ].filter((error) => error !== null)
  if (errors.length > 0)
    return errors.map((error) => ({
      step: 'sizes',
      state: 'failed',
      kind: 'error',
      error: serializeError(error),
    }))
  return [...fit(source, target), ...blockSize(source, target)]
}

/** Bytes the destination can hold; null: as many as there are. */
const capacityOf = (target: ExaminedTarget): number | null =>
  target.kind === 'device' ? target.sizeBytes : target.fixedBytes

/**
 * An image with a partition map is a whole disk. In a partition it would be a disk inside a disk, whose volumes no
 * system finds.
 */
function mapError(source: ExaminedSource, target: ExaminedTarget): AppError | null {
  if (target.kind !== 'device' || target.volume === null) return null
  const map = partitionMapOf(source)
  if (map === 'none') return null
  return new UsageError(
    'E_UNSUPPORTED',
    `the source has a partition map (${map}), the target is a partition`,
    {
      details: {
        input: 'target',
        problem:
          'The source holds a whole disk with a partition map, and the destination is a single partition.',
        hint: `Choose the whole disk ${target.disk.path}, or a source that is a single volume.`,
        partitionMap: map,
        path: target.info.path,
        disk: target.disk.path,
      },
    },
  )
}

function partitionMapOf(source: ExaminedSource): string {
  const { info } = source
  if (info.kind === 'image' || info.kind === 'stream') return info.image?.partitionMap ?? 'none'
  return info.kind === 'disk' ? info.disk.partitionMap : 'none'
}

function sizeError(source: ExaminedSource, target: ExaminedTarget): AppError | null {
  const neededBytes = source.sizeBytes
  if (neededBytes === null) return null
  const availableBytes = capacityOf(target)
  if (availableBytes !== null && neededBytes > availableBytes)
    return tooSmall(target.info.path, neededBytes, availableBytes)
  if (target.kind === 'device') return null
  // Unused and zero stretches are holes, which take no room.
  const { info } = source
  const image = info.kind === 'image' || info.kind === 'stream' ? info.image : null
  const storedBytes = image?.dataBytes ?? neededBytes
  if (storedBytes <= target.roomBytes) return null
  return new DeviceError('E_DST_FULL', `no room for ${target.info.path}`, {
    details: { path: target.info.path, neededBytes: storedBytes, availableBytes: target.roomBytes },
  })
}

/**
 * A disk that ends before what is on it does is a fine source, and a raw image of it would be refused as one: it looks as if its
 * end were missing.
 */
function cutShortError(source: ExaminedSource, target: ExaminedTarget): AppError | null {
  if (source.kind !== 'image' || target.kind !== 'file' || target.fixedBytes !== null) return null
  const { least, sizeBytes } = source
  if (least === null || sizeBytes === null || least.sizeBytes <= sizeBytes) return null
  const { path } = target.info
  const problem = `Later, '${path}' would be taken for an image that was cut short.`
  return new UsageError('E_UNSUPPORTED', `${path} couldn't be read again`, {
    details: {
      input: 'target',
      problem,
      reason: `The source's disk ends ${formatBytes(least.sizeBytes - sizeBytes)} before what is on it does, and a raw image of it would look as if its end were missing.`,
      hint: 'Convert the image to another format instead, such as UDRO or UDZO.',
    },
  })
}

/** `neededBytes` may be only what is known so far. */
export function tooSmall(path: string, neededBytes: number, availableBytes: number): UsageError {
  return new UsageError('E_DST_SMALL', `${path} has ${availableBytes} bytes, ${neededBytes} are needed`, {
    details: { input: 'target', path, neededBytes, availableBytes },
  })
}

function fit(source: ExaminedSource, target: ExaminedTarget): readonly PreflightCheck[] {
  const availableBytes = capacityOf(target)
  const { sizeBytes } = source
  if (sizeBytes === null) return [{ step: 'sizes', state: 'warning', kind: 'size-unknown', availableBytes }]
  const unusedBytes = (availableBytes ?? sizeBytes) - sizeBytes
  return [
    { step: 'sizes', state: 'ok', kind: 'fits', neededBytes: sizeBytes, availableBytes },
    ...(unusedBytes > notableBytes
      ? [{ step: 'sizes', state: 'warning', kind: 'left-over', unusedBytes } as const]
      : []),
  ]
}

function blockSize(source: ExaminedSource, target: ExaminedTarget): readonly PreflightCheck[] {
  if (target.kind === 'file') return []
  const { info } = source
  const image = info.kind === 'image' || info.kind === 'stream' ? info.image : null
  const sourceBytes =
    source.kind === 'device' ? source.disk.logicalBlockBytes : (image?.mapBlockBytes ?? imageBlockBytes)
  const diskBytes = target.disk.logicalBlockBytes
  if (sourceBytes === diskBytes) return []
  const holds = partitionMapOf(source) === 'none' ? 'volume' : 'partitions'
  return [{ step: 'sizes', state: 'warning', kind: 'block-size', sourceBytes, diskBytes, holds }]
}
