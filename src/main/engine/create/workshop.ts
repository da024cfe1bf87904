/** A hidden folder beside the new image, for what it is put together of. Gone when it is disposed. */
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openFailure } from '#engine/block-io'

export interface Workshop extends AsyncDisposable {
  readonly path: string
}

/** The folder that the file at `target` will be in: behind a link the file goes where that leads. */
export async function folderOf(target: string): Promise<string> {
  return dirname(await realpath(target).catch(() => target))
}

/** Throws DeviceError E_NOT_FOUND, E_DENIED, E_DST_READONLY, E_DST_FULL of the folder that `target` is in. */
export async function openWorkshop(target: string): Promise<Workshop> {
  const folder = await folderOf(target)
  const path = await mkdtemp(join(folder, '.reprise-')).catch((error: unknown) => {
    throw openFailure(error, folder, 'destination')
  })
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
