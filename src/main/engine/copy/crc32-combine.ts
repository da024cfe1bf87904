/**
 * The CRC-32 of two stretches together, from the CRC-32 of each, without looking at the bytes again. A CRC is the
 * remainder of a division of polynomials over GF(2); appending n bytes multiplies it by x^(8n) modulo the polynomial.
 * The idea is zlib's `crc32_combine` (Mark Adler); bit 31 of a word is x^0, as the reflected CRC has it.
 */

const polynomial = 0xedb88320

/** a · b modulo the polynomial. */
function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ polynomial
  }
  return product >>> 0
}

/** x^(2^i), for i from 0 to 63. */
const powers: readonly number[] = (() => {
  const table = [0x40000000]
  for (let index = 1; index < 64; index++) {
    const last = table[index - 1] ?? 0
    table.push(multiply(last, last))
  }
  return table
})()

/** Last answer: the stretches are nearly always of the same length. */
let knownBytes = -1
let knownFactor = 0

/** x^(8 · lengthBytes) modulo the polynomial. */
function factorOf(lengthBytes: number): number {
  if (lengthBytes === knownBytes) return knownFactor
  let factor = 0x80000000
  let left = lengthBytes
  for (let index = 3; left > 0; index++) {
    if (left % 2 === 1) factor = multiply(powers[index] ?? 0, factor)
    left = Math.floor(left / 2)
  }
  knownBytes = lengthBytes
  knownFactor = factor
  return factor
}

/** CRC-32 of the bytes of `first` followed by `secondBytes` bytes whose own CRC-32 is `second`. */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(factorOf(secondBytes), first) ^ second) >>> 0
}

/** CRC-32 after `lengthBytes` zeros. */
export function appendZeros(crc: number, lengthBytes: number): number {
  // The CRC starts from and ends with all ones: take them off, multiply, put them back.
  return (multiply(factorOf(lengthBytes), ~crc >>> 0) ^ 0xffffffff) >>> 0
}
