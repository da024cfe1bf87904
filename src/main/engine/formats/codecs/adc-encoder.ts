/** Writes Apple Data Compression, the codec of UDCO images: the tokens that `adc.ts` describes. */
import { MatchFinder } from './match-finder.ts'

const longest = 67
const finder = new MatchFinder()

/**
 * `run` as ADC, written into `into`; the number of bytes, or null when they don't fit. Scratch memory is the thread's:
 * calls don't overlap.
 */
export function encodeAdc(run: Uint8Array, into: Uint8Array): number | null {
  finder.begin(run, { maxDistance: 65_536, depth: 24, niceBytes: longest })
  const bytes = finder.bytes
  let to = 0
  let literal = 0
  const takeLiterals = (end: number): boolean => {
    while (literal < end) {
      const count = Math.min(128, end - literal)
      if (to + 1 + count > into.length) return false
      into[to++] = 0x7f + count
      for (const stop = literal + count; literal < stop;) into[to++] = bytes[literal++] as number
    }
    return true
  }
  let at = 0
  let length = at < run.length ? finder.find(at, Math.min(longest, run.length - at)) : 0
  while (at < run.length) {
    const { distance } = finder
    const limit = Math.min(longest, run.length - at - 1)
    const next = at + 1 < run.length ? finder.find(at + 1, limit) : 0
    // Worth it, unless a better one begins with the next byte.
    if (length === 0 || next > length) {
      at += 1
      length = next
      continue
    }
    if (!takeLiterals(at) || to + 3 > into.length) return null
    const back = distance - 1
    if (length <= 18 && back < 1024) into[to++] = ((length - 3) << 2) | (back >> 8)
    else {
      into[to++] = 0x40 | (length - 4)
      into[to++] = back >> 8
    }
    into[to++] = back & 0xff
    const end = at + length
    for (at += 2; at < end; at++) finder.insert(at)
    at = end
    literal = end
    length = at < run.length ? finder.find(at, Math.min(longest, run.length - at)) : 0
  }
  return takeLiterals(run.length) ? to : null
}
