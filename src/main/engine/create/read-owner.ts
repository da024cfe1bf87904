/** The groups of a person, from wherever the system knows people. */
import type { FileOwner } from '#engine/block-io'
import { runChecked, type RunProgram } from '#engine/platform'
import { DeviceError } from '#shared/errors'

/** Null for nobody in particular, and for root. Throws DeviceError E_DEVICE_TOOL when the person isn't known. */
export async function readOwner(run: RunProgram, uid: number | null): Promise<FileOwner | null> {
  if (uid === null || uid === 0) return null
  // All of them, the primary one first.
  const said = await runChecked(run, 'id', ['-G', '--', String(uid)])
  const gids = said.trim().split(/\s+/).map(Number)
  if (gids.every((gid) => Number.isSafeInteger(gid) && gid >= 0)) return { uid, gids }
  throw new DeviceError('E_DEVICE_TOOL', `id said ${said}`, { details: { path: String(uid), tool: 'id' } })
}
