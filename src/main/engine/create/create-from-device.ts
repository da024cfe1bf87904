/**
 * A disk or a partition as an image, of which only used blocks are read. The device is let go by its file systems for as
 * long as it takes, kept from others meanwhile, and given back whatever happens.
 */
import type { FileOwner } from '#engine/block-io'
import { checkLevel, diskItems, openImageTarget, thenCheck } from '#engine/convert'
import { examineDevice, openDeviceReading, releaseDevice, type RestoreDeps } from '#engine/copy'
import { rememberUnchecked } from '#engine/formats/image'
import type { JobContext } from '#engine/job'
import { serializeError, type SerializedError } from '#shared/errors'
import type { CreateRequest } from '#shared/model'
import type { Created } from './created.ts'
import { warnOfUnread } from './left-unread.ts'
import { planReading } from './plan-reading.ts'
import { usedLayout } from './used-layout.ts'

/**
 * Throws what `examineDevice`, `releaseDevice` and `openDeviceReading` throw, E_SRC_CHANGED for a file that was written to meanwhile, or
 * a device that somebody mounted for writing, what the target throws, the signal's reason. Then the device is as it was.
 */
export async function createFromDevice(
  request: CreateRequest,
  locator: string,
  deps: RestoreDeps & { readonly owner: () => Promise<FileOwner | null> },
  context: JobContext,
): Promise<Created> {
  const { signal, log } = context
  checkLevel(request)
  context.enter('validating-source')
  const device = await examineDevice(locator, request.target, deps, signal)
  await using target = await openImageTarget(request, { owner: await deps.owner() })
  if (device.mountPoints.length > 0) context.enter('unmounting')
  const released = await releaseDevice(device, deps, signal)
  let unread: readonly SerializedError[] = []
  let notMounted: readonly SerializedError[] = []
  let created
  try {
    await using reading = await openDeviceReading(device, released, deps, signal)
    const files = await rememberUnchecked(reading.layout)
    const { contents, ranges, parts, edges, ...plan } = await planReading(
      reading.readDisk,
      { sizeBytes: device.sizeBytes, sectorBytes: reading.sectorBytes, blockBytes: reading.blockBytes },
      context,
    )
    unread = warnOfUnread(device.path, plan.unread).map((warning) => serializeError(warning))
    for (const { message } of unread) log.warn(message, { ...plan.unread })
    context.enter('creating', device.sizeBytes)
    const layout = usedLayout(reading.layout, ranges, edges)
    await using stream = await reading.openStream(layout, signal)
    const sizes = await target.write(
      {
        contents: { ...contents, sizeBytes: device.sizeBytes },
        items: thenCheck(diskItems(stream, layout, device.path), {
          ...files,
          async checkUnchanged() {
            await files.checkUnchanged()
            await reading.checkUnmounted(signal)
          },
        }),
      },
      { signal, advance: (doneBytes) => context.advance(doneBytes) },
    )
    const way = { kind: 'device', partitionMap: contents.partitionMap, parts } as const
    created = { ...sizes, usedBytes: ranges.usedBytes, way }
  } finally {
    // A phase that begins says that the one before is done.
    if (created !== undefined && device.mountPoints.length > 0) context.enter('remounting')
    notMounted = await released.giveBack().catch((error: unknown) => [serializeError(error)])
    for (const { code, message } of notMounted) log.warn('not mounted again', { code, message })
  }
  return { ...created, warnings: [...unread, ...notMounted] }
}
