/**
 * A raw disk has no mark of its own. One of unknown contents can only be told by its name, and one that should be larger only
 * passes for a file that was cut short. It would be refused when it is to be restored, after the original was erased perhaps:
 * so it is refused now, before it is written.
 */
import { basename } from 'node:path'
import { openFileSource } from '#engine/block-io'
import { isDisk, passesAsRaw, readDiskContents } from '#engine/formats/image'
import { UsageError } from '#shared/errors'
import type { ImageInfo } from '#shared/model'
import { formatBytes } from '#shared/units'
import type { DiskItem } from './disk-stream.ts'
import type { DiskToWrite } from './write-image.ts'

/** What reading looks at. */
const headBytes = 4096

/**
 * `items` of the whole disk as they are; throws UsageError E_UNSUPPORTED in place of the first that shows that a raw file of
 * them at `target` wouldn't be taken for a disk.
 */
export async function* tellableDisk(
  items: AsyncIterable<DiskItem>,
  {
    target,
    contents,
  }: { readonly target: string; readonly contents: Pick<ImageInfo, 'partitionMap' | 'partitions'> },
): AsyncGenerator<DiskItem, undefined> {
  const { partitionMap, partitions } = contents
  const isKnown = partitionMap !== 'none' || partitions.some(({ filesystem }) => filesystem !== null)
  const head = new Uint8Array(headBytes)
  for await (const item of items) {
    if (!isKnown && item.offset < headBytes) {
      if (item.bytes !== null) head.set(item.bytes.subarray(0, headBytes - item.offset), item.offset)
      const passes = passesAsRaw({
        isKnown: isDisk({ partitionMap, whole: null }, head),
        name: basename(target),
        head,
        isWhole: true,
      })
      if (!passes) throw untellable(target)
    }
    yield item
  }
  return undefined
}

/** Throws UsageError E_UNSUPPORTED when the disk's own map, or file system, goes on behind its end. */
export function refuseCutShort(
  target: string,
  { least, sizeBytes }: Pick<DiskToWrite['contents'], 'least' | 'sizeBytes'>,
): void {
  if (!least || sizeBytes === null || least.sizeBytes <= sizeBytes) return
  const problem = `Later, '${target}' would be taken for an image that was cut short.`
  throw new UsageError('E_UNSUPPORTED', `${target} couldn't be read again`, {
    details: {
      input: 'target',
      problem,
      reason: `The disk ends ${formatBytes(least.sizeBytes - sizeBytes)} before what is on it does, and a raw image of it would look as if its end were missing.`,
      hint: 'Write another format, such as UDRO or UDZO.',
    },
  })
}

/** The same of a raw image that was written to `path`, of a disk whose end nobody knew before. */
export async function refuseWrittenShort(target: string, path: string, signal: AbortSignal): Promise<void> {
  await using written = await openFileSource(path)
  const { sizeBytes } = written
  const readDisk = async (offset: number, lengthBytes: number) => {
    const bytes = new Uint8Array(lengthBytes)
    await written.read(bytes, offset, signal)
    return bytes
  }
  const { least } = await readDiskContents(readDisk, sizeBytes, signal)
  refuseCutShort(target, { least, sizeBytes })
}

function untellable(target: string): UsageError {
  const problem = `Later, nothing would tell that '${target}' is a disk.`
  return new UsageError('E_UNSUPPORTED', `${target} couldn't be read again`, {
    details: {
      input: 'target',
      problem,
      reason:
        'The disk has no partition map and no file system that is known, and a raw image has no mark of its own.',
      hint: 'Give it a name that ends in .img, or write another format, such as UDRO.',
    },
  })
}
