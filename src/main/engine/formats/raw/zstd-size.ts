/** The expanded size of a .zst file, when its frames state it (RFC 8878 §3.1). Block headers are hopped over. */
import type { BlockSource } from '#engine/block-io'
import { corrupt } from '#engine/formats/struct'

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
/** Each costs a small read; a file with more than these expands to 4 GiB or so and is asked for nothing. */
const maxBlocks = 32_768

export interface ZstdSizeOptions {
  readonly signal?: AbortSignal | undefined
  /** Further than this into the file nothing is read. A frame's own number isn't enough: another one may follow. */
  readonly mostBytes?: number
}

/**
 * Bytes of the file expanded; null when a frame doesn't state its size or there are too many blocks to hop over. Throws
 * `FormatError` when the file ends inside a frame.
 */
export async function readZstdSize(
  source: BlockSource,
  { signal, mostBytes = Infinity }: ZstdSizeOptions = {},
): Promise<number | null> {
  let at = 0
  let total = 0
  let reads = 0
  let hasFrame = false
  const isTooFar = () => reads >= maxBlocks || at > mostBytes
  const read = async (length: number) => {
    if (at + length > source.sizeBytes)
      throw corrupt({
        format: 'zstd',
        field: 'block',
        offset: source.sizeBytes,
        cutShort: true,
      })
    const bytes = Buffer.alloc(length)
    await source.read(bytes, at, signal)
    at += length
    reads++
    return bytes
  }
  const areZeros = async (length: number) => {
    const bytes = Buffer.alloc(length)
    await source.read(bytes, at, signal)
    return bytes.every((byte) => byte === 0)
  }

  for (;;) {
    if (at === source.sizeBytes) return total
    if (isTooFar()) return null
    const magicAt = at
    const left = source.sizeBytes - at
    if (hasFrame && left > 0 && left < 4 && (await areZeros(left))) return total
    const magic = (await read(4)).readUInt32LE(0)
    // Copies from a medium end in zeros. Whether anything comes behind them the decoder sees.
    if (hasFrame && magic === 0) return total
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      const length = (await read(4)).readUInt32LE(0)
      at += length
      continue
    }
    if (magic !== frameMagic)
      throw corrupt({
        format: 'zstd',
        field: 'frame.magic',
        offset: magicAt,
        found: magic,
        expected: frameMagic,
      })
    hasFrame = true
    const { contentBytes, hasChecksum } = await readFrameHeader(read)
    if (contentBytes === null) return null
    total += contentBytes
    if (total > Number.MAX_SAFE_INTEGER) return null
    for (let last = false; !last;) {
      if (isTooFar()) return null
      const header = (await read(3)).readUIntLE(0, 3)
      last = (header & 1) === 1
      const type = (header >> 1) & 3
      if (type === 3)
        throw corrupt({ format: 'zstd', field: 'block.type', offset: at - 3, found: 3, expected: '0 to 2' })
      at += type === 1 ? 1 : header >> 3
    }
    if (hasChecksum) at += 4
  }
}

async function readFrameHeader(read: (length: number) => Promise<Buffer>) {
  const descriptor = (await read(1)).readUInt8(0)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const rest = await read((isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes)
  const field = rest.subarray(rest.length - sizeBytes)
  const contentBytes =
    sizeBytes === 0
      ? null
      : sizeBytes === 8
        ? Number(field.readBigUInt64LE(0))
        : field.readUIntLE(0, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  return { contentBytes, hasChecksum: (descriptor & 4) !== 0 }
}
