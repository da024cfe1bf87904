/** UDIF's "LZMA" runs: in every image seen one whole .xz stream each (LZMA2, dictionary 8 MiB, no check). */
import { corrupt } from './corrupt.ts'
import { explainXz, loadXz, xzStatus, XzContext } from './xz-wasm.ts'

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
    if (context.inputLeft === 0) from += context.supply(stored, from)
    const { status, bytes } = context.decode()
    if (to + bytes.length > into.length)
      throw corrupt('lzma', 'the run expands to more than it stands for', {
        field: 'length',
        offset: from - context.inputLeft,
        expected: into.length,
      })
    into.set(bytes, to)
    to += bytes.length
    if (status === xzStatus.end) break
    if (status !== xzStatus.ok) {
      const { message, field, offset } = explainXz(status, from - context.inputLeft)
      throw corrupt('lzma', message, { field, offset })
    }
  }
  if (to !== into.length)
    throw corrupt('lzma', 'the run is too short', {
      field: 'length',
      offset: stored.length,
      found: to,
      expected: into.length,
    })
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
