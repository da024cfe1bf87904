import { expect, it } from 'vitest'
import type { BlockSink } from '#engine/block-io'
import { ChangedSink } from '#src/main/engine/copy/changed-sink.ts'

const MiB = 1024 * 1024

it('looks at many stretches of zeros through few buffers', async () => {
  const buffers = new Set<ArrayBufferLike>()
  const disk: BlockSink = {
    path: '/dev/sdb',
    sizeBytes: 64 * MiB,
    alignmentBytes: 512,
    async read(into) {
      buffers.add(into.buffer)
      into.fill(0)
    },
    write: () => Promise.reject(new Error('nothing differs')),
    zero: () => Promise.reject(new Error('nothing differs')),
    discard: () => Promise.reject(new Error('nothing is given back')),
    flush: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  await using sink = new ChangedSink({
    sink: disk,
    heldBytes: 64 * MiB,
    fixedBytes: null,
    onWritten: () => undefined,
    signal: new AbortController().signal,
  })
  for (let offset = 8 * MiB; offset < 56 * MiB; offset += 2 * MiB)
    await Promise.all([sink.zero(offset, MiB), sink.zero(offset + MiB, 4096)])
  expect(buffers.size).toBeLessThanOrEqual(2)
})
