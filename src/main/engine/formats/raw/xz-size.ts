/** The expanded size of an .xz file, from the indexes at the ends of its streams (xz file format 1.2, §2.1.2 and §4). */
import { crc32 } from 'node:zlib'
import type { BlockSource } from '#engine/block-io'
import { corrupt } from '#engine/formats/struct'

const headerBytes = 12
const footerBytes = 12
/** An index has a few bytes a block, and blocks have megabytes. A larger one isn't worth reading. */
const maxIndexBytes = 16 * 1024 * 1024
const maxStreams = 4096

/**
 * Bytes of the file expanded; null when finding out would take long. Throws `FormatError` when the file isn't complete:
 * its end says so, and that is much better known before a disk is erased.
 */
export async function readXzSize(source: BlockSource, signal?: AbortSignal): Promise<number | null> {
  let end = source.sizeBytes
  let total = 0
  for (let streams = 0; end > 0; streams++) {
    if (streams === maxStreams) return null
    end = await skipPadding(source, end, signal)
    const footerAt = end - footerBytes
    const footer = footerAt < headerBytes ? null : await readPart(source, footerAt, footerBytes, signal)
    if (footer === null || footer.toString('latin1', 10) !== 'YZ')
      throw problem('footer.magic', Math.max(0, footerAt), footer?.toString('hex', 10) ?? 'nothing', 'YZ')
    if (crc32(footer.subarray(4, 10)) !== footer.readUInt32LE(0))
      throw problem('footer.crc32', footerAt, footer.readUInt32LE(0), crc32(footer.subarray(4, 10)))
    const indexBytes = (footer.readUInt32LE(4) + 1) * 4
    const indexAt = footerAt - indexBytes
    if (indexAt < headerBytes)
      throw problem('footer.backwardSize', footerAt + 4, indexBytes, `at most ${footerAt}`)
    if (indexBytes > maxIndexBytes) return null
    const index = await readPart(source, indexAt, indexBytes, signal)
    const { storedBytes, expandedBytes } = parseIndex(index, indexAt)
    const start = indexAt - storedBytes - headerBytes
    if (start < 0)
      throw problem('index.unpaddedSize', indexAt, storedBytes, `at most ${indexAt - headerBytes}`)
    const magic = (await readPart(source, start, 6, signal)).toString('hex')
    if (magic !== 'fd377a585a00') throw problem('header.magic', start, magic, 'fd377a585a00')
    total += expandedBytes
    if (total > Number.MAX_SAFE_INTEGER)
      throw problem('index.uncompressedSize', indexAt, total, 'a smaller sum')
    end = start
  }
  return total
}

/** Streams may be followed by zeros, four at a time. */
async function skipPadding(source: BlockSource, end: number, signal?: AbortSignal): Promise<number> {
  const block = 65_536
  for (let at = end; at > 0; at -= block) {
    const length = Math.min(block, at)
    const bytes = await readPart(source, at - length, length, signal)
    for (let last = length - 1; last >= 0; last--)
      // A footer ends in 'Z', so that zeros are never part of it.
      if (bytes[last] !== 0) return Math.min(end, at - length + last + 1)
  }
  return 0
}

function parseIndex(index: Buffer, offset: number): { storedBytes: number; expandedBytes: number } {
  const body = index.subarray(0, -4)
  if (index[0] !== 0 || crc32(body) !== index.readUInt32LE(index.length - 4))
    throw problem('index.crc32', offset, index.readUInt32LE(index.length - 4), crc32(body))
  let at = 1
  const integer = () => {
    let value = 0
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = body[at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw problem('index.records', offset, 'a number that does not end', 'a number')
  }
  const records = integer()
  let storedBytes = 0
  let expandedBytes = 0
  for (let record = 0; record < records; record++) {
    storedBytes += Math.ceil(integer() / 4) * 4
    expandedBytes += integer()
  }
  return { storedBytes, expandedBytes }
}

async function readPart(source: BlockSource, offset: number, lengthBytes: number, signal?: AbortSignal) {
  const bytes = Buffer.alloc(lengthBytes)
  await source.read(bytes, offset, signal)
  return bytes
}

function problem(field: string, offset: number, found: number | string, expected: number | string) {
  // Nearly always a file that was cut off.
  const cutShort = field === 'footer.magic'
  return corrupt({ format: 'xz', field, offset, found, expected, cutShort })
}
