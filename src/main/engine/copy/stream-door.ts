/** The way to multicast sessions, with the passwords that people have given for them: those stay in this process. */
import { randomBytes } from 'node:crypto'
import type { ConnectStream, StreamConnection } from '#engine/stream-connection'
import { AppError, UsageError } from '#shared/errors'
import { silentLogger, type Logger } from '#shared/log'
import { formatStreamLocator, type StreamLocator } from '#shared/model'

export interface StreamDoor {
  /** Throws what `ConnectStream` throws. */
  connect(
    locator: StreamLocator,
    options: { readonly log: Logger; readonly signal: AbortSignal; readonly interface?: string | null },
  ): Promise<StreamConnection>
  /** The session asks for a password, and none that was given is right. False for all else that stands against it. */
  isLocked(locator: StreamLocator, signal: AbortSignal): Promise<boolean>
  /** Try a password, and keep it when it is right. Throws what `ConnectStream` throws. */
  unlock(locator: StreamLocator, password: string, signal: AbortSignal): Promise<void>
}

export function createStreamDoor(connect: ConnectStream): StreamDoor {
  const clientId = randomBytes(16)
  const passwords = new Map<string, string>()
  /** Of a server, whoever it turns out to be, and a session. */
  const keyOf = (locator: StreamLocator) => formatStreamLocator({ ...locator, fingerprint: null })
  const open: StreamDoor['connect'] = (locator, options) =>
    connect(locator, { ...options, clientId, password: passwords.get(keyOf(locator)) ?? null })

  return {
    connect: open,
    async isLocked(locator, signal) {
      try {
        await using _ = await open(locator, { log: silentLogger, signal })
        return false
      } catch (error) {
        AppError.accept(error)
        return error.code === 'E_MC_PASSWORD'
      }
    },
    async unlock(locator, password, signal) {
      await using _ = await connect(locator, { password, clientId, log: silentLogger, signal })
      passwords.set(keyOf(locator), password)
    },
  }
}

/** Where nobody receives streams. */
export const noStreams: ConnectStream = async (locator) => {
  const problem = "Multicast streams can't be used here."
  throw new UsageError('E_UNSUPPORTED', `no client for ${formatStreamLocator(locator)}`, {
    details: { input: 'source', problem },
  })
}
