import { describe, expect, test } from 'vitest'
import { runLab, type LabClient } from '#test/simulated-lab'

/**
 * Finding the rate that a network takes, in streams of some seconds: what is sent in all, in images, and how long it takes, in
 * image-times at the Data Rate. 12 MB/s would be as many datagrams of full size.
 */
const symbolBytes = 64
const symbolsPerSecond = 8192
const rate = symbolsPerSecond * (symbolBytes + 60)
const seed = 31

function stream(seconds: number, clients: readonly LabClient[]) {
  const lab = runLab({
    seed,
    sizeBytes: seconds * symbolsPerSecond * symbolBytes,
    blockBytes: 8 * 128 * symbolBytes,
    symbolBytes,
    imageTimeMs: seconds * 1000,
    clients,
    limit: 20,
  })
  const results = lab.results()
  expect(results.every(({ isIdentical }) => isIdentical)).toBe(true)
  return {
    sent: lab.sent.symbols / (seconds * symbolsPerSecond),
    times: results.map(({ imageTimes }) => imageTimes ?? Infinity),
  }
}

const crowd = (count: number, client: LabClient = {}) => Array.from({ length: count }, () => client)
const narrow = (share: number, datagrams = 100): LabClient => ({
  narrow: { bytesPerSecond: rate * share, queueBytes: datagrams * (symbolBytes + 60) },
})

describe('the rate of a stream', () => {
  test.each([
    { what: 'one client behind a third of the rate', clients: [narrow(1 / 3)], least: 3 },
    { what: 'the same behind a deep queue', clients: [narrow(1 / 3, 2000)], least: 3 },
    { what: 'four clients behind a third', clients: crowd(4, narrow(1 / 3)), least: 3 },
    { what: 'one that loses 5 % besides', clients: [{ ...narrow(1 / 3), loss: 0.05 }], least: 3.15 },
    { what: 'one behind a tenth', clients: [narrow(0.1)], least: 10 },
    { what: 'one that is nearly wide enough', clients: [narrow(0.9)], least: 1.11 },
  ])('soon goes as fast as they take it: $what', ({ clients, least }) => {
    const { sent, times } = stream(4, clients)
    expect(sent).toBeLessThan(1.3)
    expect(Math.max(...times)).toBeLessThan(least * 1.3)
  })

  test('does not wait for one client of two, or of four', () => {
    for (const others of [1, 3]) {
      const { times } = stream(8, [...crowd(others), narrow(1 / 3)])
      // As without it: what was sent until it was known to be slow is all that there is of it.
      expect(Math.max(...times.slice(0, others))).toBeLessThan(1.18)
    }
  })

  test('keeps its rate where what is lost is not its doing', () => {
    const times = [0.01, 0.05].flatMap((loss) =>
      [1, 4, 16].map((clients) => Math.max(...stream(8, crowd(clients, { loss })).times)),
    )
    expect(Math.max(...times.slice(0, 3))).toBeLessThan(1.08)
    expect(Math.max(...times.slice(3))).toBeLessThan(1.2)
  })

  test('is itself again soon after an interruption', () => {
    const { times } = stream(8, [{ cuts: [[2000, 2300]] }])
    expect(times[0]).toBeLessThan(1.25)
  })
})
