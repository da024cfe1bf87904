import { describe, expect, it } from 'vitest'
import { PortThreads } from '#src/main/engine/multicast/server/port-threads.ts'
import { idleThread } from '#test/idle-thread'

function threadsOf() {
  const started: ReturnType<typeof idleThread>[] = []
  const threads = new PortThreads(() => {
    const thread = idleThread()
    started.push(thread)
    return Promise.resolve(thread)
  })
  return { threads, started }
}

describe('the thread of a port', () => {
  it('is shared by all who use the port, and let go by the last one', async () => {
    const { threads, started } = threadsOf()
    const first = await threads.take(7800)
    const second = await threads.take(7800)
    expect(second.thread).toBe(first.thread)
    await first.release()
    expect([threads.has(7800), started[0]?.isRetired]).toEqual([true, false])
    await second.release()
    expect([threads.has(7800), started[0]?.isRetired]).toEqual([false, true])
  })

  it('is not let go by one whose own thread ended before it was started', async () => {
    const { threads, started } = threadsOf()
    const first = await threads.take(7800)
    threads.gone(7800)
    const second = await threads.take(7800)
    expect(second.thread).not.toBe(first.thread)
    await first.release()
    expect([threads.has(7800), started[1]?.isRetired]).toEqual([true, false])
    await second.release()
    expect([threads.has(7800), started[1]?.isRetired]).toEqual([false, true])
  })
})
