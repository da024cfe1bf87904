import { describe, expect, test } from 'vitest'
import { ThreadTurn } from '#src/main/engine/multicast/port/thread-turn.ts'

const realTime = 'chrt --rr --reset-on-fork --pid 1 4711'
const asOthers = 'chrt --other --pid 0 4711'

function turn({ isLinux = true, processors = 2, thread = '4711', status = 0, backStatus = [0] } = {}) {
  const ran: string[] = []
  let nowMs = 0
  const its = new ThreadTurn({
    isLinux,
    processors,
    thread: () => thread,
    run: async (name, args) => {
      ran.push([name, ...args].join(' '))
      if (status < 0) throw new Error('not installed')
      const back = args[0] === '--other' ? (backStatus.shift() ?? 0) : 0
      return { name, status: status || back, stdout: '', stderr: '' }
    },
  })
  return {
    ran,
    its,
    /** Each of them five seconds after the one before. */
    follow: async (...rates: readonly number[]) => {
      for (const rate of rates) its.follow(rate, (nowMs += 5000))
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

describe("the sending thread's turn", () => {
  test('is real-time while something is sent at a rate that leaves the processor to others', async () => {
    const { ran, follow } = turn()
    await follow(0)
    expect(ran).toEqual([])
    await follow(12e6)
    await follow(125e6)
    expect(ran).toEqual([realTime])
    await follow(0)
    expect(ran).toEqual([realTime, asOthers])
  })

  test('stays so while a stream rests for a moment', async () => {
    const { ran, its } = turn()
    for (const [rate, nowMs] of [
      [12e6, 0],
      [0, 200],
      [12e6, 400],
      [0, 600],
      [0, 5399],
    ] as const) {
      its.follow(rate, nowMs)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(ran).toEqual([realTime])
    its.follow(0, 5400)
    await new Promise((resolve) => setImmediate(resolve))
    expect(ran).toEqual([realTime, asOthers])
  })

  test('is as all others without a cap', async () => {
    const { ran, follow } = turn()
    await follow(1e9)
    expect(ran).toEqual([])
    await follow(50e6)
    await follow(126e6)
    expect(ran).toEqual([realTime, asOthers])
  })

  test('follows the last that was said while it was being changed', async () => {
    const { ran, follow } = turn()
    await follow(50e6, 0, 50e6, 0)
    expect(ran).toEqual([realTime, asOthers])
    await follow(50e6, 0, 50e6)
    expect(ran).toEqual([realTime, asOthers, realTime])
  })

  test('stays as it is where there is one processor, no Linux, or no thread to name', async () => {
    for (const where of [{ processors: 1 }, { isLinux: false }, { thread: '' }, { thread: '-1' }]) {
      const { ran, follow } = turn(where)
      await follow(12e6)
      expect(ran).toEqual([])
    }
  })

  test('tries again to be as all others, until it is', async () => {
    const { ran, follow } = turn({ backStatus: [1, 1, 0] })
    await follow(12e6)
    await follow(126e6)
    await follow(126e6)
    expect(ran).toEqual([realTime, asOthers, asOthers])
    await follow(126e6)
    await follow(126e6)
    expect(ran).toEqual([realTime, asOthers, asOthers, asOthers])
  })

  test('asks once where it may not', async () => {
    for (const status of [1, -1]) {
      const { ran, follow } = turn({ status })
      await follow(12e6)
      await follow(0)
      await follow(12e6)
      expect(ran).toEqual([realTime])
    }
  })
})
