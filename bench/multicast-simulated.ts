/** Multicast to more clients than this machine can run: the same code in a simulated network, in simulated time. */
import { runLab } from '#test/simulated-lab'
import type { Line } from './line.ts'

const symbolBytes = 48
const blockBytes = 128 * symbolBytes

/** The more clients, the smaller the image: a thousand take a thousand times as much of our time. */
const labs = [
  { clients: 100, sections: 48, imageTimeMs: 100_000 },
  { clients: 1000, sections: 8, imageTimeMs: 60_000 },
]
const bounds = [
  { loss: 0, atMost: 1.05 },
  { loss: 0.01, atMost: 1.08 },
  { loss: 0.05, atMost: 1.2 },
]

/** The group `multicast-simulated`. */
export async function measureSimulated(): Promise<Line[]> {
  const lines: Line[] = []
  for (const { clients, sections, imageTimeMs } of labs)
    for (const { loss, atMost } of bounds) {
      const lab = runLab({
        seed: 11,
        sizeBytes: sections * blockBytes - 5,
        blockBytes,
        symbolBytes,
        imageTimeMs,
        clients: Array.from({ length: clients }, () => ({ loss })),
      })
      const results = lab.results()
      if (!results.every(({ isIdentical }) => isIdentical))
        throw new Error('a simulated client has something else')
      const slowest = Math.max(...results.map(({ imageTimes }) => imageTimes ?? Infinity))
      const cpuMs = (lab.senderCpuMs() / lab.queue.nowMs) * 1000
      lines.push({
        what: `multicast to ${clients} simulated clients at ${loss * 100} % loss: the slowest, in image-times`,
        ours: `sending took ${cpuMs.toFixed(1)} ms of CPU a second`,
        peer: '',
        value: slowest,
        unit: '×',
        target: { atMost },
      })
    }
  return lines
}
