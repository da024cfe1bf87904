/** The whole disk inside an image, by the plainest means: what faster code must agree with. */
import { openFileSource } from '#engine/block-io'
import { decodeStream, usualPieceBytes } from '#engine/formats/codecs'
import type { OpenImage } from '#engine/formats/image'
import { DiskReader } from '#src/main/engine/formats/image/disk-reader.ts'

const pieceBytes = 1024 * 1024

/** In order, ignored runs as zeros. */
export async function* expandImage({ layout }: Pick<OpenImage, 'layout'>): AsyncGenerator<Uint8Array> {
  if (layout.kind === 'stream') {
    const { signal } = new AbortController()
    let length = 0
    await using file = await openFileSource(layout.path)
    for await (const piece of decodeStream(layout.codec, file, { signal, pieceBytes: usualPieceBytes })) {
      length += piece.length
      yield piece
    }
    yield new Uint8Array((512 - (length % 512)) % 512)
    return
  }
  await using disk = new DiskReader(layout, { open: openFileSource, decodeBudgetBytes: Infinity })
  for (let offset = 0; offset < layout.sizeBytes; offset += pieceBytes)
    yield await disk.read(offset, Math.min(pieceBytes, layout.sizeBytes - offset))
}
