/** An ADC encoder for tests and measurements: literals, short copies and long ones, as src's decoder describes them. */
import { findTriples } from '#test/encode-lzfse'

/** `bytes` as ADC tokens. */
export function encodeAdc(bytes: Uint8Array): Uint8Array {
  const out: Uint8Array[] = []
  let at = 0
  for (const { literals, copied, distance } of findTriples(bytes, {
    literals: 128,
    copied: 67,
    distance: 65_536,
    shortest: 4,
  })) {
    if (literals > 0) out.push(Uint8Array.from([0x7f + literals]), bytes.subarray(at, at + literals))
    const back = distance - 1
    if (copied > 0 && copied <= 18 && back < 1024)
      out.push(Uint8Array.from([((copied - 3) << 2) | (back >> 8), back & 0xff]))
    else if (copied > 0) out.push(Uint8Array.from([0x40 | (copied - 4), back >> 8, back & 0xff]))
    at += literals + copied
  }
  return Buffer.concat(out)
}
