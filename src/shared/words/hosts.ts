/** What a host is called, and why it can't be reached, in words for the network as in those for streams. */
import type { SerializedError } from '#shared/errors'
import { textOf } from './details.ts'

export const address = (error: SerializedError): string | null => textOf(error, 'address')
export const host = (error: SerializedError): string =>
  textOf(error, 'host') ?? address(error) ?? 'The server'
export const theHost = (error: SerializedError): string =>
  textOf(error, 'host') ?? address(error) ?? 'the server'

/** The system's words for a connection that couldn't be made. */
export const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nobody answers at that port.',
  ECONNRESET: 'The connection was cut.',
  EHOSTUNREACH: "The host can't be reached.",
  ENETUNREACH: 'This computer has no way to that network.',
  ENETDOWN: 'The network of this computer is down.',
  ETIMEDOUT: 'The host does not answer.',
  ENOTFOUND: 'There is no host of that name.',
  EAI_AGAIN: "The host's name can't be looked up at the moment.",
  EPIPE: 'The connection was cut.',
  EINVAL:
    "The system doesn't take that address. One that begins with fe80 needs the interface it is on: [fe80::1%eth0].",
}
