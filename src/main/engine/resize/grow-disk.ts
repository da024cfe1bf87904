/** A disk made larger, or left as it was: what can fail for want of room comes before its old map is touched, and can be taken back. */
import type { SetSizeOptions } from '#engine/block-io'
import type { MapWrite } from '#engine/formats/partition-map'
import type { ResizableDisk } from './resizable-disk.ts'

export interface GrowOptions extends SetSizeOptions {
  /** Called when the disk couldn't be made what it was. */
  readonly changed: () => void
}

/** With `writes` on it; on the medium when it resolves. Throws DeviceError, the signal's reason. */
export async function growDisk(
  disk: ResizableDisk,
  sizeBytes: number,
  writes: readonly MapWrite[],
  { changed, ...options }: GrowOptions,
): Promise<void> {
  const overwritten = await readBelow(disk, writes)
  let isLarger = false
  try {
    await disk.setSize(sizeBytes, options)
    isLarger = true
    await writeAll(disk, writes)
  } catch (error) {
    // Who stops it before it has its size finds it as it was. What fails may have the size, and not have that on the medium.
    if (!isLarger && options.signal.aborted) throw error
    // Each by itself: where there is no room to write anything back, the room that was taken can still be given back.
    const undone = [
      !isLarger || (await succeeds(writeAll(disk, overwritten))),
      await succeeds(disk.undoGrowth(options)),
    ]
    // The first failure is what is told.
    if (undone.includes(false)) changed()
    throw error
  }
}

async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work
    return true
  } catch {
    return false
  }
}

/** One after another. On the medium when it resolves. Throws DeviceError. */
export async function writeAll(disk: ResizableDisk, writes: readonly MapWrite[]): Promise<void> {
  for (const { offset, bytes } of writes) await disk.write(bytes, offset)
  if (writes.length > 0) await disk.flush()
}

/** What `writes` go over of the disk as it is: a disk that becomes little larger has its old backup in the new one's place. */
async function readBelow(disk: ResizableDisk, writes: readonly MapWrite[]): Promise<readonly MapWrite[]> {
  const { sizeBytes } = disk
  const below: MapWrite[] = []
  for (const { offset, bytes } of writes) {
    const length = Math.min(bytes.length, sizeBytes - offset)
    if (length > 0) below.push({ offset, bytes: await disk.read(offset, length) })
  }
  return below
}
