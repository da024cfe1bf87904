import { describe, expect, it } from 'vitest'
import type { BlockSink, OnPiece } from '#engine/block-io'
import { guardSink } from '#src/main/engine/copy/guard-sink.ts'

/** A destination that can be exchanged behind its descriptor. `events` in the order in which they happened. */
function stage() {
  const events: string[] = []
  const at = { ms: 0, wallMs: 1e12, isSame: true }
  const done = (what: string) => async () => void events.push(what)
  /** Three pieces. */
  const inPieces = async (what: string, onPiece: OnPiece | undefined) => {
    for (let piece = 0; piece < 3; piece++) {
      events.push(what)
      await onPiece?.(4096, 'written')
    }
  }
  const sink: BlockSink = {
    path: '/dev/sdb',
    sizeBytes: 4096,
    alignmentBytes: 512,
    write: done('write'),
    read: done('read'),
    flush: done('flush'),
    finish: done('finish'),
    zero: async (_offset, _lengthBytes, _signal, onPiece) => (await inPieces('zero', onPiece), 'written'),
    discard: async (_offset, _lengthBytes, _signal, onPiece) => (await inPieces('discard', onPiece), 'left'),
    [Symbol.asyncDispose]: done('close'),
  }
  const guarded = guardSink(sink, {
    async check() {
      events.push('check')
      await Promise.resolve()
      if (!at.isSame) throw new Error('another card')
    },
    onWrite: () => void events.push('first'),
    now: () => at.ms,
    wall: () => at.wallMs + at.ms,
  })
  return { events, at, guarded }
}

const bytes = new Uint8Array(512)

describe('a guarded destination', () => {
  it('is looked at right before the first write of all, however many begin at once', async () => {
    const { events, guarded } = stage()
    await guarded.read(bytes, 0)
    await Promise.all([guarded.write(bytes, 0), guarded.zero(512, 512), guarded.discard(1024, 512)])
    expect(events.slice(0, 6)).toEqual(['read', 'check', 'first', 'write', 'zero', 'discard'])
  })

  it('is looked at again after a silence, and not before', async () => {
    const { events, at, guarded } = stage()
    await guarded.write(bytes, 0)
    at.ms += 900
    await guarded.write(bytes, 0)
    at.ms += 1100
    await guarded.finish(4096)
    at.ms += 1100
    await guarded.flush()
    await guarded.write(bytes, 0)
    expect(events).toEqual(['check', 'first', 'write', 'write', 'check', 'finish', 'flush', 'write'])
  })

  it('gets nothing written once it is another one', async () => {
    const { events, at, guarded } = stage()
    at.isSame = false
    const writes = [guarded.write(bytes, 0), guarded.zero(0, 512), guarded.discard(0, 512), guarded.finish(0)]
    const ends = await Promise.allSettled(writes)
    expect(ends.map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
    await expect(guarded.write(bytes, 0)).rejects.toThrow('another card')
    expect(events).toEqual(['check', 'check'])
  })

  it('is looked at again after a sleep, though something was under way, and only once', async () => {
    const { events, at, guarded } = stage()
    await guarded.write(bytes, 0)
    const slow = guarded.write(bytes, 0)
    at.wallMs += 60_000
    await Promise.all([slow, guarded.write(bytes, 512), guarded.write(bytes, 1024)])
    await guarded.write(bytes, 1536)
    expect(events.filter((event) => event === 'check')).toHaveLength(2)
    at.wallMs += 60_000
    at.isSame = false
    await expect(guarded.write(bytes, 2048)).rejects.toThrow('another card')
    await expect(guarded.write(bytes, 2048)).rejects.toThrow('another card')
  })

  it.each(['zero', 'discard'] as const)('is looked at in the midst of what is to %s', async (what) => {
    const { events, at, guarded } = stage()
    let told = 0
    const sleepAfterFirst = () => {
      told += 1
      if (told === 1) at.wallMs += 60_000
    }
    await guarded[what](0, 12_288, undefined, sleepAfterFirst)
    expect(events).toEqual(['check', 'first', what, 'check', what, what])
    told = 0
    at.isSame = false
    await expect(guarded[what](0, 12_288, undefined, sleepAfterFirst)).rejects.toThrow('another card')
    expect(events.slice(6)).toEqual([what, 'check'])
  })

  it('is not silent while something is under way', async () => {
    const { events, at, guarded } = stage()
    await guarded.write(bytes, 0)
    const slow = guarded.write(bytes, 0)
    at.ms += 60_000
    await Promise.all([slow, guarded.write(bytes, 512)])
    expect(events.filter((event) => event === 'check')).toHaveLength(1)
  })
})
