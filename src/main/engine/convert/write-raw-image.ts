/** A disk as it is, byte for byte. Zeros and unused space become holes of the file. */
import type { ReplacementFile } from '#engine/block-io'
import { sectorBytes } from '#shared/units'
import type { DiskItem } from './disk-stream.ts'

/** Write `items`, the whole disk in order. Resolves to its size: whole sectors. */
export async function writeRawImage(
  items: AsyncIterable<DiskItem>,
  file: Pick<ReplacementFile, 'write'>,
  { advance, signal }: { readonly advance: (doneBytes: number) => void; readonly signal: AbortSignal },
): Promise<number> {
  let end = 0
  for await (const { offset, lengthBytes, bytes } of items) {
    if (bytes !== null) await file.write(bytes, offset)
    end = offset + lengthBytes
    advance(end)
    signal.throwIfAborted()
  }
  return Math.ceil(end / sectorBytes) * sectorBytes
}
