/**
 * The code's matrix. Symbols of a section are numbered 0 … 255: the first K are the source symbols themselves, number
 * n from K on is the sum over all source symbols j of symbol j / (n + j). That is a Cauchy matrix (x = n, y = j, which never
 * meet), of which every square part can be inverted, so any K different symbols give the section back.
 * Blömer and others: "An XOR-Based Erasure-Resilient Coding Scheme", ICSI TR-95-048, §4, also for the inverse.
 */
import { inverse, logarithm, powerOf } from './galois.ts'

/** Source and repair symbols of one section together. */
export const maxSymbols = 256

/** What source symbol `source` (below K) counts in repair symbol `repair` (K or more). */
export function coefficient(repair: number, source: number): number {
  return inverse(repair ^ source)
}

/**
 * The inverse of the square matrix with a row for each of `repairs` and a column for each of `missing` (as many, all different):
 * row m, column i of the answer, at `m * repairs.length + i`, is what the remainder of repair symbol i counts in missing source m.
 */
export function invertCauchy(repairs: readonly number[], missing: readonly number[]): Uint8Array {
  const size = repairs.length
  const answer = new Uint8Array(size * size)
  // In logarithms: the closed form is products and quotients only.
  const ofRepair = repairs.map((x) => logProduct(missing, x, -1) - logProduct(repairs, x, x))
  const ofMissing = missing.map((y) => logProduct(repairs, y, -1) - logProduct(missing, y, y))
  missing.forEach((y, m) => {
    repairs.forEach((x, i) => {
      const exponent = (ofRepair[i] as number) + (ofMissing[m] as number) - logarithm(x ^ y)
      answer[m * size + i] = powerOf(((exponent % 255) + 255) % 255)
    })
  })
  return answer
}

/** Logarithm of the product of (value + other) over all `others` but `except`. */
function logProduct(others: readonly number[], value: number, except: number): number {
  let sum = 0
  for (const other of others) if (other !== except) sum += logarithm(other ^ value)
  return sum
}
