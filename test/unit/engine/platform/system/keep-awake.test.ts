import { describe, expect, it } from 'vitest'
import { createLogger, lineText } from '#shared/log'
import { createKeepAwake, type RunningProgram } from '#src/main/engine/platform/system/keep-awake.ts'

/** With time and programs that the test holds in its hand. */
function start(program: { name: string; args: string[] } | null = { name: 'inhibit', args: [] }) {
  const lines: string[] = []
  const timers = new Set<{ atMs: number; act: () => void }>()
  const running = new Set<(why: object) => void>()
  let nowMs = 0
  let starts = 0
  const keepAwake = createKeepAwake({
    log: createLogger(
      (line) => lines.push(lineText(line)),
      () => 0,
    ),
    program,
    start(): RunningProgram {
      starts += 1
      const { promise, resolve } = Promise.withResolvers<object>()
      const end = (why: object) => {
        running.delete(end)
        resolve({ ...why })
      }
      running.add(end)
      return { ended: promise as RunningProgram['ended'], [Symbol.dispose]: () => end({ status: null }) }
    },
    later(delayMs, act) {
      const timer = { atMs: nowMs + delayMs, act }
      timers.add(timer)
      return { [Symbol.dispose]: () => void timers.delete(timer) }
    },
  })
  return {
    keepAwake,
    lines,
    starts: () => starts,
    running: () => running.size,
    die: async (why: object) => {
      for (const end of running) end(why)
      await soon()
    },
    pass: (seconds: number) => {
      nowMs += seconds * 1000
      for (const timer of timers)
        if (timer.atMs <= nowMs) {
          timers.delete(timer)
          timer.act()
        }
    },
  }
}

const soon = () => new Promise((resolve) => setImmediate(resolve))

describe('keeping the computer awake', () => {
  it('starts nothing for work that is done within half a minute', () => {
    const { keepAwake, pass, starts } = start()
    for (let i = 0; i < 3; i++) {
      const held = keepAwake.hold()
      pass(29)
      held[Symbol.dispose]()
    }
    pass(60)
    expect(starts()).toBe(0)
  })

  it('takes one program for all work, until the last of it is done', async () => {
    const { keepAwake, pass, starts, running, lines } = start()
    const first = keepAwake.hold()
    pass(20)
    const second = keepAwake.hold()
    pass(10)
    const third = keepAwake.hold()
    pass(60)
    expect([starts(), running()]).toEqual([1, 1])
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    second[Symbol.dispose]()
    expect(running()).toBe(1)
    third[Symbol.dispose]()
    expect(running()).toBe(0)
    await soon()
    expect(lines).toEqual([])
  })

  it('says once that it cannot be had, and tries again only for other work', async () => {
    const { keepAwake, pass, starts, running, die, lines } = start()
    const first = keepAwake.hold()
    pass(30)
    await die({ status: 1, stderr: 'Access denied' })
    pass(600)
    expect([starts(), running()]).toEqual([1, 0])
    const second = keepAwake.hold()
    pass(30)
    expect([starts(), running()]).toEqual([2, 1])
    await die({ status: 1, stderr: 'Access denied' })
    pass(600)
    first[Symbol.dispose]()
    second[Symbol.dispose]()
    expect(starts()).toBe(2)
    expect(lines).toEqual(['the computer may fall asleep  status=1 stderr="Access denied"'])
  })

  it('does nothing on a system without a program for it', () => {
    const { keepAwake, pass, starts } = start(null)
    using _held = keepAwake.hold()
    pass(60)
    expect(starts()).toBe(0)
  })
})
