/** The first line of the check before a stream: whether its source can be streamed. */
import { AppError, serializeError } from '#shared/errors'
import type { NetworkCheck, SessionSettings } from '#shared/model'
import type { StreamServerOptions } from './stream-server.ts'
import { blockBytesOf } from './prepare-session.ts'
import { examineImage } from './served-source.ts'
import { usualSymbolBytes } from './symbol-size.ts'

/** Rejects with the signal's reason only. */
export async function checkSource(
  settings: Pick<SessionSettings, 'source' | 'compression'>,
  signal: AbortSignal,
  { examineDevice }: Pick<StreamServerOptions, 'examineDevice'> = {},
): Promise<NetworkCheck> {
  try {
    const device = (await examineDevice?.(settings, signal)) ?? null
    const source = device === null ? await examineImage(settings.source, signal) : null
    blockBytesOf(settings, { source, device }, usualSymbolBytes)
    const warning = device?.warnings[0]
    if (warning !== undefined) return { step: 'source', state: 'warning', error: serializeError(warning) }
    return { step: 'source', state: 'ok', error: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { step: 'source', state: 'failed', error: serializeError(error) }
  }
}
