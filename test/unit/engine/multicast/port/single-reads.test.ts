import { describe, expect, it } from 'vitest'
import { SingleReads } from '#src/main/engine/multicast/port/single-reads.ts'

/** A source that answers when it is told to. */
function source() {
  const begun: number[] = []
  const answers = new Map<number, (bytes: Uint8Array) => void>()
  let nowMs = 0
  const reads = new SingleReads({
    read: (block) => {
      begun.push(block)
      return new Promise((resolve) => answers.set(block, resolve))
    },
    unansweredMs: 5000,
    noAnswer: (block) => new Error(`no answer for ${block}`),
    now: () => nowMs,
  })
  const read = (block: number) => {
    const reading = reads.read(block).then(
      ([first]) => first,
      (error: unknown) => String(error),
    )
    return reading
  }
  return {
    begun,
    read,
    close: () => reads.close(),
    answer: (block: number) => answers.get(block)?.(Uint8Array.of(block)),
    pass: (ms: number) => void (nowMs += ms),
  }
}

describe('blocks that are fetched', () => {
  it('are read once for all who ask for them meanwhile', async () => {
    const { begun, read, answer } = source()
    const both = [read(7), read(7)]
    answer(7)
    expect(await Promise.all(both)).toEqual([7, 7])
    expect(begun).toEqual([7])
    void read(7)
    expect(begun).toEqual([7, 7])
  })

  it('are read four at a time, in the order they were asked for', async () => {
    const { begun, read, answer } = source()
    const all = [1, 2, 3, 4, 5, 6].map(read)
    expect(begun).toEqual([1, 2, 3, 4])
    answer(3)
    expect(await all[2]).toBe(3)
    await expect.poll(() => begun).toEqual([1, 2, 3, 4, 5])
    for (const block of [1, 2, 4, 5]) answer(block)
    await expect.poll(() => begun).toEqual([1, 2, 3, 4, 5, 6])
    answer(6)
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('are not waited for while the source answers nothing, and not asked for twice', async () => {
    const { begun, read, answer, pass } = source()
    const first = [1, 2, 3, 4, 5].map(read)
    pass(5000)
    expect(await Promise.all(first)).toEqual([1, 2, 3, 4, 5].map((block) => `Error: no answer for ${block}`))
    const again = [read(1), read(5)]
    expect(begun).toEqual([1, 2, 3, 4])
    answer(1)
    expect(await again[0]).toBe(1)
    await expect.poll(() => begun).toEqual([1, 2, 3, 4, 5])
    answer(5)
    expect(await again[1]).toBe(5)
  })

  it('keep no thread that has nothing else to do', () => {
    const { read, close } = source()
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    void read(1)
    expect(timers()).toBe(before)
    close()
  })

  it('are not waited for any more once it is closed, and none is begun', async () => {
    const { begun, read, answer, close } = source()
    const all = [1, 2, 3, 4, 5].map(read)
    close()
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5].map((block) => `Error: no answer for ${block}`))
    answer(1)
    await new Promise(setImmediate)
    expect(begun).toEqual([1, 2, 3, 4])
  })

  it('are waited for as long as others are answered', async () => {
    const { read, answer, pass } = source()
    const slow = read(1)
    for (const block of [2, 3, 4]) {
      const quick = read(block)
      pass(4000)
      answer(block)
      expect(await quick).toBe(block)
    }
    pass(4000)
    answer(1)
    expect(await slow).toBe(1)
  })
})
