import { describe, expect, test } from 'vitest'
import { runLab, type Lab, type LabClient, type LabOptions } from '#test/simulated-lab'
import { seededBytes, seededRandom } from '#test/seeded'

const symbolBytes = 64
const imageTimeMs = 150_000

/** Blocks of three sections each, the last one short. */
function lab(clients: readonly LabClient[], options: Partial<LabOptions> = {}): Lab {
  const blockBytes = 320 * symbolBytes
  return runLab({
    seed: 21,
    sizeBytes: 20 * blockBytes - 1000,
    blockBytes,
    symbolBytes,
    imageTimeMs,
    clients,
    ...options,
  })
}

const times = (lab: Lab) => lab.results().map(({ imageTimes }) => imageTimes ?? Infinity)
const areIdentical = (lab: Lab) => lab.results().every(({ isIdentical }) => isIdentical)
const crowd = (count: number, client: LabClient = {}) => Array.from({ length: count }, () => client)

describe('every finished client has the image, byte for byte, each block written once', () => {
  test('after bursts, reordering and repetition', () => {
    const bad: LabClient = {
      loss: 0.005,
      burst: { start: 0.002, length: 12 },
      reorder: { share: 0.1, byMs: 60 },
      repeat: 0.03,
    }
    const run = lab(crowd(8, bad))
    expect(areIdentical(run)).toBe(true)
    expect(Math.max(...times(run))).toBeLessThan(1.35)
  })

  test('after a cut in the middle, and one across the end', () => {
    const cut: LabClient = { loss: 0.01, cuts: [[30_000, 45_000]] }
    const atEnd: LabClient = { loss: 0.01, cuts: [[130_000, 190_000]] }
    const run = lab([...crowd(4, { loss: 0.01 }), cut, atEnd])
    expect(areIdentical(run)).toBe(true)
    const [first, second, third, fourth, inTheMiddle, acrossTheEnd] = times(run) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    expect(Math.max(first, second, third, fourth)).toBeLessThan(1.08)
    // What it missed is sent once more, and nothing else.
    expect(inTheMiddle).toBeLessThan(1.25)
    expect(acrossTheEnd).toBeLessThan(1.55)
  })

  test('after a reboot, going on where its journal is', () => {
    const run = lab([...crowd(3, { loss: 0.01 }), { loss: 0.01, rebootMs: [75_000, 10_000] }])
    expect(areIdentical(run)).toBe(true)
    expect(Math.max(...times(run))).toBeLessThan(1.25)
  })

  test('while somebody sprays forged, replayed, cut and random datagrams', () => {
    const random = seededRandom(5)
    const script = ({ queue, spray, lastDatagrams }: Lab) => {
      const attack = () => {
        const real = lastDatagrams[random.below(lastDatagrams.length)]
        if (real !== undefined) {
          spray(real)
          const forged = real.slice()
          forged[random.below(forged.length)]! ^= 1 << random.below(8)
          spray(forged)
          spray(real.slice(0, random.below(real.length)))
        }
        spray(seededBytes(random, random.below(200)))
        if (queue.nowMs < imageTimeMs) queue.at(queue.nowMs + 40, attack)
      }
      queue.at(100, attack)
    }
    const run = lab(crowd(3, { loss: 0.01 }), { script })
    expect(areIdentical(run)).toBe(true)
    expect(Math.max(...times(run))).toBeLessThan(1.08)
    const { rejected, wrongBlocks } = run.results()[0]!.receiver.progress()
    expect(rejected.foreign + rejected.forged + rejected.unknown).toBeGreaterThan(1000)
    expect(wrongBlocks).toBe(0)
  })

  test('while a client makes the others believe that far more was sent', () => {
    const script = ({ queue, spray, coder, lastDatagrams }: Lab) =>
      [20_000, 60_000].forEach((atMs, index) =>
        queue.at(atMs, () => {
          const last = coder.decode(lastDatagrams.at(-1)!)
          if (last.kind !== 'symbol') throw new Error('nothing is sent')
          for (const serial of [2 ** 53 - 1, last.serial + 1_000_000])
            spray(
              index === 0
                ? coder.encode({ ...last, serial })
                : coder.encode({ kind: 'position', section: 0, state: 'streaming', serial }),
            )
        }),
      )
    const run = lab(crowd(9, { loss: 0.01 }), { script })
    expect(areIdentical(run)).toBe(true)
    expect(Math.max(...times(run))).toBeLessThan(1.1)
    expect(run.sender.clients().every(({ loss }) => loss < 0.05)).toBe(true)
    expect(run.results()[0]?.receiver.progress().rejected.impossible).toBe(2)
  })

  test('with little memory and a slow disk', () => {
    const run = lab([
      ...crowd(2),
      { loss: 0.02, holdBytes: 3 * 320 * symbolBytes },
      { holdBytes: 4 * 320 * symbolBytes, writeBytesPerSecond: 2000 },
    ])
    expect(areIdentical(run)).toBe(true)
    expect(Math.max(...times(run).slice(0, 3))).toBeLessThan(1.25)
  })
})

describe('a client costs itself, not the lab', () => {
  const healthy = crowd(3, { loss: 0.01 })
  const blockBytes = 320 * symbolBytes
  const bytesPerSecond = (20 * blockBytes * 1000) / imageTimeMs
  const alone = Math.max(...times(lab(healthy)))

  test('when it is killed', () => {
    const run = lab([...healthy, { loss: 0.01, vanishMs: 60_000 }])
    expect(Math.max(...times(run).slice(0, 3))).toBeLessThan(alone * 1.02)
  })

  test('when its disk is slow', () => {
    const run = lab([...healthy, { writeBytesPerSecond: bytesPerSecond / 5, holdBytes: 4 * blockBytes }])
    expect(areIdentical(run)).toBe(true)
    expect(Math.max(...times(run).slice(0, 3))).toBeLessThan(alone * 1.05)
    expect(run.sent.symbols).toBeLessThan(2 * 20 * 320)
  })

  test('nor another that is slow for its narrow way, when its disk is slow', () => {
    const slowDisk = { writeBytesPerSecond: bytesPerSecond / 10, holdBytes: 4 * blockBytes }
    const rate = (20 * 320 * (symbolBytes + 60) * 1000) / imageTimeMs
    const narrow = { narrow: { bytesPerSecond: rate / 3, queueBytes: 10 * (symbolBytes + 60) } }
    const run = lab([slowDisk, narrow], { limit: 12 })
    expect(areIdentical(run)).toBe(true)
    // With one beside it that has everything at once: 3.2.
    expect(times(run)[1]).toBeLessThan(4)
    expect(run.sent.symbols).toBeLessThan(5 * 20 * 320)
  })

  test('when its way is too narrow', () => {
    const rate = (20 * 320 * (symbolBytes + 60) * 1000) / imageTimeMs
    const narrow = { bytesPerSecond: rate / 3, queueBytes: 10 * (symbolBytes + 60) }
    let standings: string[] = []
    const script = ({ queue, sender }: Lab) =>
      queue.at(imageTimeMs / 2, () => (standings = sender.clients().map(({ standing }) => standing)))
    const run = lab([...healthy, { narrow }], { script })
    expect(areIdentical(run)).toBe(true)
    expect(Math.max(...times(run).slice(0, 3))).toBeLessThan(alone * 1.05)
    expect(standings.toSorted()).toEqual(['slow', 'well', 'well', 'well'])
  })
})

describe('the stream', () => {
  test('works without a word back, by laps with fresh repair', () => {
    const run = lab(crowd(5, { loss: 0.03 }), {
      sender: { feedback: { kind: 'none', repairShare: 0.12 } },
    })
    expect(areIdentical(run)).toBe(true)
    expect(Math.max(...times(run))).toBeLessThan(1.3)
  })

  test('goes quiet when nobody needs anything, and wakes up for who comes', () => {
    const run = lab([{}, { joinMs: 2 * imageTimeMs }])
    expect(run.sent.symbols).toBe(2 * 20 * 320 - 2 * Math.floor(1000 / symbolBytes))
    expect(run.sent.positions).toBeLessThan((1.1 * imageTimeMs) / 1000 + 20)
    expect(Math.max(...times(run))).toBeLessThan(1.03)
  })

  test('slows down when that helps everyone, and only then', () => {
    const rate = (20 * 320 * (symbolBytes + 60) * 1000) / imageTimeMs
    const queueBytes = 20 * (symbolBytes + 60)
    const full = lab(crowd(4, { narrow: { bytesPerSecond: rate * 0.6, queueBytes } }))
    expect(areIdentical(full)).toBe(true)
    expect(full.sender.rate).toBeLessThan(rate * 0.8)
    const lossy = lab(crowd(4, { loss: 0.08 }))
    expect(Math.max(...times(lossy))).toBeLessThan(1.3)
    expect(lossy.sender.rate).toBeGreaterThan(rate * 0.6)
  })

  test('waits for slow disks when there is a Client Data Rate', () => {
    const rate = (20 * 320 * (symbolBytes + 60) * 1000) / imageTimeMs
    const clients = crowd(3, { writeBytesPerSecond: rate * 0.25, holdBytes: 8 * 320 * symbolBytes })
    const waits = lab(clients, { sender: { clientDataRate: rate * 0.2 } })
    const hurries = lab(clients)
    expect(areIdentical(waits) && areIdentical(hurries)).toBe(true)
    expect(waits.sent.symbols).toBeLessThan(hurries.sent.symbols)
    expect(hurries.sent.symbols).toBeLessThan(1.25 * 20 * 320)
  })

  test('sends a slow disk what it has room for, and a fast one that stood still all that it can', () => {
    const blockBytes = 320 * symbolBytes
    const quick = { sizeBytes: 100 * blockBytes, imageTimeMs: 8000, limit: 12 }
    const bytesPerSecond = (100 * blockBytes * 1000) / 8000
    const holdBytes = 10 * blockBytes
    const slow = lab([{ writeBytesPerSecond: bytesPerSecond / 5, holdBytes }], quick)
    expect(areIdentical(slow)).toBe(true)
    expect(slow.sent.symbols).toBeLessThan(2 * 100 * 320)
    expect(times(slow)[0]).toBeLessThan(5.7)
    const stood = {
      loss: 0.01,
      writeBytesPerSecond: bytesPerSecond * 2,
      writePause: [2000, 4000],
      holdBytes,
    } as const
    const still = lab(crowd(3, stood), quick)
    expect(areIdentical(still)).toBe(true)
    expect(Math.max(...times(still))).toBeLessThan(1.3)
  })

  test('never exceeds its rate in any 10 ms', () => {
    // 12 MB/s with datagrams of full size.
    const wide = lab([{ loss: 0.01 }, { joinMs: 100 }], {
      symbolBytes: 1408,
      blockBytes: 1024 * 1024,
      sizeBytes: 3 * 1024 * 1024,
      imageTimeMs: (3 * 745 * 1468 * 1000) / 12e6,
      limit: 50,
    })
    expect(areIdentical(wide)).toBe(true)
    let first = 0
    let most = 0
    wide.times.forEach((atMs, index) => {
      while (wide.times[first]! <= atMs - 10) first += 1
      most = Math.max(most, (index - first + 1) * wide.datagramBytes)
    })
    expect(most).toBeLessThanOrEqual(12e6 / 100)
    expect(most).toBeGreaterThan(0.95 * (12e6 / 100))
  })
})
