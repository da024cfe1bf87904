/**
 * The IV of each block: HMAC-SHA1 over its number (RFC 2104, RFC 3174). Written out because there are two thousand of them in
 * a megabyte, and a call of OpenSSL for each takes longer than to decrypt the block.
 */

/** A round of SHA-1 takes 64 bytes. */
const roundWords = 16
const initial = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
const ipad = 0x36363636
const opad = 0x5c5c5c5c
/** The bit that ends a message, and the lengths in bits of what the two rounds after the key hash. */
const endBit = 0x80000000 | 0
const innerBits = (64 + 4) * 8
const outerBits = (64 + 20) * 8

export class BlockIvs {
  readonly #words = new Int32Array(80)
  readonly #inner = new Int32Array(5)
  readonly #outer = new Int32Array(5)
  readonly #digest = new Int32Array(5)

  /** `key`: at most 64 bytes. */
  constructor(key: Uint8Array) {
    const padded = new Uint8Array(roundWords * 4)
    padded.set(key)
    const view = new DataView(padded.buffer)
    for (const [pad, state] of [[ipad, this.#inner] as const, [opad, this.#outer] as const]) {
      for (let word = 0; word < roundWords; word++) this.#words[word] = view.getInt32(word * 4) ^ pad
      sha1Round(initial, this.#words, state)
    }
  }

  /** XOR the IV of block number `block`, an unsigned 32-bit number as stored, into the 16 bytes at `at`. */
  xorInto(block: number, bytes: Uint8Array, at: number): void {
    const words = this.#words
    const digest = this.#digest
    words.fill(0, 0, roundWords)
    words[0] = block
    words[1] = endBit
    words[15] = innerBits
    sha1Round(this.#inner, words, digest)
    words.fill(0, 0, roundWords)
    words.set(digest)
    words[5] = endBit
    words[15] = outerBits
    sha1Round(this.#outer, words, digest)
    for (let word = 0, to = at; word < 4; word++, to += 4) {
      const value = digest[word] as number
      bytes[to] = (bytes[to] as number) ^ (value >>> 24)
      bytes[to + 1] = (bytes[to + 1] as number) ^ ((value >>> 16) & 0xff)
      bytes[to + 2] = (bytes[to + 2] as number) ^ ((value >>> 8) & 0xff)
      bytes[to + 3] = (bytes[to + 3] as number) ^ (value & 0xff)
    }
  }
}

/** The state after 16 more `words`; the other 64 are its scratch. `state` and `into` may be the same. */
function sha1Round(state: Int32Array, words: Int32Array, into: Int32Array): void {
  for (let index = roundWords; index < 80; index++) {
    const word =
      (words[index - 3] as number) ^
      (words[index - 8] as number) ^
      (words[index - 14] as number) ^
      (words[index - 16] as number)
    words[index] = (word << 1) | (word >>> 31)
  }
  const h0 = state[0] as number
  const h1 = state[1] as number
  const h2 = state[2] as number
  const h3 = state[3] as number
  const h4 = state[4] as number
  let a = h0
  let b = h1
  let c = h2
  let d = h3
  let e = h4
  // Four loops that differ in one line: a function for it would be called 80 times a round.
  for (let index = 0; index < 20; index++) {
    const next =
      (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + 0x5a827999 + (words[index] as number)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let index = 20; index < 40; index++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + (words[index] as number)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let index = 40; index < 60; index++) {
    const next =
      (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + e + 0x8f1bbcdc + (words[index] as number)) |
      0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let index = 60; index < 80; index++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0xca62c1d6 + (words[index] as number)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  into[0] = (h0 + a) | 0
  into[1] = (h1 + b) | 0
  into[2] = (h2 + c) | 0
  into[3] = (h3 + d) | 0
  into[4] = (h4 + e) | 0
}
