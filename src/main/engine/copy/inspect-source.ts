/** What stands behind a source's locator, before there is a target. */
import type { SourceInfo } from '#shared/model'
import { examineSource } from './examine-source.ts'
import type { RestoreDeps } from './restore-deps.ts'

/** Throws what stands against it as a source: FormatError, DeviceError, UsageError. */
export async function inspectSource(
  locator: string,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<SourceInfo> {
  const { source, errors } = await examineSource({ source: locator }, deps, signal)
  // A disk that is in use can be looked at; only a restore would have to unmount it.
  if (source !== null) return source.info
  throw errors[0] ?? new Error('no source and no reason')
}
