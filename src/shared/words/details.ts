/**
 * Reading an error's details when making words of it. Details crossed a process as JSON, so nothing in them is taken
 * for granted: a value of another kind than expected counts as missing, and the sentence leaves it out.
 */
import type { SerializedError } from '#shared/errors'
import { formatBytes, formatCount } from '#shared/units'

/** What Source and Destination are called where the words will be read. */
export interface Names {
  readonly source?: string | undefined
  readonly target?: string | undefined
  /** The paths that are called so: an error that only knows where it happened is told by the name. */
  readonly sourcePath?: string | undefined
  readonly targetPath?: string | undefined
  /** Where the words will be read. Default `window`. */
  readonly readIn?: 'window' | 'terminal' | undefined
}

/** A non-empty text of the details, or null. */
export function textOf(error: SerializedError, key: string): string | null {
  const value = error.details[key]
  return typeof value === 'string' && value !== '' ? value : null
}

/** A finite number of the details, or null. */
export function numberOf(error: SerializedError, key: string): number | null {
  const value = error.details[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** The texts of a list in the details; empty when there is none. */
export function textsOf(error: SerializedError, key: string): readonly string[] {
  const value = error.details[key]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** The numbers of a list in the details; empty when there is none. */
export function numbersOf(error: SerializedError, key: string): readonly number[] {
  const value = error.details[key]
  return Array.isArray(value) ? value.filter((item) => Number.isFinite(item)) : []
}

/** Text (at most 200 characters of it) or number as it is written in a sentence; null for anything else. */
export function valueOf(error: SerializedError, key: string): string | null {
  const value = error.details[key]
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  if (typeof value === 'number') return Number.isSafeInteger(value) ? formatCount(value) : String(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value !== 'string' || value === '') return null
  return value.length > 200 ? `${value.slice(0, 200)}...` : value
}

export const quote = (name: string): string => `'${name}'`

/** `byte 512`, `byte 12,345,678 (12.3 MB)`. */
export function place(offset: number): string {
  return offset < 1_000_000
    ? `byte ${formatCount(offset)}`
    : `byte ${formatCount(offset)} (${formatBytes(offset)})`
}

/** Two sizes beside each other: exact where rounding would make them look alike. */
export function sizePair(a: number, b: number): readonly [string, string] {
  const rounded = [formatBytes(a), formatBytes(b)] as const
  if (a === b || rounded[0] !== rounded[1]) return rounded
  return [`${formatCount(a)} bytes`, `${formatCount(b)} bytes`]
}

/** `1 block`, `2 blocks`. */
export const counted = (count: number, one: string, many: string): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`

/** `a`, `a and b`, `a, b and c`; at most `limit` of them, then `and 5 more`. */
export function enumerate(items: readonly string[], limit = 5): string {
  const shown = items.length > limit ? [...items.slice(0, limit), `${items.length - limit} more`] : items
  if (shown.length < 2) return shown.join('')
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`
}

/** `a`, `a or b`, `a, b or c`. */
export const alternatives = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1) ?? ''}`

/** First letter upper case, full stop at the end. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  const start = trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
  return /[.!?:]$/.test(start) ? start : `${start}.`
}
