/** UDIF's bzip2 runs: one whole .bz2 stream each. */
import { Bzip2Reader, windowBytes } from './bzip2-reader.ts'
import { corrupt } from './corrupt.ts'

/** One for the thread: its block alone takes 3.6 MB. */
let reader: Bzip2Reader | undefined

/** Expand `stored` into all of `into`. Throws FormatError E_SRC_CORRUPT. */
export function decodeBzip2Run(stored: Uint8Array, into: Uint8Array): void {
  reader ??= new Bzip2Reader({ isFile: false })
  reader.load(stored.subarray(0, windowBytes), 0, stored.length <= windowBytes)
  let to = 0
  while (reader.next() === 'block') {
    to = reader.block.read(into, to)
    if (!reader.block.isDone && (reader.block.read(beyond, 0) > 0 || !reader.block.isDone))
      throw corrupt('bzip2', 'the run expands to more than it stands for', {
        field: 'length',
        offset: reader.offset,
        expected: into.length,
      })
    reader.checkBlock()
    const next = reader.wantsWindowAt
    if (next !== null)
      reader.reload(stored.subarray(next, next + windowBytes), stored.length <= next + windowBytes)
  }
  if (to !== into.length)
    throw corrupt('bzip2', 'the run is too short', {
      field: 'length',
      offset: reader.offset,
      found: to,
      expected: into.length,
    })
  if (reader.offset !== stored.length)
    throw corrupt('bzip2', 'bytes after the end of the stream', {
      field: 'compLength',
      offset: reader.offset,
    })
}

/** Takes what a full run has no room for: a length byte of zero is no output, anything else is too much. */
const beyond = new Uint8Array(1)
