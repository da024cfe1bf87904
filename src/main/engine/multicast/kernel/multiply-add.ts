/**
 * The inner loop of the erasure code: rows of bytes, each times its coefficient in GF(2^8), added up. Sixteen bytes at a
 * time: a product by a fixed coefficient is two look-ups of four bits each, which is one `swizzle` each
 * (Plank, Greenan, Miller: "Screaming Fast Galois Field Arithmetic Using Intel SIMD Instructions", FAST 2013).
 */
import {
  add32,
  and32,
  andVector,
  constant32,
  get,
  i32,
  lessUnsigned32,
  load8,
  loadVector,
  set,
  shiftLeft32,
  shiftRight8,
  splat8,
  storeVector,
  swizzle,
  v128,
  whenTrue,
  whileTrue,
  xorVector,
  type Code,
  type WasmFunction,
} from './wasm-writer.ts'

const [target, source, stride, rows, coefficients, length] = [0, 1, 2, 3, 4, 5] as const
const [table, at, end, low, high, bytes, coefficientsEnd] = [6, 7, 8, 9, 10, 11, 12] as const

const advance = (local: number, by: Code): Code => [get(local), by, add32, set(local)]

/** target[at + step] ^= low[source & 15] ^ high[source >> 4], sixteen bytes. `at` runs over the target. */
const multiplySixteen = (step: number): Code => [
  [get(source), get(at), add32, loadVector(step), set(bytes)],
  [get(target), get(at), add32],
  [get(target), get(at), add32, loadVector(step)],
  [get(low), get(bytes), splat8(15), andVector, swizzle],
  [get(high), get(bytes), constant32(4), shiftRight8, swizzle],
  [xorVector, xorVector, storeVector(step)],
]

/**
 * `combine(target, source, stride, rows, coefficients, length)`: for each of `rows` rows, `stride` bytes apart from `source`,
 * add its product with the next byte at `coefficients` to the `length` bytes at `target`. `length` is a multiple of 16.
 * Products are looked up at `coefficient * 32`: sixteen products with the low four bits, sixteen with the high four.
 */
export const combine: WasmFunction = {
  name: 'combine',
  parameters: [i32, i32, i32, i32, i32, i32],
  locals: [i32, i32, i32, v128, v128, v128, i32],
  body: [
    [get(coefficients), get(rows), add32, set(coefficientsEnd)],
    whileTrue(
      [get(coefficients), get(coefficientsEnd), lessUnsigned32],
      [
        [get(coefficients), load8(0), constant32(5), shiftLeft32, set(table)],
        // A coefficient of 0 is a row that isn't there.
        whenTrue(
          [get(table)],
          [
            [get(table), loadVector(0), set(low), get(table), loadVector(16), set(high)],
            [constant32(0), set(at)],
            [get(length), constant32(-64), and32, set(end)],
            whileTrue(
              [get(at), get(end), lessUnsigned32],
              [[0, 16, 32, 48].map(multiplySixteen), advance(at, constant32(64))],
            ),
            whileTrue(
              [get(at), get(length), lessUnsigned32],
              [multiplySixteen(0), advance(at, constant32(16))],
            ),
          ],
        ),
        advance(source, get(stride)),
        advance(coefficients, constant32(1)),
      ],
    ),
  ],
}
