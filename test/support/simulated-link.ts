/** The way from the switch to one client: what is lost on it, how long it takes, when it is cut. All from one seed. */
import type { SeededRandom } from '#test/seeded'

export interface LinkOptions {
  /** Share of datagrams that are lost, each by itself. */
  readonly loss?: number
  /** Bursts: how often one begins, and how many datagrams it takes on average. */
  readonly burst?: { readonly start: number; readonly length: number }
  /** Share that comes up to so much later than the rest. */
  readonly reorder?: { readonly share: number; readonly byMs: number }
  /** Share that comes twice, the second time up to 50 ms later. */
  readonly repeat?: number
  /** Nothing passes from … to, in milliseconds of the simulation; control messages wait. */
  readonly cuts?: readonly (readonly [number, number])[]
  /** Bytes a second that fit through, with a queue of so many bytes before it. */
  readonly narrow?: { readonly bytesPerSecond: number; readonly queueBytes: number }
}

export interface SimulatedLink {
  /** When a datagram of so many bytes, sent at `sentMs`, comes: no times, one, or two. Valid until the next call. */
  arrivals(sentMs: number, bytes: number): readonly number[]
  /** When a control message comes: after those that were sent before it. */
  controlArrival(sentMs: number, way: 'to the server' | 'to the client'): number
}

/** A way without detours takes that long. */
export const latencyMs = 0.5

export function simulateLink(options: LinkOptions, random: SeededRandom): SimulatedLink {
  const { loss = 0, burst, reorder, repeat = 0, cuts = [], narrow } = options
  let burstLeft = 0
  let queueFreeMs = 0
  const times: number[] = []
  const lastArrivals = { 'to the server': 0, 'to the client': 0 }

  const isLost = () => {
    if (burstLeft > 0) {
      burstLeft -= 1
      return true
    }
    if (burst !== undefined && random.chance(burst.start)) {
      // Geometric, so that bursts of any length occur.
      burstLeft = Math.floor(-Math.log(1 - random.fraction()) * (burst.length - 1))
      return true
    }
    return random.chance(loss)
  }
  const isCut = (atMs: number) => cuts.some(([from, to]) => atMs >= from && atMs < to)

  return {
    arrivals(sentMs, bytes) {
      times.length = 0
      if (isLost() || (cuts.length > 0 && isCut(sentMs))) return times
      let atMs = sentMs + latencyMs
      if (narrow !== undefined) {
        const waitMs = Math.max(0, queueFreeMs - atMs)
        if ((waitMs * narrow.bytesPerSecond) / 1000 > narrow.queueBytes) return times
        atMs += waitMs + (bytes * 1000) / narrow.bytesPerSecond
        queueFreeMs = atMs
      }
      if (reorder !== undefined && random.chance(reorder.share)) atMs += random.fraction() * reorder.byMs
      times.push(atMs)
      if (random.chance(repeat)) times.push(atMs + random.fraction() * 50)
      return times
    },
    controlArrival(sentMs, way) {
      const cut = cuts.find(([from, to]) => sentMs >= from && sentMs < to)
      // TCP's own retries take a while to find out that the way is open again.
      const atMs = (cut === undefined ? sentMs : cut[1] + 200) + latencyMs + random.fraction() * 2
      lastArrivals[way] = Math.max(lastArrivals[way], atMs)
      return lastArrivals[way]
    },
  }
}
