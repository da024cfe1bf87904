/** What the system makes of it: the class that this thread really is in. */
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ThreadTurn } from '#src/main/engine/multicast/port/thread-turn.ts'
import { missing } from '#test/needs'

/** Field 41 of proc_pid_stat(5): 0 is SCHED_OTHER, 2 SCHED_RR. */
const policy = () =>
  Number(
    readFileSync('/proc/thread-self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[38],
  )

async function becomes(expected: number): Promise<number> {
  for (let tries = 0; tries < 500 && policy() !== expected; tries++) await setTimeout(10)
  return policy()
}

describe.skipIf(missing('linux', 'root', 'program:chrt'))("the sending thread's turn, in the system", () => {
  it('is real-time as long as it is wanted', async () => {
    const turn = new ThreadTurn({ processors: 2 })
    expect(policy()).toBe(0)
    turn.follow(12e6, 0)
    try {
      expect(await becomes(2)).toBe(2)
    } finally {
      turn.follow(0, 5000)
    }
    expect(await becomes(0)).toBe(0)
  })
})
