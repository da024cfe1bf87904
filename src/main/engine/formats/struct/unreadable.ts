/** A stretch that the medium doesn't give although the rest of it does: a bad sector. */
import { FormatError } from '#shared/errors'

/**
 * What `ReadDisk` may reject with instead of what the medium throws, by the choice of whoever gives the function: those who
 * only look for something go on as if it weren't there, and others let it through. `cause` is what the medium threw.
 */
export class UnreadableError extends FormatError {
  constructor(offset: number, lengthBytes: number, cause: unknown) {
    super('E_SRC_CORRUPT', `${lengthBytes} bytes at ${offset} can't be read`, {
      details: { format: 'disk', field: 'sector', offset, lengthBytes },
      cause,
    })
  }
}

/** The value, or null when it rejects with an `UnreadableError`. */
export async function readableOrNull<T>(value: Promise<T>): Promise<T | null> {
  return await value.catch((error: unknown) => {
    UnreadableError.accept(error)
    return null
  })
}
