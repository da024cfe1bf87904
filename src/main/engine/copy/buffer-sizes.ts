/** asr's four options as numbers to allocate by. */
import { UsageError } from '#shared/errors'
import type { Buffering } from '#shared/model'

export interface BufferSizes {
  readonly buffers: number
  readonly bufferBytes: number
  /** What a source without compression is copied with; null: the same. */
  readonly uncompressed: { readonly buffers: number; readonly bufferBytes: number } | null
  readonly csumBuffers: number
  readonly csumBufferBytes: number
}

const pageBytes = 4096
const mebibyte = 1024 ** 2
/** All buffers together: what a machine with little memory still has, and one WebAssembly memory can hold. */
export const maxPoolBytes = 1024 ** 3

const wholePages = (bytes: number) => Math.ceil(bytes / pageBytes) * pageBytes

/**
 * asr's defaults: eight buffers of 1 MiB to copy, one of 1 MiB to check with. Where nothing is to be decoded, and nobody
 * said otherwise, there are two larger ones, one being filled while the other is written: they take a fifth less of the
 * processor, and more of them are only more memory that isn't in its caches. Unless it was told how many, checking uses a
 * second one, to read ahead while the first is compared.
 */
export function bufferSizes(buffering: Buffering): BufferSizes {
  return {
    buffers: buffering.buffers ?? 8,
    bufferBytes: wholePages(buffering.bufferBytes ?? mebibyte),
    uncompressed:
      buffering.buffers === null && buffering.bufferBytes === null
        ? { buffers: 2, bufferBytes: 8 * mebibyte }
        : null,
    csumBuffers: buffering.csumBuffers ?? 2,
    csumBufferBytes: wholePages(buffering.csumBufferBytes ?? mebibyte),
  }
}

/** Eight reads of 1 MiB keep a fast disk busy; blocks that are larger are read two at once in any case. */
const compared = { blocks: 8, bytes: 8 * mebibyte, leastBlocks: 2 }
/** Cancel waits for the reads that are under way. */
const mostCompared = 64

/**
 * How many blocks of `blockBytes` that have hashes are read and compared side by side: one for each buffer to check with, fewer where a
 * block is larger than a buffer, and never none.
 */
export function comparesAtOnce({ csumBuffers, csumBufferBytes }: Buffering, blockBytes: number): number {
  if (csumBuffers === null && csumBufferBytes === null)
    return Math.max(compared.leastBlocks, Math.min(compared.blocks, Math.floor(compared.bytes / blockBytes)))
  const buffers = csumBuffers ?? compared.blocks
  const room = buffers * wholePages(csumBufferBytes ?? mebibyte)
  return Math.max(1, Math.min(buffers, mostCompared, Math.floor(room / blockBytes)))
}

/** What stands against allocating so much, or null. */
export function bufferError(buffering: Buffering): UsageError | null {
  const sizes = bufferSizes(buffering)
  const bytes = sizes.buffers * sizes.bufferBytes + sizes.csumBuffers * sizes.csumBufferBytes
  if (bytes <= maxPoolBytes) return null
  return new UsageError('E_USAGE', `buffers of ${bytes} bytes in all`, {
    details: {
      input: 'buffers',
      problem: 'The buffers are too large: together they may take 1 GiB.',
      hint: 'Use fewer (--buffers, --csumbuffers) or smaller ones (--buffersize, --csumbuffersize).',
      neededBytes: bytes,
      availableBytes: maxPoolBytes,
    },
  })
}
