/** A clock of our own, and a destination whose writes the test holds in its hand. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchProgress } from '#src/main/engine/copy/watch-progress.ts'
import type { BlockSink, OnPiece } from '#engine/block-io'
import type { Stall } from '#shared/model'
import { quietContext } from '#test/quiet-context'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const bytes = new Uint8Array(512)

/** A restore that reads an image, or receives a stream. */
function watched(source: string | null = '/images/a.dmg') {
  const job = quietContext()
  const stalls: (Stall | null)[] = []
  const context = { ...job, stalled: (stall: Stall | null) => void stalls.push(stall) }
  const watch = watchProgress(context, { now: () => Date.now() }, { source, target: '/dev/sdx' })
  let release = () => {}
  let tell: OnPiece | undefined
  const held = () => new Promise<void>((resolve) => (release = resolve))
  const sink: BlockSink = watch.sink({
    path: '/dev/sdx',
    sizeBytes: 1024,
    alignmentBytes: 512,
    write: held,
    async zero(_offset, _lengthBytes, _signal, onPiece) {
      tell = onPiece
      await held()
      return 'written'
    },
    discard: async () => (await held(), 'discarded'),
    flush: held,
    read: held,
    finish: held,
    [Symbol.asyncDispose]: async () => undefined,
  })
  return {
    watch,
    sink,
    stalls,
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
    piece: (how: 'offloaded' | 'written') => tell?.(512, how),
    answer: async () => {
      release()
      await vi.advanceTimersByTimeAsync(0)
    },
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  }
}

describe('a minute without a byte', () => {
  it.each(['write', 'read'] as const)('is told of the destination while it is to %s', async (what) => {
    using restore = watched()
    restore.watch.context.enter('restoring', 1024)
    void restore.sink[what](bytes, 0)
    await restore.pass(59_000)
    expect(restore.stalls).toEqual([])
    await restore.pass(2000)
    expect(restore.stalls).toEqual([
      { silentMs: 60_000, awaited: 'destination' },
      { silentMs: 61_000, awaited: 'destination' },
    ])
    await restore.answer()
    expect(restore.stalls.at(-1)).toBeNull()
  })

  it('is told of the source while nothing is asked of the destination', async () => {
    using restore = watched()
    restore.watch.context.enter('restoring', 1024)
    await restore.pass(60_000)
    expect(restore.stalls).toEqual([{ silentMs: 60_000, awaited: 'source' }])
    restore.watch.context.advance(512)
    expect(restore.stalls.at(-1)).toBeNull()
  })

  it('is counted from when the destination was asked, not from when the source fell silent', async () => {
    using restore = watched()
    restore.watch.context.enter('restoring', 1024)
    await restore.pass(50_000)
    void restore.sink.write(bytes, 0)
    await restore.pass(59_000)
    expect(restore.stalls).toEqual([])
  })

  it('is nothing while a stream is waited for, which tells itself why', async () => {
    using restore = watched(null)
    restore.watch.context.enter('restoring', 1024)
    await restore.pass(300_000)
    expect(restore.stalls).toEqual([])
    void restore.sink.write(bytes, 0)
    await restore.pass(60_000)
    expect(restore.stalls).toEqual([{ silentMs: 60_000, awaited: 'destination' }])
  })

  it.each([
    ['zeros', (sink: BlockSink) => sink.zero(0, 1024)],
    ['unused space', (sink: BlockSink) => sink.discard(0, 1024)],
    ['all that is in the cache', (sink: BlockSink) => sink.flush()],
  ])('is nothing where the disk is given %s at once: that takes as long as it takes', async (_, work) => {
    using restore = watched()
    restore.watch.context.enter('restoring', 1024)
    void work(restore.sink)
    await restore.pass(300_000)
    expect(restore.stalls).toEqual([])
  })

  it('is told of the destination where zeros are sent, each piece of which counts', async () => {
    using restore = watched()
    restore.watch.context.enter('restoring', 1024)
    const told: number[] = []
    void restore.sink.zero(0, 1024, undefined, (lengthBytes) => void told.push(lengthBytes))
    await restore.pass(300_000)
    await restore.piece('written')
    await restore.pass(59_000)
    expect(restore.stalls).toEqual([])
    await restore.piece('written')
    await restore.pass(60_000)
    expect(restore.stalls).toEqual([{ silentMs: 60_000, awaited: 'destination' }])
    expect(told).toEqual([512, 512])
    await restore.answer()
    await restore.pass(60_000)
    expect(restore.stalls.slice(1)).toEqual([null, { silentMs: 60_000, awaited: 'source' }])
  })

  it('is nothing where the disk makes zeros of more and more by itself', async () => {
    using restore = watched()
    restore.watch.context.enter('restoring', 1024)
    void restore.sink.zero(0, 1024)
    await restore.piece('offloaded')
    await restore.pass(300_000)
    expect(restore.stalls).toEqual([])
  })

  it('is nothing where no bytes move', async () => {
    using restore = watched()
    restore.watch.context.enter('unmounting')
    await restore.pass(300_000)
    expect(restore.stalls).toEqual([])
  })

  it('is nothing where the process itself stood still', async () => {
    using restore = watched()
    restore.watch.context.enter('restoring', 1024)
    void restore.sink.write(bytes, 0)
    await restore.pass(1000)
    vi.setSystemTime(Date.now() + 3_600_000)
    await restore.pass(59_000)
    expect(restore.stalls).toEqual([])
  })
})
