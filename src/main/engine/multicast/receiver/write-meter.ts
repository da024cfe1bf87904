/** What was handed out to be written and isn't yet, and how fast writing goes while there is something to write. */
export interface WriteMeter {
  readonly backlogBytes: number
  /** 0 until known. */
  readonly bytesPerSecond: number
  handed(bytes: number, nowMs: number): void
  written(bytes: number, nowMs: number): void
  /** Given up: neither to be written any more, nor written. */
  dropped(bytes: number): void
}

const sampleWeight = 0.2
const sampleMs = 250

export function createWriteMeter(): WriteMeter {
  let backlogBytes = 0
  let bytesPerSecond = 0
  let busySinceMs = 0
  let sampledBytes = 0
  return {
    get backlogBytes() {
      return backlogBytes
    },
    get bytesPerSecond() {
      return Math.round(bytesPerSecond)
    },
    handed(bytes, nowMs) {
      if (backlogBytes === 0) [busySinceMs, sampledBytes] = [nowMs, 0]
      backlogBytes += bytes
    },
    written(bytes, nowMs) {
      backlogBytes -= bytes
      sampledBytes += bytes
      const elapsedMs = nowMs - busySinceMs
      if (elapsedMs < sampleMs) return
      const sample = (sampledBytes * 1000) / elapsedMs
      bytesPerSecond =
        bytesPerSecond === 0 ? sample : bytesPerSecond + (sample - bytesPerSecond) * sampleWeight
      ;[busySinceMs, sampledBytes] = [nowMs, 0]
    },
    dropped(bytes) {
      backlogBytes -= bytes
    },
  }
}
