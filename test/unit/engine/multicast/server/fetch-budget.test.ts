import { describe, expect, it } from 'vitest'
import { FetchBudget } from '#src/main/engine/multicast/server/fetch-budget.ts'

const mebibyte = 1024 * 1024
const ask = (budget: FetchBudget, connection: string, block = 0) => budget.ask({ connection, block })

/** Blocks that were answered in so many ms. */
function serve(
  budget: FetchBudget,
  rate: number,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  again = true,
) {
  const answered: string[] = []
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 1)
    for (let fetch = budget.next(() => mebibyte, rate, nowMs); fetch !== null;) {
      answered.push(fetch.connection)
      if (again) budget.ask(fetch)
      fetch = budget.next(() => mebibyte, rate, nowMs)
    }
  return answered
}

describe('fetching', () => {
  it('takes nothing from the stream while nobody does it', () => {
    const budget = new FetchBudget()
    expect(budget.share).toBe(0)
    ask(budget, 'a')
    expect(budget.share).toBe(0.5)
  })

  it('never takes more than its rate, whatever is asked for', () => {
    const budget = new FetchBudget()
    for (let index = 0; index < 50; index++) ask(budget, `c${index}`)
    const seconds = 10
    const count = serve(budget, 4 * mebibyte, { fromMs: 0, toMs: seconds * 1000 }).length
    expect(count).toBeLessThanOrEqual((seconds * 4) / 1.05 + 2)
    expect(count).toBeGreaterThan((seconds * 4) / 1.05 - 2)
  })

  it('gives those who have fetched little before those who fetch everything', () => {
    const budget = new FetchBudget()
    ask(budget, 'everything')
    serve(budget, 100 * mebibyte, { fromMs: 0, toMs: 1000 })
    expect(budget.share).toBe(0.125)
    ask(budget, 'little')
    expect(budget.share).toBe(0.5)
    expect(serve(budget, 100 * mebibyte, { fromMs: 1000, toMs: 1100 })[0]).toBe('little')
  })

  it('counts nothing that could not be sent', () => {
    const budget = new FetchBudget()
    let answered = 0
    ask(budget, 'unlucky')
    for (let nowMs = 0; nowMs < 1000; nowMs += 1) {
      const fetch = budget.next(() => mebibyte, 100 * mebibyte, nowMs)
      if (fetch === null) continue
      answered += 1
      budget.unsent(fetch, mebibyte)
      budget.ask(fetch)
    }
    expect(answered).toBe(1000)
    expect(budget.share).toBe(0.5)
    budget.left('unlucky')
    budget.unsent({ connection: 'unlucky', block: 0 }, mebibyte)
    expect(budget.next(() => mebibyte, 1, 2000)).toBeNull()
  })

  it('forgets who left', () => {
    const budget = new FetchBudget()
    ask(budget, 'a')
    budget.left('a')
    expect(budget.next(() => 1, 1000, 0)).toBeNull()
    expect(budget.share).toBe(0)
  })
})
