/**
 * Throw a file's cached pages away, so that the next read comes from the medium. Node can't call posix_fadvise(2); GNU
 * dd can: "iflag=nocache: request to discard the system data cache for a file … when count=0, the cache for the whole
 * file is discarded" (coreutils manual, dd invocation). Pages that aren't on the medium yet stay: flush first.
 */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { DeviceError } from '#shared/errors'

const dd = ['/usr/bin/dd', '/bin/dd']
const timeoutMs = 10_000

/** Throws DeviceError E_DEVICE_TOOL where there is no dd that can, or it failed. Linux. */
export async function dropFileCache(path: string): Promise<void> {
  const program = dd.find(isExecutable)
  if (process.platform !== 'linux' || program === undefined)
    throw new DeviceError('E_DEVICE_TOOL', `no way to read ${path} past the cache`, {
      details: { path, tool: 'dd' },
    })
  await new Promise<void>((resolve, reject) => {
    execFile(
      program,
      [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'],
      { timeout: timeoutMs, maxBuffer: 65_536, env: { LC_ALL: 'C' } },
      (error, _, stderr) => {
        if (error === null) resolve()
        else
          reject(
            new DeviceError('E_DEVICE_TOOL', `dd: ${stderr.trim() || error.message}`, {
              details: { path, tool: program },
              cause: error,
            }),
          )
      },
    )
  })
}

function isExecutable(program: string): boolean {
  try {
    accessSync(program, constants.X_OK)
    return true
  } catch {
    return false
  }
}
