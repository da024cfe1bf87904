/** A device's node that isn't there (yet, or misspelt) must not become a file in memory that looks like one. */
import { dirname } from 'node:path'
import { DeviceError } from '#shared/errors'

/** `path` was looked up, and nothing is there. Throws DeviceError E_NOT_FOUND when it could only be a device. */
export function refuseMissingDevice(path: string): void {
  if (!/^\/dev(?!\/shm(\/|$))(\/|$)/.test(dirname(path))) return
  throw new DeviceError('E_NOT_FOUND', `there is no device ${path}`, { details: { path } })
}
