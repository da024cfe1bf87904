/**
 * "block-checksum-2", MediaKit's: for every big-endian 32-bit word w of the data, sum = w + (sum rotated left by one bit), modulo
 * 2^32 (docs/formats/asr-scan.md). A sector of zeros rotates 128 times, which is not at all: zeros and unused sectors don't
 * count, wherever they lie.
 */
const isLittle = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

/** The checksum of what `sum` stands for, followed by `bytes`: whole words, at a place in memory that is a multiple of four. */
export function addToBlockChecksum(sum: number, bytes: Uint8Array): number {
  const words =
    bytes.byteOffset % 4 === 0
      ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
      : new Uint32Array(Uint8Array.from(bytes).buffer)
  let value = sum | 0
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as number
    const big = isLittle ? swap(word) : word
    value = (big + ((value << 1) | (value >>> 31))) | 0
  }
  return value >>> 0
}

const swap = (word: number) =>
  ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
