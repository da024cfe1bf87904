/** Which compression a file begins with. Its name doesn't matter. */
import type { StreamCodec } from '#engine/formats/extents'

/** First bytes in hex, a dot for any digit. */
const beginnings: readonly (readonly [StreamCodec, RegExp])[] = [
  ['gzip', /^1f8b08/], // RFC 1952 §2.3.1; 8: deflate, the only method
  ['xz', /^fd377a585a00/], // xz file format 1.2 §2.1.1.1
  ['bzip2', /^425a683[1-9](314159265359|177245385090)/], // "BZh", block size, then π (a block) or √π (the end)
  ['zstd', /^28b52ffd/], // RFC 8878 §3.1.1
  ['zstd', /^5[0-9a-f]2a4d18/], // a skippable frame first: pzstd and seekable files do that
]

/** The codec of a file with this head (at least 10 bytes, or the whole file); null when it isn't compressed. */
export function sniffStreamCodec(head: Uint8Array): StreamCodec | null {
  const hex = Buffer.from(head.subarray(0, 10)).toString('hex')
  return beginnings.find(([, beginning]) => beginning.test(hex))?.[0] ?? null
}
