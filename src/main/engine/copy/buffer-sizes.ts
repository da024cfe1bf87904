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
 * said otherwise, there are fewer and larger ones: they take a fifth less of the processor. Unless it was told how many, checking
 * uses a second one, to read ahead while the first is compared.
 */
export function bufferSizes(buffering: Buffering): BufferSizes {
  return {
    buffers: buffering.buffers ?? 8,
    bufferBytes: wholePages(buffering.bufferBytes ?? mebibyte),
    uncompressed:
      buffering.buffers === null && buffering.bufferBytes === null
        ? { buffers: 4, bufferBytes: 8 * mebibyte }
        : null,
    csumBuffers: buffering.csumBuffers ?? 2,
    csumBufferBytes: wholePages(buffering.csumBufferBytes ?? mebibyte),
  }
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
