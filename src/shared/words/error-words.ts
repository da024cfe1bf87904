/**
 * An error in words, for the window and for the terminal alike: what happened, why, and what to do now. One entry for
 * every code (the tables don't compile when one is missing). In what state the destination is, is not said here: that
 * is known by the job, see `describeTargetState`.
 */
import type { ErrorCode, SerializedError } from '#shared/errors'
import type { Names } from './details.ts'
import { deviceWords } from './device-errors.ts'
import { formatWords } from './format-errors.ts'
import { otherWords } from './other-errors.ts'
import { usageWords } from './usage-errors.ts'

/** Whole sentences. `why` and `now` are null where there is nothing true to say. */
export interface ErrorWords {
  readonly what: string
  readonly why: string | null
  readonly now: string | null
}

const words: { readonly [code in ErrorCode]: (error: SerializedError, names: Names) => ErrorWords } = {
  ...usageWords,
  ...formatWords,
  ...deviceWords,
  ...otherWords,
}

/** `names` are what Source and Destination are called on the screen; without them the details' paths are used. */
export function describeError(error: SerializedError, names: Names = {}): ErrorWords {
  const describe = Object.hasOwn(words, error.code) ? words[error.code] : words.E_BUG
  return describe(error, names)
}

/** All of it, where there is room for it. */
export function describeWhole(error: SerializedError, names: Names = {}): string {
  const { what, why, now } = describeError(error, names)
  return [what, why, now].filter((part) => part !== null).join(' ')
}
