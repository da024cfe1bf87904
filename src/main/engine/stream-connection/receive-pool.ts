import type { Buffering } from '#shared/model'

const defaultBuffers = 8
const defaultBufferBytes = 1024 ** 2
/** Blocks come interleaved: with less room hardly any gets whole in a pass. */
const leastBlocks = 4
const mostBytes = 1024 ** 3

/** `holdBytes` of whoever receives a stream with blocks of `blockBytes`: what --buffers and --buffersize make, in bounds that work; `otherwiseBytes` without them. */
export function receivePoolBytes(
  { buffers, bufferBytes }: Buffering,
  { blockBytes, otherwiseBytes }: { readonly blockBytes: number; readonly otherwiseBytes: number },
): number {
  if (buffers === null && bufferBytes === null) return otherwiseBytes
  const told = (buffers ?? defaultBuffers) * (bufferBytes ?? defaultBufferBytes)
  return Math.max(leastBlocks * blockBytes, Math.min(mostBytes, told))
}
