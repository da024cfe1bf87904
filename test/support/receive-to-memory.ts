/** A stream received into memory, as tests of the client do it. */
import { randomBytes } from 'node:crypto'
import { connectStream } from '#engine/multicast/client'
import type { ReceiveOptions, StreamConnection } from '#engine/stream-connection'
import { silentLogger } from '#shared/log'
import type { StreamLocator } from '#shared/model'
import type { StreamServerDouble } from '#test/stream-server-double'

const never = new AbortController().signal

/** Looks at the server's session; what of its address is to be another is said. */
export const lookAtStream = (
  server: StreamServerDouble,
  locator: Partial<StreamLocator> = {},
  options: Partial<Parameters<typeof connectStream>[1]> = {},
): Promise<StreamConnection> =>
  connectStream(
    { ...server.locator, ...locator },
    {
      password: null,
      log: silentLogger,
      clientId: Uint8Array.from(randomBytes(16)),
      signal: never,
      ...options,
    },
  )

/** Receives into `file`, and counts how often each block came. */
export function receiveToMemory(stream: StreamConnection, options: Partial<ReceiveOptions> = {}) {
  const file = new Uint8Array(stream.sizeBytes)
  const came = new Uint8Array(stream.blocks)
  const reception = stream.receive({
    have: null,
    holdBytes: 16 * 1024 * 1024,
    timeoutMs: 0,
    signal: never,
    onBlock(block, bytes) {
      came[block] = (came[block] ?? 0) + 1
      file.set(bytes, block * stream.blockBytes)
      reception.written(block)
    },
    ...options,
  })
  const count = () => came.reduce((sum, value) => sum + value, 0)
  return { file, came, reception, count }
}
