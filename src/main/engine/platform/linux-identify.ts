import { DeviceError } from '#shared/errors'
import { identityOf } from './linux-list.ts'
import { deviceAt } from './linux-resolve.ts'
import type { Machine } from './machine.ts'

/** `Disk.identity` of the disk at `path`, or of the disk that the partition at `path` is on. Throws E_DST_GONE. */
export async function identifyDevice(system: Machine, path: string): Promise<string> {
  try {
    const { disk } = (await deviceAt(system, path)).place
    return await identityOf(system, disk)
  } catch (error) {
    DeviceError.accept(error)
    if (error.code === 'E_DST_GONE') throw error
    throw new DeviceError('E_DST_GONE', `${path} isn't there any more`, { details: { path }, cause: error })
  }
}
