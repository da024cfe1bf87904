/** What a conversion takes, and what it came to, in words. */
import {
  compressionLevels,
  isWebLocator,
  type ConvertRequest,
  type ImageFormat,
  type ImageInfo,
  type WritableFormat,
} from '#shared/model'
import { formatCount, formatRemaining, formatShare } from '#shared/units'

// Bytes a second of what is in the image, as docs/benchmarks.md has them: on two processors, at the usual levels.
const asItIs = 200e6
const written: { readonly [format in WritableFormat]: number } = {
  UDRO: asItIs,
  UDRW: asItIs,
  UDSP: asItIs,
  UDSB: asItIs,
  raw: asItIs,
  UDZO: 78e6,
  UDCO: 52e6,
  ULFO: 35e6,
  UDBZ: 9e6,
  ULMO: 11e6,
}
/** What needs expanding first. Absent: nothing is known. */
const expanded: { readonly [format in ImageFormat]?: number } = {
  UDRO: Infinity,
  UDRW: Infinity,
  UDSP: Infinity,
  UDSB: Infinity,
  raw: Infinity,
  UDZO: 573e6,
  UDCO: 292e6,
  ULFO: 237e6,
  ULMO: 67e6,
  UDBZ: 49e6,
}

/** `about 6 minutes`: roughly, as the processors count. Null where nothing is known to tell it by. */
export function conversionTime(
  {
    path,
    format: source,
    sizeBytes,
    dataBytes,
  }: Pick<ImageInfo, 'path' | 'format' | 'sizeBytes' | 'dataBytes'>,
  { format, level }: Pick<ConvertRequest, 'format' | 'level'>,
): string | null {
  const bytes = dataBytes ?? sizeBytes
  const reading = expanded[source]
  const isUsual = level === null || level === compressionLevels[format]
  if (bytes === null || reading === undefined || !isUsual || isWebLocator(path)) return null
  return formatRemaining((bytes / reading + bytes / written[format]) * 1000)
}

/** `96 % of the source's size`, `12 times the source's size`. */
export function comparedSize(part: number, whole: number): string {
  const times =
    part < 10 * whole ? `${formatShare(part, whole)} of` : `${formatCount(Math.round(part / whole))} times`
  return `${times} the source's size`
}
