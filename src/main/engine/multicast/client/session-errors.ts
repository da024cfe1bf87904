/** What a server's refusals and its end of a session are to us: errors with our codes, the server's words as a detail. */
import type { Message } from '#engine/multicast/wire'
import { NetworkError, type NetworkCode } from '#shared/errors'

export interface Asked {
  /** `host:port`. */
  readonly address: string
  /** Null: the first that takes us. */
  readonly session: string | null
  readonly hasPassword: boolean
}

const codes: { readonly [reason in Message<'refused'>['reason']]: NetworkCode } = {
  version: 'E_MC_PROTOCOL',
  'no-session': 'E_MC_NOSESSION',
  'not-admitted': 'E_MC_REFUSED',
  password: 'E_MC_PASSWORD',
  full: 'E_MC_REFUSED',
  protocol: 'E_MC_PROTOCOL',
  wait: 'E_MC_REFUSED',
  preparing: 'E_MC_REFUSED',
}

export function refusalError(
  { reason, text }: Message<'refused'>,
  { address, session, hasPassword }: Asked,
): NetworkError {
  const details = { address, host: address, phase: 'control', reason, text, session, given: hasPassword }
  const message = text === '' ? `refused: ${reason}` : text
  return new NetworkError(codes[reason], message, {
    details,
    transient: reason === 'full' || reason === 'wait' || reason === 'preparing',
  })
}

export const endError = (
  { reason, text }: Pick<Message<'end'>, 'reason' | 'text'>,
  address: string,
): NetworkError =>
  new NetworkError('E_MC_ENDED', `the session ended: ${reason}`, {
    details: { address, host: address, phase: 'control', reason, text },
  })
