/** UDIF's bzip2 runs: one whole .bz2 stream each. */
import Bzip2 from '@foxglove/wasm-bz2'
import { corrupt } from './corrupt.ts'

type Decoder = Awaited<ReturnType<typeof Bzip2.init>>
let decoder: Decoder | undefined

/** Expand `stored` into all of `into`; the first call of a thread loads the decoder. Throws FormatError E_SRC_CORRUPT. */
export function decodeBzip2Run(stored: Uint8Array, into: Uint8Array): void | Promise<void> {
  if (decoder !== undefined) return decode(decoder, stored, into)
  return loadAndDecode(stored, into)
}

async function loadAndDecode(stored: Uint8Array, into: Uint8Array): Promise<void> {
  decoder = await Bzip2.init()
  decode(decoder, stored, into)
}

function decode(loaded: Decoder, stored: Uint8Array, into: Uint8Array): void {
  let expanded: Uint8Array
  try {
    expanded = loaded.decompress(stored, into.length)
  } catch (cause) {
    throw corrupt('bzip2', 'the stream is damaged', { field: 'stream', offset: 0, cause })
  }
  if (expanded.length !== into.length)
    throw corrupt('bzip2', 'the run is too short', {
      field: 'length',
      offset: stored.length,
      found: expanded.length,
      expected: into.length,
    })
  into.set(expanded)
}
