/** What can trouble a reception, as errors and warnings with our codes. */
import type { Message } from '#engine/multicast/wire'
import { NetworkError } from '#shared/errors'
import type { StreamLocator } from '#shared/model'
import type { GroupSocket } from './group-socket.ts'
import type { ReceiveInterface } from './receive-interface.ts'

/** For the log. */
export const silenceCauses =
  'a firewall, a switch with IGMP snooping but without a querier, or the wrong interface'

export const silenceWarning = (
  { group, port }: Pick<Message<'session'>, 'group' | 'port'>,
  { name, address }: ReceiveInterface,
): NetworkError =>
  new NetworkError('E_MC_SILENT', `nothing of ${group}:${port} arrives`, {
    details: {
      address: `${group}:${port}`,
      phase: 'multicast',
      group,
      port,
      interface: name,
      ...(address === null ? { reason: 'no-address' } : {}),
    },
  })

export const dropWarning = (
  { group }: Pick<Message<'session'>, 'group'>,
  { askedBytes, grantedBytes, advice }: Pick<GroupSocket, 'askedBytes' | 'grantedBytes' | 'advice'>,
  dropped: number,
): NetworkError =>
  new NetworkError('E_MC_BUFFER', 'the system throws datagrams away', {
    details: { address: group, phase: 'multicast', askedBytes, grantedBytes, advice, dropped },
  })

/** `server`: is it there, and does what it sends by multicast arrive? */
export function timeoutError(
  { host, port }: StreamLocator,
  timeoutMs: number,
  server: 'gone' | 'unheard' | 'idle',
): NetworkError {
  const why = {
    gone: "the server can't be reached",
    unheard: 'neither by multicast nor over the connection to the server',
    idle: 'the server is there, but sends nothing',
  }
  return new NetworkError('E_MC_TIMEOUT', why[server], {
    details: { address: `${host}:${port}`, phase: 'receive', seconds: Math.round(timeoutMs / 1000) },
  })
}
