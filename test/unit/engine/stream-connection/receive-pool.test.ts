import { expect, it } from 'vitest'
import { receivePoolBytes } from '#engine/stream-connection'
import { noBuffering } from '#test/restore-request'

const MiB = 2 ** 20

it.each([
  [{}, MiB, 64 * MiB],
  [{ buffers: 16 }, MiB, 16 * MiB],
  [{ bufferBytes: 4 * MiB }, MiB, 32 * MiB],
  [{ buffers: 16, bufferBytes: 2 * MiB }, MiB, 32 * MiB],
  // Fewer than four blocks of the stream would hardly ever be the right ones.
  [{ buffers: 1, bufferBytes: 4096 }, MiB, 4 * MiB],
  [{ buffers: 1, bufferBytes: 4096 }, 8 * MiB, 32 * MiB],
  [{ buffers: 4096, bufferBytes: 256 * MiB }, MiB, 1024 * MiB],
])('with %o, blocks of %i bytes are held in %i', (change, blockBytes, bytes) => {
  const pool = receivePoolBytes({ ...noBuffering, ...change }, { blockBytes, otherwiseBytes: 64 * MiB })
  expect(pool).toBe(bytes)
})
