/** What was thrown, as the few facts that tests of formats name. */
import { FormatError } from '#shared/errors'

export interface FormatFailure {
  readonly code: string
  readonly format: string
  readonly field: string
  readonly offset: number
}

const facts = (error: unknown): FormatFailure => {
  if (!(error instanceof FormatError)) throw error
  const { format, field, offset } = error.details
  return { code: error.code, format, field, offset }
}

/** The FormatError that `run` throws; what else it throws comes through, and nothing thrown is an error. */
export function failureOf(run: () => unknown): FormatFailure {
  try {
    run()
  } catch (error) {
    return facts(error)
  }
  throw new Error('nothing was thrown')
}

/** The same for a promise. */
export async function rejectionOf(promise: Promise<unknown>): Promise<FormatFailure> {
  try {
    await promise
  } catch (error) {
    return facts(error)
  }
  throw new Error('nothing was thrown')
}
