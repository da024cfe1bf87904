import { describe, expect, test } from 'vitest'
import { createClientTable } from '#src/main/engine/multicast/sender/client-table.ts'
import type { Message } from '#engine/multicast/wire'

const report = (expected: number, received: number): Message<'report'> => ({
  kind: 'report',
  asOf: expected,
  expected,
  received,
  repeated: 0,
  rejected: 0,
  dropped: 0,
  blocksDone: 3,
  backlogBytes: 0,
  writeBytesPerSecond: 0,
  needs: [],
})

/** Clients that have lost these shares for a while. */
function lab(losses: readonly number[]) {
  const table = createClientTable()
  losses.forEach((loss, index) => {
    table.join(`${index}`, 0)
    for (let sent = 0; sent <= 10_000; sent += 1000)
      table.report(`${index}`, report(sent, sent * (1 - loss)), sent, Infinity)
  })
  table.judge()
  return table
}
const standings = (losses: readonly number[]) =>
  lab(losses)
    .all()
    .map(({ standing }) => standing)

describe('the client table', () => {
  test('calls slow who loses far more than the others, and nobody where all lose alike', () => {
    expect(standings([0, 0, 0, 0.6])).toEqual(['well', 'well', 'well', 'slow'])
    expect(standings([0.01, 0.3])).toEqual(['well', 'slow'])
    expect(standings([0.3, 0.25, 0.3])).toEqual(['well', 'well', 'well'])
    expect(standings([0.5])).toEqual(['well'])
    expect(standings([0, 0, 0.08])).toEqual(['well', 'well', 'well'])
  })

  test('forgives who has stopped losing', () => {
    const table = lab([0, 0, 0.4])
    expect(table.get('2')?.standing).toBe('slow')
    for (let sent = 11_000; sent <= 30_000; sent += 1000)
      table.report('2', report(sent, 6000 + (sent - 10_000)), sent, Infinity)
    table.judge()
    expect(table.get('2')?.standing).toBe('well')
  })

  test('does not judge by a handful of symbols, nor by what was before somebody came back', () => {
    const table = createClientTable()
    table.join('a', 0)
    table.report('a', report(100_000, 10_000), 0, Infinity)
    table.report('a', report(100_100, 10_000), 0, Infinity)
    expect(table.get('a')).toMatchObject({ loss: 0, blocksDone: 3 })
    table.report('a', report(101_000, 11_000), 0, Infinity)
    expect(table.get('a')?.loss).toBe(0)
  })

  test('does not take an outage for loss, nor what is told right behind it', () => {
    const table = createClientTable()
    table.join('a', 0)
    table.report('a', report(0, 0), 0, Infinity)
    table.report('a', report(5000, 5000), 4000, Infinity)
    // What it said before the cable was out comes first.
    table.report('a', report(5100, 5100), 12_000, Infinity)
    table.report('a', report(90_000, 5200), 12_100, Infinity)
    expect(table.get('a')).toMatchObject({ loss: 0, sinceMs: 12_100 })
    table.report('a', report(91_000, 6100), 13_200, Infinity)
    expect(table.get('a')).toMatchObject({ loss: expect.closeTo(0.03), sinceMs: 12_100 })
  })

  test('does not take for loss what somebody was told that was never sent, nor counts on from there', () => {
    const table = createClientTable()
    table.join('a', 0)
    table.report('a', report(1000, 990), 0, 1000)
    table.report('a', report(2000, 1980), 250, 2000)
    table.report('a', report(5_000_000, 2970), 500, 3000)
    table.report('a', report(5_001_000, 3960), 750, 4000)
    table.report('a', report(5000, 4950), 1000, 5000)
    expect(table.get('a')).toMatchObject({ loss: expect.closeTo(0.01), sinceMs: 1000 })
    table.report('a', report(6000, 5950), 1250, 6000)
    expect(table.get('a')).toMatchObject({ loss: expect.closeTo(0.007), sinceMs: 1000 })
  })

  test('knows who is silent, and who is not here', () => {
    const table = createClientTable()
    table.join('a', 0)
    table.join('b', 0)
    expect(table.report('b', report(1, 1), 9000, Infinity)).toBe(true)
    expect(table.silentSince(5000)).toEqual(['a'])
    table.leave('a')
    expect([table.report('a', report(1, 1), 9000, Infinity), table.count]).toEqual([false, 1])
  })
})
