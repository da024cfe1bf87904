/** The disk in an image is smaller than its own map or file system says. */
import { corrupt } from '#engine/formats/struct'
import type { FormatError } from '#shared/errors'
import type { LeastSize } from './image-layout.ts'

/** `sizeBytes`: what there is of it. */
export const cutShort = (
  format: string,
  { sizeBytes: expected, field }: LeastSize,
  sizeBytes: number,
): FormatError =>
  corrupt({
    format,
    field,
    offset: sizeBytes,
    found: `${sizeBytes} bytes`,
    expected: `${expected} bytes`,
    cutShort: true,
  })
