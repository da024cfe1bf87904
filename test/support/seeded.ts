/** Chance that comes out the same on every run: mulberry32 (Tommy Ettinger, public domain algorithm). */

export interface SeededRandom {
  /** From 0 up to but not 1. */
  fraction(): number
  /** A whole number from 0 up to but not `limit`. */
  below(limit: number): number
  chance(probability: number): boolean
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    fraction,
    below: (limit) => Math.floor(fraction() * limit),
    chance: (probability) => probability > 0 && fraction() < probability,
  }
}

export function seededBytes(random: SeededRandom, lengthBytes: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: lengthBytes }, () => random.below(256))
}
