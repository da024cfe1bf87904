/** Which checksum a compressed stream carries of what it holds. */
import type { BlockSource } from '#engine/block-io'
import type { StreamCodec } from '#engine/formats/extents'
import { unreachable } from '#shared/errors'

/** Check IDs of the .xz format, 1.2, §2.1.1.2, that the decoder compares: one with another isn't read at all. */
const xzChecks: { readonly [id: number]: string } = { 1: 'CRC-32', 4: 'CRC-64' }

/** Its name; null where the stream was written without; undefined where its head doesn't say. Reads the head of the file. */
export async function readStreamChecksum(
  source: BlockSource,
  codec: StreamCodec,
  signal?: AbortSignal,
): Promise<string | null | undefined> {
  // Always there: RFC 1952 §2.3.1, and the block and stream CRCs of bzip2.
  if (codec === 'gzip' || codec === 'bzip2') return 'CRC-32'
  const head = new Uint8Array(Math.min(8, source.sizeBytes))
  await source.read(head, 0, signal)
  switch (codec) {
    case 'xz':
      // Magic (6), a zero, then the check's ID in the low four bits.
      return xzChecks[(head[7] ?? 0) & 0x0f] ?? null
    case 'zstd':
      // RFC 8878 §3.1.1.1.1: bit 2 of the byte after the magic. A file that begins with a skippable frame isn't asked.
      if (head[0] !== 0x28) return undefined
      return ((head[4] ?? 0) & 0x04) === 0 ? null : 'XXH64'
    default:
      return unreachable(codec)
  }
}
