/**
 * The disk inside the source, item by item: checked against the source's own checksums and its stated size on the way, so
 * that a damaged image is never turned into one that says it is whole.
 */
import type { ImageLayout } from '#engine/formats/extents'
import type { RememberedImage } from '#engine/formats/image'
import { badRangeError, createDiskChecker, type BlockStream } from '#engine/pipeline'
import { FormatError } from '#shared/errors'
import { publicLocator } from '#shared/model'

/** A stretch of the disk; `bytes` null where there are none. Valid until the next is asked for. */
export interface DiskItem {
  readonly kind: 'data' | 'zero' | 'unused'
  readonly offset: number
  readonly lengthBytes: number
  readonly bytes: Uint8Array | null
}

/**
 * All items in order. Throws FormatError E_SRC_CORRUPT for what contradicts the image's checksums or its size, and what
 * the stream throws.
 */
export async function* diskItems(
  stream: BlockStream,
  layout: ImageLayout,
  path: string,
): AsyncGenerator<DiskItem, undefined> {
  const checker = layout.kind === 'extents' ? createDiskChecker(layout) : null
  const { sizeBytes } = layout
  let told = 0
  for (let item = await stream.next(); item !== null; item = await stream.next()) {
    const { kind, offset } = item
    const lengthBytes = item.kind === 'data' ? item.bytes.length : item.lengthBytes
    told = offset + lengthBytes
    if (sizeBytes !== null && told > sizeBytes) throw wrongSize(path, sizeBytes, told)
    if (item.kind !== 'data') {
      const bad = checker?.[item.kind](offset, lengthBytes)
      if (bad) throw badRangeError(bad, path)
      yield { kind, offset, lengthBytes, bytes: null }
      continue
    }
    try {
      const bad = checker?.data(offset, item.bytes)
      if (bad) throw badRangeError(bad, path)
      yield { kind, offset, lengthBytes, bytes: item.bytes }
    } finally {
      item.release()
    }
  }
  const bad = checker?.finish()
  if (bad) throw badRangeError(bad, path)
  // The last sector may be completed with zeros.
  if (sizeBytes !== null && told <= sizeBytes - 512) throw wrongSize(path, sizeBytes, told)
  return undefined
}

/**
 * All items, and in the end, before the target gets its name: nobody wrote to the source meanwhile. Damage that shows after somebody did
 * is told as that, E_SRC_CHANGED.
 */
export async function* thenCheck(
  items: AsyncIterable<DiskItem>,
  files: RememberedImage,
): AsyncGenerator<DiskItem> {
  try {
    yield* items
  } catch (error) {
    throw await files.explain(error)
  }
  await files.checkUnchanged()
}

function wrongSize(path: string, expected: number, found: number): FormatError {
  const shown = publicLocator(path)
  return new FormatError('E_SRC_CORRUPT', `${shown} holds another size than it says`, {
    details: {
      format: 'image',
      field: 'size',
      offset: Math.min(expected, found),
      expected,
      found,
      path: shown,
    },
  })
}
