/** From a session's settings to what its port's thread serves: looked at before anything is taken for it, then read and hashed. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { findInterface } from '#engine/multicast/network'
import {
  openStreamBytes,
  type OpenBytes,
  type ServedSession,
  type StreamBytes,
} from '#engine/multicast/orders'
import { orAborted } from '#engine/stream-connection'
import { invariant, serializeError } from '#shared/errors'
import { withoutPassword, type NetworkInterface, type SessionSettings } from '#shared/model'
import { hashStream } from './block-hashes.ts'
import { wrongSetting } from './check-settings.ts'
import { ClientLog } from './client-log.ts'
import type { SessionEntry } from './session-entry.ts'
import { examineImage, type PreparedSource, type ServedSource } from './served-source.ts'
import { blockBytesForStream, symbolBytesFor } from './symbol-size.ts'

/** What is streamed for a source that is no image: a device. Null: it is an image. */
export type ExamineDevice = (
  source: Pick<SessionSettings, 'source' | 'compression'>,
  signal: AbortSignal,
) => Promise<PreparedSource | null>

/** What was found out about a session before it is there. One of `source` and `device` is null. */
export interface ExaminedSession {
  readonly interface: NetworkInterface
  readonly source: ServedSource | null
  readonly device: PreparedSource | null
  readonly symbolBytes: number
  readonly blockBytes: number
}

/**
 * Throws NetworkError E_MC_IFACE, UsageError (a source that can't be streamed, or more than a stream can be), what opening an image
 * throws, the signal's reason.
 */
export async function examineSession(
  settings: SessionSettings,
  examineDevice: ExamineDevice | undefined,
  signal: AbortSignal,
): Promise<ExaminedSession> {
  const found = await findInterface(settings.interface)
  const device = (await examineDevice?.(settings, signal)) ?? null
  const source = device === null ? await examineImage(settings.source, signal) : null
  const symbolBytes = symbolBytesFor(found.mtu)
  return {
    interface: found,
    source,
    device,
    symbolBytes,
    blockBytes: blockBytesOf(settings, { source, device }, symbolBytes),
  }
}

/** The session, as it is before it is prepared. */
export function newEntry(
  settings: SessionSettings,
  { interface: found, source, device, blockBytes }: ExaminedSession,
  { abort, lease }: Pick<SessionEntry, 'abort' | 'lease'>,
): SessionEntry {
  const sizeBytes = source?.bytes.sizeBytes ?? device?.sizeBytes ?? 0
  return {
    sessionId: randomBytes(16).toString('hex'),
    settings,
    interface: found,
    createdMs: Date.now(),
    source,
    imageName: source?.imageName ?? device?.imageName ?? '',
    sizeBytes,
    blockBytes,
    abort,
    lease,
    opened: null,
    warnings: device?.warnings.map((warning) => serializeError(warning)) ?? [],
    doneBytes: 0,
    totalBytes: sizeBytes,
    givingBack: null,
    leavingPort: null,
    isServed: false,
    live: null,
    clientLog: new ClientLog(),
    ended: null,
    preparing: Promise.resolve(),
  }
}

/**
 * Makes its source, if it is a device; opens and hashes it. What is taken for it is the entry's, also when this throws: what making,
 * opening and reading throw, the reason of the entry's signal.
 */
export async function prepareSession(
  entry: SessionEntry,
  { device, symbolBytes }: Pick<ExaminedSession, 'device' | 'symbolBytes'>,
  { folder, changed }: { readonly folder: string; readonly changed: () => void },
): Promise<ServedSession> {
  const { sessionId, settings, abort } = entry
  const source = entry.source ?? (await makeSource(entry, device, { symbolBytes, changed }))
  const { blockBytes } = entry
  const opened = await openInTime(source.bytes, abort.signal)
  entry.opened = opened
  const { hashes, root } = await hashStream(source, opened, {
    folder: join(folder, 'hashes'),
    blockBytes,
    signal: abort.signal,
    progress: (doneBytes) => {
      entry.doneBytes = doneBytes
      changed()
    },
  })
  abort.signal.throwIfAborted()
  const { bytes, imageName, imageFormat } = source
  return {
    sessionId,
    settings,
    imageName,
    imageFormat,
    bytes,
    blockBytes,
    symbolBytes,
    root,
    hashes,
    interface: entry.interface,
  }
}

/** What can be opened only when nobody wants it any more is closed again. */
async function openInTime(bytes: StreamBytes, signal: AbortSignal): Promise<OpenBytes> {
  const opening = openStreamBytes(bytes)
  try {
    return await orAborted(opening, signal)
  } catch (error) {
    void opening.then(
      (late) => late[Symbol.asyncDispose](),
      () => undefined,
    )
    throw error
  }
}

/** What is streamed of a device; from then on its size is known. */
async function makeSource(
  entry: SessionEntry,
  device: PreparedSource | null,
  { symbolBytes, changed }: { readonly symbolBytes: number; readonly changed: () => void },
): Promise<ServedSource> {
  invariant(device !== null, 'a session without a source')
  const source = await device.prepare({
    signal: entry.abort.signal,
    progress: (doneBytes, totalBytes) => {
      entry.doneBytes = doneBytes
      entry.totalBytes = totalBytes
      changed()
    },
  })
  entry.source = source
  // What stood against making it is over.
  entry.warnings.splice(0, device.warnings.length)
  const { sizeBytes } = source.bytes
  entry.blockBytes = blockBytesOf(entry.settings, { source, device }, symbolBytes)
  entry.sizeBytes = sizeBytes
  entry.doneBytes = 0
  entry.totalBytes = sizeBytes
  return source
}

/** Throws UsageError for more than a stream can be. Of an image that isn't made yet nobody knows. */
export function blockBytesOf(
  { source: locator }: Pick<SessionSettings, 'source'>,
  { source, device }: Pick<ExaminedSession, 'source' | 'device'>,
  symbolBytes: number,
): number {
  const sizeBytes = source?.bytes.sizeBytes ?? device?.streamBytes ?? 1
  const blockBytes = blockBytesForStream({ sizeBytes, symbolBytes })
  if (blockBytes !== null) return blockBytes
  const hint =
    device?.streamBytes === sizeBytes
      ? 'Choose a compression: then only what is used is streamed.'
      : undefined
  throw wrongSetting('--source', `${withoutPassword(locator)} is larger than a stream can be.`, hint)
}
