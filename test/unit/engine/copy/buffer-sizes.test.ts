import { expect, it } from 'vitest'
import { comparesAtOnce } from '#src/main/engine/copy/buffer-sizes.ts'
import { noBuffering } from '#test/restore-request'

const MiB = 2 ** 20

it.each([
  // Nobody said anything: eight reads of 1 MiB, and never only one.
  [{}, MiB, 8],
  [{}, MiB / 4, 8],
  [{}, 2 * MiB, 4],
  [{}, 16 * MiB, 2],
  // As many as there are buffers, fewer where a block takes several, one always.
  [{ csumBuffers: 1 }, MiB, 1],
  [{ csumBuffers: 3 }, MiB / 4, 3],
  [{ csumBuffers: 16 }, MiB, 16],
  [{ csumBuffers: 16, csumBufferBytes: MiB / 4 }, MiB, 4],
  [{ csumBufferBytes: 4 * MiB }, 2 * MiB, 8],
  [{ csumBufferBytes: 1 }, MiB, 1],
  // Cancel waits for those that are under way.
  [{ csumBuffers: 4096, csumBufferBytes: 4096 }, 4096, 64],
])('with %o, blocks of %i bytes are compared %i at once', (change, blockBytes, lanes) => {
  expect(comparesAtOnce({ ...noBuffering, ...change }, blockBytes)).toBe(lanes)
})
