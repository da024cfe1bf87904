/**
 * Zeroing and discarding stretches by the device's own means, through `blkdiscard`: Node has no ioctl. The program gets
 * our own descriptor's path in /proc, so it works on the very device that we hold, whatever /dev says meanwhile.
 */
import { saidBy, type Machine, type OpenDevice } from '#engine/platform/system'
import { DeviceError } from '#shared/errors'
import { identifyDevice } from './identify.ts'

/**
 * One request to the kernel covers at most this much, because a request that has begun can't be stopped. Where the kernel
 * has to write zeros itself after all, it is still done within a second or so.
 */
const STEP_BYTES = 64 * 2 ** 20

/** Throws E_IO_WRITE with the stretch's offset, E_DST_GONE, E_DEVICE_TOOL; the signal's reason when cancelled. */
export async function changeRange(
  system: Machine,
  device: OpenDevice,
  how: 'zero-out' | 'discard',
  offset: number,
  lengthBytes: number,
  signal?: AbortSignal,
): Promise<void> {
  if (lengthBytes === 0) return
  const args = [
    ...(how === 'zero-out' ? ['--zeroout'] : []),
    // We hold the device exclusively, which is what it would complain about.
    '--force',
    '--offset',
    String(offset),
    '--length',
    String(lengthBytes),
    '--step',
    String(STEP_BYTES),
    `/proc/${system.processId}/fd/${device.fd}`,
  ]
  const result = await system.run('blkdiscard', args, {
    timeoutMs: 24 * 3_600_000,
    writes: true,
    ...(signal === undefined ? {} : { signal }),
  })
  if (result.status === 0) return
  const said = saidBy(result)
  // A device may claim it, and the file behind it not be able to: then there is nothing to give back.
  if (how === 'discard' && /not supported/i.test(said)) return
  const details = { path: device.path, offset, lengthBytes, stderr: said }
  const gone = (await identifyDevice(system, device.path).catch(() => null)) === null
  if (gone || /No such device|No medium/.test(said))
    throw new DeviceError('E_DST_GONE', `${device.path} was disconnected`, { details })
  throw new DeviceError('E_IO_WRITE', `${device.path}: ${how} failed: ${said}`, { details })
}
