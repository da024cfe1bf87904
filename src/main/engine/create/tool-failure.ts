/** What a program that makes file systems failed of, where it isn't the program's fault. */
import { rm, writeFile } from 'node:fs/promises'
import { errnoOf } from '#engine/block-io'
import { programFailed, type ProgramResult } from '#engine/platform'
import { DeviceError } from '#shared/errors'

/** The least that isn't "full": programs fail of a write of this size, with less than that left. */
const probeBytes = 1024 * 1024

/**
 * It was writing to `path`, for an image at `targetPath`. Other than its own failure: E_DST_FULL when the disk that holds
 * them is full, or somebody's share of it is; E_DENIED for a file that can't be read, which `mke2fs` names: it may have
 * appeared since they were looked through; E_SRC_CHANGED for one that is gone since, of `folder`. (When the new file system itself is full, it has other words.)
 */
export async function toolFailure(
  result: ProgramResult,
  args: readonly string[],
  {
    path,
    targetPath,
    folder,
  }: { readonly path: string; readonly targetPath: string; readonly folder?: string },
): Promise<DeviceError> {
  const { stderr } = result
  const denied = /permission denied while opening "(?<path>[^"]+)"/i.exec(stderr)?.groups?.['path']
  if (denied !== undefined)
    return new DeviceError('E_DENIED', `open ${denied}`, { details: { path: denied, stderr } })
  if (folder !== undefined && /no such file or directory while (opening|populating)/i.test(stderr))
    return new DeviceError('E_SRC_CHANGED', `a file in ${folder} is gone`, {
      details: { path: folder, when: 'reading', stderr },
    })
  if (/no space left on device|disk quota exceeded/i.test(stderr) || !(await hasRoom(`${path}-probe`)))
    return new DeviceError('E_DST_FULL', `no room for ${targetPath}`, {
      details: { path: targetPath, stderr },
    })
  return programFailed(result, args)
}

/** Not every program says why it couldn't write. */
async function hasRoom(path: string): Promise<boolean> {
  try {
    await writeFile(path, Buffer.alloc(probeBytes))
    return true
  } catch (error) {
    return errnoOf(error) !== 'ENOSPC' && errnoOf(error) !== 'EDQUOT'
  } finally {
    await rm(path, { force: true })
  }
}
