/** A file isn't what the SHA-256 beside it says. */
import { FormatError } from '#shared/errors'

export const wrongChecksum = (path: string, expected: string, found: string): FormatError =>
  new FormatError('E_SRC_CORRUPT', `${path} isn't what ${path}.sha256 says`, {
    details: { format: 'sha256', field: 'SHA-256', offset: 0, expected, found, path },
  })
