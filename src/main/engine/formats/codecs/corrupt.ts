/** The one way a codec says no: FormatError E_SRC_CORRUPT with the place in the stored bytes. */
import { FormatError, type Detail } from '#shared/errors'

/** What is known of the place. `found` and `expected` are the field's values where it has one. */
export interface CorruptPlace {
  readonly field: string
  /** Bytes from the start of the stored run or stream; the start of the block where no better place is known. */
  readonly offset: number
  readonly found?: Detail
  readonly expected?: Detail
  /** The file ends before what is in it does: nearly always a download that wasn't completed. */
  readonly cutShort?: boolean
  readonly cause?: unknown
}

/** A FormatError for bytes that aren't what `format` allows. */
export function corrupt(format: string, message: string, place: CorruptPlace): FormatError {
  const { field, offset, found, expected, cutShort = false, cause } = place
  return new FormatError('E_SRC_CORRUPT', `${format}: ${message} (${field} at ${offset})`, {
    details: {
      format,
      field,
      offset,
      ...(found === undefined ? {} : { found }),
      ...(expected === undefined ? {} : { expected }),
      ...(cutShort ? { cutShort } : {}),
    },
    ...(cause === undefined ? {} : { cause }),
  })
}
