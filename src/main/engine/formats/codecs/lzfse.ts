/**
 * LZFSE, the codec of ULFO images: blocks, each of them raw, LZVN or LZFSE proper, until an end mark; copies reach back
 * through all blocks before (docs/formats/lzfse.md). This file walks the blocks; a kind of block is a file of its own.
 */
import { corrupt } from './corrupt.ts'
import { decodeLzfseBlock } from './lzfse-block.ts'
import { allSymbols, headerBytesV1, parseHeaderV1, parseHeaderV2 } from './lzfse-header.ts'
import { decodeLzvn } from './lzvn.ts'

/** The four bytes that begin a block, as a little-endian word. */
const magic = {
  end: 0x24787662, // bvx$
  raw: 0x2d787662, // bvx-
  v1: 0x31787662, // bvx1
  v2: 0x32787662, // bvx2
  lzvn: 0x6e787662, // bvxn
} as const

/** The frequency tables of the block at hand: scratch of this thread. */
const frequencies = new Uint16Array(allSymbols)

/** Expand `stored` into all of `into`. Throws FormatError E_SRC_CORRUPT. Not to be called twice at once in a thread. */
export function decodeLzfse(stored: Uint8Array, into: Uint8Array): void {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  const output = { into, view: new DataView(into.buffer, into.byteOffset, into.byteLength) }
  let from = 0
  let to = 0
  for (;;) {
    const block = from
    need(stored, block, 4, 'magic')
    const kind = view.getUint32(block, true)
    if (kind === magic.end) {
      from += 4
      break
    }
    need(stored, block, 12, 'block header')
    const rawBytes = view.getUint32(block + 4, true)
    if (rawBytes > into.length - to)
      throw corrupt('lzfse', 'a block expands past the end of the run', {
        field: 'n_raw_bytes',
        offset: block + 4,
        found: rawBytes,
        expected: `at most ${into.length - to}`,
      })
    const end = to + rawBytes
    switch (kind) {
      case magic.raw:
        need(stored, block, 8 + rawBytes, 'n_raw_bytes')
        into.set(stored.subarray(block + 8, block + 8 + rawBytes), to)
        from = block + 8 + rawBytes
        break
      case magic.lzvn: {
        const payloadBytes = view.getUint32(block + 8, true)
        need(stored, block, 12 + payloadBytes, 'n_payload_bytes')
        from = block + 12 + payloadBytes
        decodeLzvn(stored, block + 12, from, into, to, end)
        break
      }
      case magic.v1: {
        need(stored, block, headerBytesV1, 'block header')
        const header = parseHeaderV1(view, block, frequencies)
        from = decodeLzfseBlock(view, block, header, frequencies, output, to, end)
        break
      }
      case magic.v2: {
        need(stored, block, 32, 'block header')
        const header = parseHeaderV2(view, block, frequencies)
        from = decodeLzfseBlock(view, block, header, frequencies, output, to, end)
        break
      }
      default:
        throw corrupt('lzfse', 'no block begins here', {
          field: 'magic',
          offset: block,
          found: kind.toString(16).padStart(8, '0'),
        })
    }
    to = end
  }
  if (to !== into.length)
    throw corrupt('lzfse', 'the run is too short', {
      field: 'length',
      offset: from,
      found: to,
      expected: into.length,
    })
  if (from !== stored.length)
    throw corrupt('lzfse', 'bytes after the end mark', { field: 'compLength', offset: from })
}

function need(stored: Uint8Array, offset: number, lengthBytes: number, field: string): void {
  if (lengthBytes > stored.length - offset)
    throw corrupt('lzfse', 'the stream is cut off', { field, offset: stored.length })
}
