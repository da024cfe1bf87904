/** UDIF's "LZMA" runs: in every image seen one whole .xz stream each (LZMA2, dictionary 8 MiB, no check). */
import { corrupt } from './corrupt.ts'
import { loadXz, xzStatus, XzContext } from './xz-wasm.ts'

/** Expand `stored` into all of `into`; the first call of a thread loads the decoder. Throws FormatError E_SRC_CORRUPT. */
export function decodeXzRun(stored: Uint8Array, into: Uint8Array): void | Promise<void> {
  const loading = loadXz()
  if (loading === null) return decode(stored, into)
  return loading.then(() => decode(stored, into))
}

const magic = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]

function decode(stored: Uint8Array, into: Uint8Array): void {
  if (!magic.every((byte, index) => stored[index] === byte)) throw notXz(stored)
  using context = new XzContext()
  let from = 0
  let to = 0
  for (;;) {
    // The last output may need a step without input.
    const starved = context.inputLeft === 0 && from === stored.length
    if (context.inputLeft === 0) from += context.supply(stored, from)
    const { status, bytes } = context.decode()
    if (starved && bytes.length === 0 && status !== xzStatus.streamEnd)
      throw corrupt('lzma', 'the stream is cut off', { field: 'stream', offset: from })
    if (status !== xzStatus.ok && status !== xzStatus.streamEnd)
      throw refused(status, from - context.inputLeft)
    if (to + bytes.length > into.length)
      throw corrupt('lzma', 'the run expands to more than it stands for', {
        field: 'length',
        offset: from - context.inputLeft,
        expected: into.length,
      })
    into.set(bytes, to)
    to += bytes.length
    if (status === xzStatus.streamEnd) break
  }
  const end = from - context.inputLeft
  if (to !== into.length)
    throw corrupt('lzma', 'the run is too short', {
      field: 'length',
      offset: end,
      found: to,
      expected: into.length,
    })
  if (end !== stored.length)
    throw corrupt('lzma', 'bytes after the end of the stream', { field: 'compLength', offset: end })
}

function refused(status: number, offset: number) {
  switch (status) {
    case xzStatus.memory:
    case xzStatus.memoryLimit:
      return corrupt('lzma', 'the dictionary is larger than 64 MiB', { field: 'dictionary size', offset })
    case xzStatus.unsupportedCheck:
    case xzStatus.options:
      return corrupt('lzma', 'a check or filter that disk images do not use', {
        field: 'stream flags',
        offset,
      })
    default:
      return corrupt('lzma', 'the stream is damaged', { field: 'stream', offset })
  }
}

/** The same run type may hold raw LZMA (properties byte below 225, then the dictionary size); none was ever seen. */
function notXz(stored: Uint8Array) {
  const properties = stored[0] ?? 255
  const found = stored.length >= 13 && properties < 225 ? 'raw LZMA' : 'unknown'
  return corrupt('lzma', `the run isn't an .xz stream (${found})`, {
    field: 'codec',
    offset: 0,
    found,
    expected: 'xz',
  })
}
