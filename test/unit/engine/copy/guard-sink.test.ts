import { describe, expect, it } from 'vitest'
import type { BlockSink } from '#engine/block-io'
import { guardSink } from '#src/main/engine/copy/guard-sink.ts'

/** A destination that can be exchanged behind its descriptor. `events` in the order in which they happened. */
function stage() {
  const events: string[] = []
  const at = { ms: 0, wallMs: 1e12, isSame: true }
  const done = (what: string) => async () => void events.push(what)
  const sink: BlockSink = {
    path: '/dev/sdb',
    sizeBytes: 4096,
    alignmentBytes: 512,
    write: done('write'),
    read: done('read'),
    flush: done('flush'),
    finish: done('finish'),
    zero: async () => (events.push('zero'), 'written'),
    discard: async () => (events.push('discard'), 'left'),
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
    expect(events).toEqual(['read', 'check', 'first', 'write', 'zero', 'discard'])
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

  it('is not silent while something is under way', async () => {
    const { events, at, guarded } = stage()
    await guarded.write(bytes, 0)
    const slow = guarded.write(bytes, 0)
    at.ms += 60_000
    await Promise.all([slow, guarded.write(bytes, 512)])
    expect(events.filter((event) => event === 'check')).toHaveLength(1)
  })
})
