/** A bzip2 encoder for tests: right, small and slow. All codes have the same length. */

export interface Bzip2Options {
  /** 1 to 9: blocks of that many times 100 000 bytes, counted after the first run lengths. */
  readonly level?: number
  /** Fewer bytes of input in each block than that. */
  readonly blockBytes?: number
  /** Length of every code; what the symbols need when left out. */
  readonly codeBits?: number
}

/** `bytes` as one bzip2 stream. */
export function encodeBzip2(
  bytes: Uint8Array,
  { level = 9, blockBytes = 16_384, codeBits }: Bzip2Options = {},
): Uint8Array {
  const bits: number[] = []
  const put = (value: number, count: number) => {
    for (let bit = count - 1; bit >= 0; bit--) bits.push(Math.floor(value / 2 ** bit) % 2)
  }
  const text = (value: string) => {
    for (const character of value) put(character.charCodeAt(0), 8)
  }
  text(`BZh${level}`)
  let streamCrc = 0
  for (let start = 0; start < bytes.length; start += blockBytes) {
    const block = bytes.subarray(start, start + blockBytes)
    const crc = bzip2Crc(block)
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0
    put(0x314159265359, 48)
    put(crc, 32)
    putBlock(put, block, codeBits)
  }
  put(0x177245385090, 48)
  put(streamCrc, 32)
  while (bits.length % 8 !== 0) bits.push(0)
  const out = new Uint8Array(bits.length / 8)
  bits.forEach((bit, index) => (out[index >> 3]! |= bit << (7 - (index & 7))))
  return out
}

function putBlock(
  put: (value: number, count: number) => void,
  block: Uint8Array,
  givenBits: number | undefined,
): void {
  const runs = encodeRuns(block)
  const { last, origin } = transform(runs)
  put(0, 1)
  put(origin, 24)
  const used = [...new Set(last)].sort((a, b) => a - b)
  const sixteens = Array.from({ length: 16 }, (_, high) => used.filter((byte) => byte >> 4 === high))
  for (const bytes of sixteens) put(bytes.length > 0 ? 1 : 0, 1)
  for (const bytes of sixteens)
    if (bytes.length > 0)
      for (let low = 0; low < 16; low++) put(bytes.some((byte) => (byte & 15) === low) ? 1 : 0, 1)

  const symbols = moveToFront(last, used)
  const codeBits = givenBits ?? Math.max(1, Math.ceil(Math.log2(used.length + 2)))
  const groups = Math.ceil(symbols.length / 50)
  put(2, 3)
  put(groups, 15)
  // Tables take turns: each selector is the other one than before, except the first.
  for (let group = 0; group < groups; group++) put(group === 0 ? 0 : 0b10, group === 0 ? 1 : 2)
  for (let table = 0; table < 2; table++) {
    put(codeBits, 5)
    for (let symbol = 0; symbol < used.length + 2; symbol++) put(0, 1)
  }
  for (const symbol of symbols) put(symbol, codeBits)
}

/** Four to 259 equal bytes become four of them and how many more. */
function encodeRuns(bytes: Uint8Array): number[] {
  const out: number[] = []
  for (let at = 0; at < bytes.length;) {
    let length = 1
    while (length < 259 && at + length < bytes.length && bytes[at + length] === bytes[at]) length++
    for (let copy = 0; copy < Math.min(length, 4); copy++) out.push(bytes[at]!)
    if (length >= 4) out.push(length - 4)
    at += length
  }
  return out
}

/** Burrows and Wheeler: the last column of the sorted rotations, and the row of the text itself. */
function transform(text: readonly number[]): { readonly last: number[]; readonly origin: number } {
  const doubled = Buffer.from([...text, ...text])
  const rotation = (start: number) => doubled.subarray(start, start + text.length)
  const rows = text.map((_, start) => start).sort((a, b) => Buffer.compare(rotation(a), rotation(b)) || a - b)
  return { last: rows.map((start) => doubled[start + text.length - 1]!), origin: rows.indexOf(0) }
}

/** Places in a list that moves what was used to its front; place 0 in runs, as digits 1 and 2 of base two. */
function moveToFront(bytes: readonly number[], used: readonly number[]): number[] {
  const list = [...used]
  const symbols: number[] = []
  let zeros = 0
  const flush = () => {
    for (let rest = zeros; rest > 0; rest = (rest - 1) >> 1) symbols.push((rest - 1) & 1)
    zeros = 0
  }
  for (const byte of bytes) {
    const place = list.indexOf(byte)
    list.unshift(...list.splice(place, 1))
    if (place === 0) zeros++
    else {
      flush()
      symbols.push(place + 1)
    }
  }
  flush()
  return [...symbols, used.length + 1]
}

function bzip2Crc(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return ~crc >>> 0
}
