/** The one way a format says what is wrong with a file, so that every message has the same shape. */
import { FormatError, type Detail, type FormatCode } from '#shared/errors'
import { publicLocator } from '#shared/model'

/** What was wrong. `offset`: bytes from the start of the file. `found` and `expected` in plain values or words. */
export interface FormatProblem {
  readonly format: string
  readonly field: string
  readonly offset: number
  readonly found?: Detail
  readonly expected?: Detail
  readonly [key: string]: Detail | undefined
}

/** `udif koly.xmlOffset at byte 216: found 99, expected at most 80`. */
export function formatError(code: FormatCode, problem: FormatProblem, cause?: unknown): FormatError {
  const { format, field, offset, found, expected, path } = problem
  const seen = found === undefined ? '' : `: found ${JSON.stringify(found)}`
  const wanted =
    expected === undefined ? '' : `${seen === '' ? ':' : ','} expected ${JSON.stringify(expected)}`
  return new FormatError(code, `${format} ${field} at byte ${offset}${seen}${wanted}`, {
    details: typeof path === 'string' ? { ...problem, path: publicLocator(path) } : problem,
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The image contradicts itself: the most common problem by far. */
export function corrupt(problem: FormatProblem, cause?: unknown): FormatError {
  return formatError('E_SRC_CORRUPT', problem, cause)
}
