import { expect, test } from 'vitest'
import { decideStart, startWithFirst } from '#engine/multicast/sessions'

const minutes = 60_000
const start = { kind: 'start' }
const wait = (startsInMs: number | null) => ({ kind: 'wait', startsInMs })

test("starts at the first client, as asr's stream does", () => {
  expect(decideStart(startWithFirst, { joined: 0, lastJoinMs: null }, 0)).toEqual(wait(null))
  expect(decideStart(startWithFirst, { joined: 1, lastJoinMs: 5 }, 5)).toEqual(start)
})

test('starts when enough have come, or when nobody came for a while, whatever is first', () => {
  const rule = { clients: 5, afterLastJoinMs: 15 * minutes }
  expect(decideStart(rule, { joined: 3, lastJoinMs: 2 * minutes }, 4 * minutes)).toEqual(wait(13 * minutes))
  expect(decideStart(rule, { joined: 5, lastJoinMs: 4 * minutes }, 4 * minutes)).toEqual(start)
  expect(decideStart(rule, { joined: 3, lastJoinMs: 2 * minutes }, 17 * minutes)).toEqual(start)
  expect(decideStart(rule, { joined: 0, lastJoinMs: 2 * minutes }, 99 * minutes)).toEqual(wait(null))
})

test('waits for a hand when nothing else is set', () => {
  const rule = { clients: null, afterLastJoinMs: null }
  expect(decideStart(rule, { joined: 900, lastJoinMs: 0 }, 99 * minutes)).toEqual(wait(null))
})
