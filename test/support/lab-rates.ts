/** How fast a stream really was: from the moments and sizes of its packets on the wire. Pure. */

export interface SentPacket {
  readonly ms: number
  /** From the IPv4 header on, as Data Rate counts. */
  readonly bytes: number
}

export interface WireRates {
  readonly packets: number
  readonly bytes: number
  /** From the first packet to the last. */
  readonly ms: number
  /** Bytes a second over all of it: what was sent after the first packet, over that time. */
  readonly average: number
  /** Bytes a second in the fullest 10 ms, wherever they begin. */
  readonly highestIn10Ms: number
}

/** `packets` in order of time. */
export function measureRates(packets: readonly SentPacket[]): WireRates {
  const [first, last] = [packets[0], packets.at(-1)]
  if (first === undefined || last === undefined)
    return { packets: 0, bytes: 0, ms: 0, average: 0, highestIn10Ms: 0 }
  const bytes = packets.reduce((sum, packet) => sum + packet.bytes, 0)
  const ms = last.ms - first.ms
  return {
    packets: packets.length,
    bytes,
    ms,
    average: ms === 0 ? 0 : ((bytes - first.bytes) / ms) * 1000,
    highestIn10Ms: mostWithin(packets, 10) * 100,
  }
}

/** The most bytes in any stretch of `windowMs`: a packet exactly `windowMs` after another isn't in the same one. */
export function mostWithin(packets: readonly SentPacket[], windowMs: number): number {
  let most = 0
  let within = 0
  let oldest = 0
  for (const { ms, bytes } of packets) {
    within += bytes
    // A fullest window can always be moved so that it ends with a packet.
    for (
      let packet = packets[oldest];
      packet !== undefined && packet.ms <= ms - windowMs;
      packet = packets[oldest]
    ) {
      within -= packet.bytes
      oldest += 1
    }
    most = Math.max(most, within)
  }
  return most
}
