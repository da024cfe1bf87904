/**
 * The error families. Each carries a code of our list, typed details and its cause; the message is for logs, the words
 * a person sees are written for the code. An error is never edited after it was thrown: wrap it at the module's edge.
 */
import type {
  BugCode,
  DeviceCode,
  EngineGoneCode,
  ErrorCode,
  FormatCode,
  NetworkCode,
  UsageCode,
  VerificationCode,
} from './codes.ts'

/** Values that survive JSON: what details may hold. */
export type Detail =
  string | number | boolean | null | readonly Detail[] | { readonly [key: string]: Detail | undefined }

export type ErrorFamily = 'usage' | 'format' | 'device' | 'network' | 'verification' | 'engine-gone' | 'bug'

export interface ErrorOptions<D> {
  readonly details: D
  readonly cause?: unknown
  /** Trying again may work, with nothing changed. Default false. */
  readonly transient?: boolean
}

/** Base of all our errors. `details` is plain data, small, and safe to show in a bug report. */
export abstract class AppError<C extends ErrorCode = ErrorCode, D = object> extends Error {
  abstract readonly family: ErrorFamily
  readonly code: C
  readonly details: D
  readonly transient: boolean

  constructor(code: C, message: string, options: ErrorOptions<D>) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details
    this.transient = options.transient ?? false
  }

  /** Narrow a caught value to this family, or let it through. First line of a `catch`. */
  static accept<T extends AppError>(
    this: abstract new (...args: never[]) => T,
    error: unknown,
  ): asserts error is T {
    if (!(error instanceof this)) throw error
  }
}

/** Details: which input was wrong, and the numbers that show it. Sizes and offsets in bytes everywhere. */
export interface UsageDetails {
  readonly input: string
  readonly [key: string]: Detail | undefined
}
export class UsageError extends AppError<UsageCode, UsageDetails> {
  readonly family = 'usage'
}

/** The image is not what it says: `format` (`udif`, `gzip`, …), the spec's `field` name, `offset` in bytes of the file. */
export interface FormatDetails {
  readonly format: string
  readonly field: string
  readonly offset: number
  readonly found?: Detail
  readonly expected?: Detail
  readonly [key: string]: Detail | undefined
}
export class FormatError extends AppError<FormatCode, FormatDetails> {
  readonly family = 'format'
}

/** The system said no. `errno` is its word (`EIO`), `offset` in bytes of the device where there is one. */
export interface DeviceDetails {
  readonly path: string
  readonly errno?: string
  readonly offset?: number
  readonly holders?: readonly string[]
  readonly [key: string]: Detail | undefined
}
export class DeviceError extends AppError<DeviceCode, DeviceDetails> {
  readonly family = 'device'
}

export interface NetworkDetails {
  readonly address: string
  readonly phase: string
  readonly [key: string]: Detail | undefined
}
export class NetworkError extends AppError<NetworkCode, NetworkDetails> {
  readonly family = 'network'
}

/** What was read back isn't what was written. `offset`: first differing byte of the target. */
export interface VerificationDetails {
  readonly path: string
  readonly offset: number
  readonly differingBlocks: number
  readonly blockBytes: number
  /** Hex of a few bytes at `offset`, or, where only that is known, the block's sum: which (`crc32`, `poly1305`, `sha256`) and its hex. */
  readonly expected: string
  readonly found: string
  /** Where it differs, roughly: a strip of `partMarks` marks over what was written (`.` right, `x` wrong, `-` both, space: nothing of it was compared). */
  readonly parts?: string
  readonly [key: string]: Detail | undefined
}
export class VerificationError extends AppError<VerificationCode, VerificationDetails> {
  readonly family = 'verification'
}

export interface EngineGoneDetails {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly lastLines: readonly string[]
  readonly [key: string]: Detail | undefined
}
export class EngineGoneError extends AppError<EngineGoneCode, EngineGoneDetails> {
  readonly family = 'engine-gone'
}

/** We were wrong. Thrown by `invariant()` only. */
export class BugError extends AppError<BugCode, { readonly [key: string]: Detail | undefined }> {
  readonly family = 'bug'
}

/** For what cannot happen: `mistake` names whose mistake it is when it does. */
export function invariant(condition: unknown, mistake: string): asserts condition {
  if (!condition) throw new BugError('E_BUG', mistake, { details: {} })
}

/** Exhaustiveness: a `switch` that forgot a case doesn't compile, and throws if reached. */
export function unreachable(value: never): never {
  throw new BugError('E_BUG', `unhandled case ${JSON.stringify(value)}`, { details: {} })
}
