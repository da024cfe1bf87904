import { expect, it } from 'vitest'
import type { BlockSink } from '#engine/block-io'
import { ChangedSink } from '#src/main/engine/copy/changed-sink.ts'

const MiB = 1024 * 1024

/** 64 MiB of which every read and change is told of, and that holds zeros but for what `read` says. */
function makeDisk(facts: Partial<BlockSink>): BlockSink {
  return {
    path: '/dev/sdb',
    sizeBytes: 64 * MiB,
    alignmentBytes: 512,
    read: async (into) => void into.fill(0),
    write: () => Promise.reject(new Error('nothing differs')),
    zero: () => Promise.reject(new Error('nothing differs')),
    discard: () => Promise.reject(new Error('nothing is given back')),
    flush: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
    ...facts,
  }
}

const changedOnly = (sink: BlockSink) =>
  new ChangedSink({
    sink,
    heldBytes: 64 * MiB,
    fixedBytes: null,
    onWritten: () => undefined,
    signal: new AbortController().signal,
  })

it('looks at many stretches of zeros through few buffers', async () => {
  const buffers = new Set<ArrayBufferLike>()
  await using sink = changedOnly(
    makeDisk({
      async read(into) {
        buffers.add(into.buffer)
        into.fill(0)
      },
    }),
  )
  for (let offset = 8 * MiB; offset < 56 * MiB; offset += 2 * MiB)
    await Promise.all([sink.zero(offset, MiB), sink.zero(offset + MiB, 4096)])
  expect(buffers.size).toBeLessThanOrEqual(2)
})

it('stops looking for zeros when the copy has failed elsewhere', async () => {
  const failed = new AbortController()
  const reason = new Error('a bad place')
  let reads = 0
  await using sink = changedOnly(
    makeDisk({
      async read(into) {
        into.fill(0)
        if (++reads === 8) failed.abort(reason)
      },
    }),
  )
  await expect(sink.zero(8 * MiB, 48 * MiB, failed.signal)).rejects.toBe(reason)
  expect(reads).toBeLessThan(16)
})

it('stops zeroing when the copy has failed elsewhere', async () => {
  const failed = new AbortController()
  const signals: (AbortSignal | undefined)[] = []
  await using sink = changedOnly(
    makeDisk({
      read: async (into) => void into.fill(1),
      async zero(offset, _, signal) {
        if (offset === 8 * MiB) signals.push(signal)
        return 'written'
      },
    }),
  )
  await sink.zero(8 * MiB, 16 * MiB, failed.signal)
  expect(signals).toEqual([failed.signal])
})

it('tells of a stretch as it is looked at, and of what is zeroed as that is done', async () => {
  const told: string[] = []
  await using sink = changedOnly(
    makeDisk({
      // From 10 MiB to 12 MiB there is something.
      read: async (into, offset) => void into.fill(offset >= 10 * MiB && offset < 12 * MiB ? 1 : 0),
      async zero(_offset, lengthBytes, _signal, onPiece) {
        for (let done = 0; done < lengthBytes; done += MiB / 2) await onPiece?.(MiB / 2, 'written')
        return 'written'
      },
    }),
  )
  await sink.zero(8 * MiB, 5 * MiB, undefined, (lengthBytes) => void told.push(String(lengthBytes / MiB)))
  expect(told).toEqual(['1', '1', '0.5', '0.5', '0.5', '0.5', '1'])
})
