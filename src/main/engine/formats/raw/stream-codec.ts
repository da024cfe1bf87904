/** Which compression a file begins with. Its name doesn't matter. */
import type { StreamCodec } from '#engine/formats/extents'

const magics: readonly (readonly [StreamCodec, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]], // RFC 1952 §2.3.1; 8: deflate, the only method
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]], // xz file format 1.2 §2.1.1.1
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]], // RFC 8878 §3.1.1
]

/** The codec of a file with this head (at least 10 bytes, or the whole file); null when it isn't compressed. */
export function sniffStreamCodec(head: Uint8Array): StreamCodec | null {
  for (const [codec, magic] of magics) if (magic.every((byte, index) => head[index] === byte)) return codec
  const text = Buffer.from(head.subarray(0, 10)).toString('latin1')
  // "BZh", the block size, and the magic of a block or of the end: π or √π in BCD.
  if (/^BZh[1-9](1AY&SY|\x17rE8P\x90)/.test(text)) return 'bzip2'
  // zstd may begin with skippable frames; pzstd and seekable files do.
  return /^[\x50-\x5f]\x2a\x4d\x18/.test(text) ? 'zstd' : null
}
