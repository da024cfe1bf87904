/** Errors as plain data, whole, so that they cross processes and come out as the class they were. */
import {
  AppError,
  BugError,
  DeviceError,
  EngineGoneError,
  FormatError,
  NetworkError,
  UsageError,
  VerificationError,
  type ErrorFamily,
} from './app-error.ts'
import type { ErrorCode } from './codes.ts'
import { thrownFirst } from './thrown-first.ts'

/** JSON-safe. `cause` at most five deep. */
export interface SerializedError {
  readonly family: ErrorFamily
  readonly code: ErrorCode
  readonly message: string
  readonly details: { readonly [key: string]: unknown }
  readonly transient: boolean
  readonly cause: SerializedError | null
}

const classes = {
  usage: UsageError,
  format: FormatError,
  device: DeviceError,
  network: NetworkError,
  verification: VerificationError,
  'engine-gone': EngineGoneError,
  bug: BugError,
} as const

/** Any thrown value as data; what isn't ours becomes a bug report with its message and stack. */
export function serializeError(thrown: unknown, depth = 0): SerializedError {
  const error = thrownFirst(thrown)
  const cause =
    depth < 5 && error instanceof Error && error.cause !== undefined
      ? serializeError(error.cause, depth + 1)
      : null
  if (error instanceof AppError) {
    const details = error.details as { readonly [key: string]: unknown }
    return {
      family: error.family,
      code: error.code,
      message: error.message,
      details,
      transient: error.transient,
      cause,
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? (error.stack ?? null) : null
  return { family: 'bug', code: 'E_BUG', message, details: { stack }, transient: false, cause }
}

/** The inverse of `serializeError`. */
export function deserializeError(data: SerializedError): AppError {
  const Family = classes[data.family] as unknown as new (
    code: ErrorCode,
    message: string,
    options: { details: object; cause?: unknown; transient: boolean },
  ) => AppError
  return new Family(data.code, data.message, {
    details: data.details,
    transient: data.transient,
    ...(data.cause === null ? {} : { cause: deserializeError(data.cause) }),
  })
}
