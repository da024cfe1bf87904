/** GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d), in which 2 generates every element but 0. */

/** `powers[n]` is 2^n; twice over, so that the sum of two logarithms needs no modulo. */
const powers = new Uint8Array(510)
const logarithms = new Uint8Array(256)
for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  powers[exponent] = powers[exponent + 255] = value
  logarithms[value] = exponent
  value = value < 128 ? value * 2 : (value * 2) ^ 0x11d
}

/** The product. */
export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : powerOf(logarithm(a) + logarithm(b))
}

/** 1 / a. `a` isn't 0. */
export function inverse(a: number): number {
  return powerOf(255 - logarithm(a))
}

/** n with 2^n = a, 0–254. `a` isn't 0. */
export function logarithm(a: number): number {
  return logarithms[a] as number
}

/** 2^n, n from 0 to 509. */
export function powerOf(n: number): number {
  return powers[n] as number
}
