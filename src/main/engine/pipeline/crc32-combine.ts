/**
 * CRC-32 without the bytes: of zeros, however many, and of two stretches from the CRC-32 of each, in time that grows
 * with the logarithm of their length.
 *
 * A CRC register is a polynomial over GF(2), modulo the CRC's own; in the reflected form that zlib uses, bit 31 stands
 * for x⁰. Feeding a zero byte multiplies the register by x⁸, so feeding n of them multiplies it by x⁸ⁿ, which squaring
 * finds in log₂ n steps. The register begins as all ones and is complemented at the end (ISO 3309).
 */

const polynomial = 0xedb88320
const one = 0x80000000

/** a · b modulo the polynomial. */
function multiply(a: number, b: number): number {
  let product = 0
  let power = b
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= power
    power = (power & 1) === 0 ? power >>> 1 : (power >>> 1) ^ polynomial
  }
  return product >>> 0
}

/** `squares[i]` is x to the 2ⁱ. Enough for any length in bits below 2⁵⁶. */
const squares: readonly number[] = Array.from({ length: 56 }).reduce<number[]>((found) => {
  const last = found.at(-1)
  found.push(last === undefined ? one >>> 1 : multiply(last, last))
  return found
}, [])

/** x to the 8·`bytes`. */
function powerOfBytes(bytes: number): number {
  let power = one
  for (let left = bytes, index = 3; left > 0; left = Math.floor(left / 2), index++)
    if (left % 2 === 1) power = multiply(power, squares[index] ?? 0)
  return power
}

/** CRC-32 of what `crc` is of, followed by `lengthBytes` zeros. 0 is the CRC-32 of nothing. */
export function appendZeros(crc: number, lengthBytes: number): number {
  return ~multiply(~crc >>> 0, powerOfBytes(lengthBytes)) >>> 0
}

/** CRC-32 of two stretches in a row: `second` is that of the `secondBytes` bytes that follow those of `first`. */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(first, powerOfBytes(secondBytes)) ^ second) >>> 0
}
