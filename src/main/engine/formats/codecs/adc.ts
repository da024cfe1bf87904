/**
 * Apple Data Compression: bytes and copies of earlier bytes, no header, no end mark, no checksum (docs/formats/adc.md).
 * The first byte of each token says which of three it is:
 *
 *   1LLLLLLL  bytes…               L + 1 bytes follow as they are           1..128 bytes
 *   00LLLLDD  DDDDDDDD             copy L + 3 bytes from D + 1 back         3..18 bytes, up to 1024 back
 *   01LLLLLL  DDDDDDDD  DDDDDDDD   copy L + 4 bytes from D + 1 back         4..67 bytes, up to 65536 back
 */
import { corrupt } from './corrupt.ts'

/** Expand `stored` into all of `into`. Throws FormatError E_SRC_CORRUPT. */
export function decodeAdc(stored: Uint8Array, into: Uint8Array): void {
  const storedEnd = stored.length
  const end = into.length
  let from = 0
  let to = 0
  while (from < storedEnd) {
    const token = from
    const first = stored[from] ?? 0
    let length: number
    if (first >= 0x80) {
      length = (first & 0x7f) + 1
      from += 1
      if (from + length > storedEnd) throw truncated(token)
      if (to + length > end) throw tooLong(token, end)
      for (const stop = from + length; from < stop;) into[to++] = stored[from++] ?? 0
      continue
    }
    let distance: number
    if (first >= 0x40) {
      if (from + 3 > storedEnd) throw truncated(token)
      length = (first & 0x3f) + 4
      distance = (((stored[from + 1] ?? 0) << 8) | (stored[from + 2] ?? 0)) + 1
      from += 3
    } else {
      if (from + 2 > storedEnd) throw truncated(token)
      length = ((first >> 2) & 0x0f) + 3
      distance = (((first & 3) << 8) | (stored[from + 1] ?? 0)) + 1
      from += 2
    }
    if (distance > to)
      throw corrupt('adc', 'a copy from before the start', {
        field: 'distance',
        offset: token,
        found: distance,
        expected: `at most ${to}`,
      })
    if (to + length > end) throw tooLong(token, end)
    // Byte by byte: source and copy may overlap, which repeats a pattern.
    for (let source = to - distance, stop = to + length; to < stop;) into[to++] = into[source++] ?? 0
  }
  if (to !== end)
    throw corrupt('adc', 'the run is too short', { field: 'length', offset: from, found: to, expected: end })
}

const truncated = (offset: number) => corrupt('adc', 'a token is cut off', { field: 'token', offset })

const tooLong = (offset: number, expected: number) =>
  corrupt('adc', 'the run expands to more than it stands for', { field: 'length', offset, expected })
