import { describe, expect, test } from 'vitest'
import { runLab } from '#test/simulated-lab'

/**
 * How long a lab takes, in image-times: the time the image's own symbols take at the Data Rate, headers included. Time is
 * simulated, so these figures are the same on every machine.
 */
const bounds = [
  { loss: 0, bound: 1.05 },
  { loss: 0.01, bound: 1.08 },
  { loss: 0.05, bound: 1.2 },
]
/** The more clients, the smaller the image: a thousand clients take a thousand times as much of our time. */
const labs = [
  { clients: 1, sections: 256, imageTimeMs: 360_000 },
  { clients: 16, sections: 128, imageTimeMs: 200_000 },
  { clients: 100, sections: 48, imageTimeMs: 100_000 },
  { clients: 1000, sections: 8, imageTimeMs: 60_000 },
]
// Without loss nothing depends on chance, and half the image says as much.
const cases = labs.flatMap((lab) =>
  bounds.map((bound) => ({ ...lab, ...bound, sections: lab.sections / (bound.loss === 0 ? 2 : 1) })),
)
const symbolBytes = 48

describe('a lab has the whole image', () => {
  test.each(cases)(
    'in $bound image-times: $clients clients that lose $loss',
    (given) => {
      const { clients, sections, imageTimeMs, loss, bound } = given
      const blockBytes = 128 * symbolBytes
      const lab = runLab({
        seed: 11,
        sizeBytes: sections * blockBytes - 5,
        blockBytes,
        symbolBytes,
        imageTimeMs,
        clients: Array.from({ length: clients }, () => ({ loss })),
      })
      const results = lab.results()
      expect(results.every(({ isIdentical }) => isIdentical)).toBe(true)
      expect(Math.max(...results.map(({ imageTimes }) => imageTimes ?? Infinity))).toBeLessThan(bound)
    },
    120_000,
  )

  test('from the moment of joining, for clients that join late', () => {
    const blockBytes = 4 * 100 * symbolBytes
    const imageTimeMs = 200_000
    const joins = [0, 50_000, 123_456, 199_000, 320_000, 700_000]
    const lab = runLab({
      seed: 12,
      sizeBytes: 24 * blockBytes,
      blockBytes,
      symbolBytes,
      imageTimeMs,
      clients: joins.map((joinMs) => ({ joinMs, loss: 0.01 })),
    })
    for (const { imageTimes, isIdentical } of lab.results()) {
      expect(isIdentical).toBe(true)
      expect(imageTimes).toBeLessThan(1.08)
    }
    // The third lap, for the last one, was sent for it alone; before that, the stream was quiet.
    expect(lab.queue.nowMs).toBeLessThan(700_000 + 1.08 * imageTimeMs)
  })
})
