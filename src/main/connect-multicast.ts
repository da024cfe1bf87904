/** The multicast engine as the engine host wants it: the one place that says what stands behind each of its members. */
import type { MulticastEngine } from '#main/engine-host'
import { UsageError } from '#shared/errors'

export function connectMulticast(): MulticastEngine {
  return {
    interfaces: async () => [],
    check: notHere,
    startSession: notHere,
    startNow: notHere,
    setRate: notHere,
    stopSession: notHere,
    disconnect: notHere,
    onSessions: () => undefined,
    watchStreams: () => ({ [Symbol.asyncDispose]: async () => undefined }),
    readConfiguration: notHere,
    writeConfiguration: notHere,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

const notHere = () => {
  const message = 'streams cannot be served yet'
  return Promise.reject(new UsageError('E_UNSUPPORTED', message, { details: { input: 'multicast' } }))
}
