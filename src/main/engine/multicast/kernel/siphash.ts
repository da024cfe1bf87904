/**
 * SipHash-2-4, the keyed check of every datagram (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), for
 * messages of whole 8-byte words, which all of ours are.
 */
import {
  add32,
  add64,
  constant32,
  constant64,
  extend32,
  get,
  i32,
  i64,
  lessUnsigned32,
  load64,
  rotateLeft64,
  set,
  shiftLeft64,
  store64,
  whileTrue,
  xor64,
  type Code,
  type WasmFunction,
} from './wasm-writer.ts'

const [key, at, length, out, end] = [0, 1, 2, 3, 4] as const
const [v0, v1, v2, v3, word] = [5, 6, 7, 8, 9] as const

const mix = (into: number, other: number, bits: bigint): Code => [
  [get(into), get(other), add64, set(into)],
  [get(other), constant64(bits), rotateLeft64, get(into), xor64, set(other)],
]
const rotate = (local: number, bits: bigint): Code => [get(local), constant64(bits), rotateLeft64, set(local)]

const round: Code = [
  [mix(v0, v1, 13n), rotate(v0, 32n), mix(v2, v3, 16n)],
  [mix(v0, v3, 21n), mix(v2, v1, 17n), rotate(v2, 32n)],
]
const xorInto = (local: number, value: Code): Code => [get(local), value, xor64, set(local)]
const absorb: Code = [xorInto(v3, get(word)), round, round, xorInto(v0, get(word))]
const start = (local: number, keyOffset: number, letters: bigint): Code => [
  [get(key), load64(keyOffset), constant64(letters), xor64, set(local)],
]

/**
 * `siphash(key, message, length, out)`: 16 key bytes, `length` message bytes (a multiple of 8); writes the 8 bytes of
 * the hash in little-endian order, as the paper's test vectors have them.
 */
export const siphash: WasmFunction = {
  name: 'siphash',
  parameters: [i32, i32, i32, i32],
  locals: [i32, i64, i64, i64, i64, i64],
  body: [
    start(v0, 0, 0x736f6d6570736575n),
    start(v1, 8, 0x646f72616e646f6dn),
    start(v2, 0, 0x6c7967656e657261n),
    start(v3, 8, 0x7465646279746573n),
    [get(at), get(length), add32, set(end)],
    whileTrue(
      [get(at), get(end), lessUnsigned32],
      [get(at), load64(0), set(word), absorb, get(at), constant32(8), add32, set(at)],
    ),
    // The last word holds nothing but the length, modulo 256, in its highest byte.
    [get(length), extend32, constant64(56n), shiftLeft64, set(word), absorb],
    xorInto(v2, constant64(0xffn)),
    [round, round, round, round],
    [get(out), get(v0), get(v1), xor64, get(v2), xor64, get(v3), xor64, store64(0)],
  ],
}
