/** Whether a partition's name still names that partition. */
import type { Volume } from '#shared/model'
import type { RestoreDeps } from './restore-deps.ts'

/** The same name, on the same disk, may be another part of it by now. As long as it is held open, it stays that. */
export async function isStillThere(
  path: string,
  { offset }: Volume,
  platform: RestoreDeps['platform'],
  signal: AbortSignal,
): Promise<boolean> {
  const now = await platform.resolve(path, signal)
  return now.kind === 'volume' && now.volume.path === path && now.volume.offset === offset
}
