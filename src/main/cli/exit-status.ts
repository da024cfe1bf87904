/**
 * Exit statuses. asr knows 0 and 1, and scripts written for it test for that; the finer ones are for those who ask by
 * --exit-codes or --json.
 */
import type { ErrorFamily, SerializedError } from '#shared/errors'

export const exitDone = 0
/** asr's: could not complete what was asked. */
export const exitFailed = 1
export const exitCancelled = 130

export type ExitStyle = 'asr' | 'finer'

const finer: { readonly [family in ErrorFamily]: number } = {
  usage: 2,
  verification: 4,
  format: 10,
  device: 11,
  network: 13,
  'engine-gone': 20,
  bug: 70,
}

const exitDenied = 12
const deniedCodes: ReadonlySet<string> = new Set(['E_DENIED', 'E_AUTH_CANCEL', 'E_AUTH_NOAGENT'])

export function exitStatus(error: SerializedError, style: ExitStyle): number {
  if (style === 'asr') return exitFailed
  return deniedCodes.has(error.code) ? exitDenied : finer[error.family]
}
