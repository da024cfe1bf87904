/**
 * What is mounted of a device that is read. Who holds it alone needn't ask. Where others read it, too, or something of it stays mounted
 * read-only, nobody is kept from mounting it for writing: it is looked at before the reading and after it. What was mounted and
 * unmounted in between isn't noticed.
 */
import { AppError, DeviceError } from '#shared/errors'
import { mountedForWriting, type DeviceSource } from './examine-source.ts'
import type { RestoreDeps } from './restore-deps.ts'
import { changedWhileRead } from './source-changed.ts'

/** By one look at it. */
export type Mounts = Pick<DeviceSource, 'disk' | 'volume' | 'mountPoints'>

/** Null: it isn't there any more, which whoever opens or reads it is told. Throws the signal's reason. */
export async function lookAtMounts(
  { path, volume: examined }: Pick<DeviceSource, 'path' | 'volume'>,
  platform: RestoreDeps['platform'],
  signal?: AbortSignal,
): Promise<Mounts | null> {
  try {
    const now = await platform.resolve(path, signal)
    if (now.kind !== 'disk' && now.kind !== 'volume') return null
    const volume = now.kind === 'disk' || examined === null ? null : now.volume
    return { disk: now.disk, volume, mountPoints: mountedForWriting(now.disk, volume) }
  } catch (error) {
    AppError.accept(error)
    return null
  }
}

/** Before the reading. Throws DeviceError E_SRC_IN_USE, the signal's reason. */
export async function refuseMounted(
  source: DeviceSource,
  platform: RestoreDeps['platform'],
  signal: AbortSignal,
): Promise<void> {
  const { path } = source
  const mounts = await lookAtMounts(source, platform, signal)
  if (mounts === null || mounts.mountPoints.length === 0) return
  const holders = mounts.mountPoints.map((mountPoint) => `what is mounted at ${mountPoint}`)
  throw new DeviceError('E_SRC_IN_USE', `${path} was mounted for writing meanwhile`, {
    details: { path, holders },
  })
}

/** After the reading. Throws DeviceError E_SRC_CHANGED, the signal's reason. */
export async function checkUnmounted(
  source: DeviceSource,
  platform: RestoreDeps['platform'],
  signal?: AbortSignal,
): Promise<void> {
  const mounts = await lookAtMounts(source, platform, signal)
  const mountPoints = mounts?.mountPoints ?? []
  if (mountPoints.length > 0) throw changedWhileRead(source.path, { mountPoints })
}
