/**
 * LZVN: bytes and copies of earlier bytes, byte-aligned; the block that LZFSE uses for little data (docs/formats/lzfse.md).
 * L bytes follow the token as they are, then M bytes are copied from D back; a token without D uses the last one.
 *
 *   LLMMMDDD DDDDDDDD                 M + 3, D of 11 bits, high bits first        DDD below 6
 *   LLMMM110                          M + 3, the last D                           L > 0
 *   LLMMM111 DDDDDDDD DDDDDDDD        M + 3, D of 16 bits, little-endian
 *   101LLMMM DDDDDDMM DDDDDDDD        M + 3, D of 14 bits, little-endian; M's low bits in the second byte
 *   1110LLLL / 11100000 LLLLLLLL      L, or L + 16; no copy
 *   1111MMMM / 11110000 MMMMMMMM      M, or M + 16, the last D
 *   00001110 / 00010110               nothing
 *   00000110 and seven zeros          the end
 */
import { corrupt } from './corrupt.ts'

/**
 * Expand the tokens in `stored` from `from` to `payloadEnd` into `into` from `to` to `end`, both exactly. Copies may
 * reach back to the start of `into`. Throws FormatError E_SRC_CORRUPT.
 */
export function decodeLzvn(
  stored: Uint8Array,
  from: number,
  payloadEnd: number,
  into: Uint8Array,
  to: number,
  end: number,
): void {
  let distance = 0
  for (;;) {
    const token = from
    // The longest token takes 3 bytes, and the end mark, 8 bytes long, always follows: so all of one is there.
    if (payloadEnd - from < 8) throw corrupt('lzfse', 'no end mark', { field: 'lzvn end', offset: token })
    const first = stored[from] ?? 0
    let literals: number
    let copied: number
    if (first >= 0xe0) {
      let length = first & 0x0f
      from += 1
      if (length === 0) length = (stored[from++] ?? 0) + 16
      literals = first < 0xf0 ? length : 0
      copied = first < 0xf0 ? 0 : length
    } else if ((first & 0xe0) === 0xa0) {
      const second = stored[from + 1] ?? 0
      literals = (first >> 3) & 3
      copied = (((first & 7) << 2) | (second & 3)) + 3
      distance = (second >> 2) | ((stored[from + 2] ?? 0) << 6)
      from += 3
    } else {
      literals = first >> 6
      copied = ((first >> 3) & 7) + 3
      const low = first & 7
      // 0111xxxx and 1101xxxx would be tokens of this shape, but are not in use.
      if ((first & 0xf0) === 0x70 || (first & 0xf0) === 0xd0) throw unknownToken(first, token)
      if (low === 6) {
        from += 1
        if (literals === 0) {
          if (first === 0x06) break
          if (first === 0x0e || first === 0x16) continue
          throw unknownToken(first, token)
        }
      } else if (low === 7) {
        distance = (stored[from + 1] ?? 0) | ((stored[from + 2] ?? 0) << 8)
        from += 3
      } else {
        distance = (low << 8) | (stored[from + 1] ?? 0)
        from += 2
      }
    }
    if (literals > payloadEnd - from)
      throw corrupt('lzfse', 'literals are cut off', { field: 'lzvn literals', offset: token })
    if (literals + copied > end - to)
      throw corrupt('lzfse', 'a block expands to more than it says', { field: 'n_raw_bytes', offset: token })
    for (const stop = to + literals; to < stop;) into[to++] = stored[from++] ?? 0
    if (copied === 0) continue
    if (distance === 0 || distance > to)
      throw corrupt('lzfse', 'a copy from before the start', {
        field: 'lzvn distance',
        offset: token,
        found: distance,
        expected: `1 to ${to}`,
      })
    for (let source = to - distance, stop = to + copied; to < stop;) into[to++] = into[source++] ?? 0
  }
  if (payloadEnd - from !== 7)
    throw corrupt('lzfse', 'bytes after the end mark of a block', {
      field: 'n_payload_bytes',
      offset: from + 7,
    })
  for (; from < payloadEnd; from++)
    if (stored[from] !== 0) throw corrupt('lzfse', 'a damaged end mark', { field: 'lzvn end', offset: from })
  if (to !== end)
    throw corrupt('lzfse', 'a block expands to less than it says', {
      field: 'n_raw_bytes',
      offset: payloadEnd,
    })
}

const unknownToken = (found: number, offset: number) =>
  corrupt('lzfse', 'a token that means nothing', { field: 'lzvn token', offset, found })
