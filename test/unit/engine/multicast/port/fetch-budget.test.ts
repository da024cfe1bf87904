import { describe, expect, it } from 'vitest'
import { AnswerRoom } from '#src/main/engine/multicast/port/answer-room.ts'
import { FetchBudget } from '#src/main/engine/multicast/port/fetch-budget.ts'

const mebibyte = 1024 * 1024
const newBudget = (room = new AnswerRoom()) => new FetchBudget({ bytesOf: () => mebibyte, room })
/** By default each from an address of its own. */
const ask = (budget: FetchBudget, connection: string, address = connection) =>
  budget.ask({ connection, address, block: 0 })

/** Blocks that were answered in so many ms. */
function serve(
  budget: FetchBudget,
  rate: number,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  again = true,
) {
  const answered: string[] = []
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 1)
    for (let fetch = budget.next(rate, nowMs); fetch !== null; fetch = budget.next(rate, nowMs)) {
      answered.push(fetch.connection)
      budget.over(fetch)
      if (again) budget.ask(fetch)
    }
  return answered
}

describe('fetching', () => {
  it('takes nothing from the stream while nobody does it', () => {
    const budget = newBudget()
    expect(budget.share).toBe(0)
    ask(budget, 'a')
    expect(budget.share).toBe(0.5)
  })

  it('never takes more than its rate, whatever is asked for', () => {
    const budget = newBudget()
    for (let index = 0; index < 50; index++) ask(budget, `c${index}`)
    const seconds = 10
    const count = serve(budget, 4 * mebibyte, { fromMs: 0, toMs: seconds * 1000 }).length
    expect(count).toBeLessThanOrEqual((seconds * 4) / 1.05 + 2)
    expect(count).toBeGreaterThan((seconds * 4) / 1.05 - 2)
  })

  it('gives those who have fetched little before those who fetch everything', () => {
    const budget = newBudget()
    ask(budget, 'everything')
    serve(budget, 100 * mebibyte, { fromMs: 0, toMs: 1000 })
    expect(budget.share).toBe(0.125)
    ask(budget, 'little')
    expect(budget.share).toBe(0.5)
    expect(serve(budget, 100 * mebibyte, { fromMs: 1000, toMs: 1100 })[0]).toBe('little')
  })

  it('counts nothing that could not be sent', () => {
    const budget = newBudget()
    let answered = 0
    ask(budget, 'unlucky')
    for (let nowMs = 0; nowMs < 1000; nowMs += 1) {
      const fetch = budget.next(100 * mebibyte, nowMs)
      if (fetch === null) continue
      answered += 1
      budget.unsent(fetch)
      budget.over(fetch)
      budget.ask(fetch)
    }
    expect(answered).toBe(1000)
    expect(budget.share).toBe(0.5)
    budget.left('unlucky')
    expect(budget.next(1, 2000)).toBeNull()
  })

  it('forgets who left', () => {
    const budget = newBudget()
    ask(budget, 'a')
    budget.left('a')
    expect(budget.next(1000, 0)).toBeNull()
    expect(budget.share).toBe(0)
  })

  it('takes an address that has fetched much for what it is, however often it connects anew', () => {
    const budget = newBudget()
    for (let index = 0; index < 17; index++) ask(budget, `c${index}`, 'stranger')
    expect(serve(budget, 100 * mebibyte, { fromMs: 0, toMs: 1000 }, false)).toHaveLength(17)
    for (let index = 0; index < 17; index++) budget.left(`c${index}`)
    ask(budget, 'c18', 'stranger')
    expect(budget.share).toBe(0.125)
    ask(budget, 'pupil')
    expect(budget.share).toBe(0.5)
    expect(serve(budget, 100 * mebibyte, { fromMs: 1000, toMs: 1100 }, false)).toEqual(['pupil', 'c18'])
  })

  it('begins anew with an address that has fetched nothing for minutes', () => {
    const budget = newBudget()
    ask(budget, 'a')
    serve(budget, 100 * mebibyte, { fromMs: 0, toMs: 1000 })
    budget.left('a')
    ask(budget, 'b')
    serve(budget, 0.01, { fromMs: 1000, toMs: 1010 })
    ask(budget, 'a')
    budget.left('b')
    expect(budget.share).toBe(0.125)
    budget.left('a')
    budget.next(0, 302_000)
    ask(budget, 'a')
    expect(budget.share).toBe(0.5)
  })

  it('takes who waits for minutes for what it is, as the queue of those who fetch everything is long', () => {
    const budget = newBudget()
    ask(budget, 'a')
    serve(budget, 100 * mebibyte, { fromMs: 0, toMs: 1000 })
    expect(budget.share).toBe(0.125)
    budget.next(0, 302_000)
    expect(budget.share).toBe(0.125)
  })

  it('lets addresses take turns, and the connections of each', () => {
    const budget = newBudget()
    for (const connection of ['a1', 'a2', 'a3']) ask(budget, connection, 'a')
    ask(budget, 'b')
    ask(budget, 'c')
    expect(serve(budget, 100 * mebibyte, { fromMs: 0, toMs: 100 }, false)).toEqual([
      'a1',
      'b',
      'c',
      'a2',
      'a3',
    ])
  })
})

describe('who fetches and reads nothing', () => {
  /** What is answered of a hundred such connections. */
  const unread = (budget: FetchBudget) => {
    for (let index = 0; index < 100; index++) ask(budget, `c${index}`, 'stranger')
    const answered = []
    for (let nowMs = 0; nowMs < 2000; nowMs += 1) {
      const fetch = budget.next(1000 * mebibyte, nowMs)
      if (fetch !== null) answered.push(fetch)
    }
    return answered
  }

  it('has no more under way than is left for others, who are answered as before', () => {
    const budget = newBudget()
    const answered = unread(budget)
    expect(answered).toHaveLength(32)
    ask(budget, 'pupil')
    expect(serve(budget, 100 * mebibyte, { fromMs: 2000, toMs: 2100 }, false)).toEqual(['pupil'])
    for (const fetch of answered) budget.over(fetch)
    expect(serve(budget, 100 * mebibyte, { fromMs: 2100, toMs: 4000 }, false)).toHaveLength(68)
  })

  it('takes nothing from the stream while it waits for room', () => {
    const budget = newBudget()
    unread(budget)
    expect(budget.share).toBe(0)
    ask(budget, 'pupil')
    expect(budget.share).toBe(0.5)
  })

  it('has no other room in another session', () => {
    const room = new AnswerRoom()
    unread(newBudget(room))
    const other = newBudget(room)
    ask(other, 'more', 'stranger')
    expect(other.share).toBe(0)
  })
  it('keeps another session waiting only as long as there is no room', () => {
    const room = new AnswerRoom()
    const budget = newBudget(room)
    for (let index = 0; index < 100; index++) ask(budget, `c${index}`)
    const answered = []
    for (let nowMs = 0; nowMs < 2000; nowMs += 1) {
      const fetch = budget.next(1000 * mebibyte, nowMs)
      if (fetch !== null) answered.push(fetch)
    }
    expect(answered).toHaveLength(64)
    const other = newBudget(room)
    ask(other, 'pupil')
    expect(other.share).toBe(0)
    for (const fetch of answered.slice(0, 2)) budget.over(fetch)
    expect(other.share).toBe(0.5)
  })
})
