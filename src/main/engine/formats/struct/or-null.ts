/** For what is only looked at: a damaged map or label is as good as none. Errors of other kinds come through. */
import { FormatError } from '#shared/errors'

/** The value, or null when parsing it throws a `FormatError`. */
export function parsedOrNull<T>(parse: () => T): T | null {
  try {
    return parse()
  } catch (error) {
    FormatError.accept(error)
    return null
  }
}

/** The value, or null when it rejects with a `FormatError`. */
export async function readOrNull<T>(value: Promise<T>): Promise<T | null> {
  return await value.catch((error: unknown) => {
    FormatError.accept(error)
    return null
  })
}
