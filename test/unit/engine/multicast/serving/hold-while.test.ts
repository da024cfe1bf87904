import { expect, it } from 'vitest'
import { holdWhile } from '#src/main/engine/multicast/serving/hold-while.ts'

it('holds once while it is wanted, and lets go at the end', () => {
  let holds = 0
  const keepAwake = {
    hold() {
      holds += 1
      return { [Symbol.dispose]: () => void (holds -= 1) }
    },
  }
  const awake = holdWhile(keepAwake)
  const seen = [false, true, true, false, false, true].map((wanted) => {
    awake.set(wanted)
    return holds
  })
  expect(seen).toEqual([0, 1, 1, 0, 0, 1])
  awake[Symbol.dispose]()
  expect(holds).toBe(0)
})
