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

/** Time in which there was nothing to write doesn't count: a disk that keeps up is measured, too. */
export function createWriteMeter(): WriteMeter {
  let backlogBytes = 0
  let bytesPerSecond = 0
  let seenMs = 0
  let busyMs = 0
  let sampledBytes = 0
  const passTime = (nowMs: number) => {
    if (backlogBytes > 0) busyMs += Math.max(0, nowMs - seenMs)
    seenMs = nowMs
  }
  return {
    get backlogBytes() {
      return backlogBytes
    },
    get bytesPerSecond() {
      return Math.round(bytesPerSecond)
    },
    handed(bytes, nowMs) {
      passTime(nowMs)
      backlogBytes += bytes
    },
    written(bytes, nowMs) {
      passTime(nowMs)
      backlogBytes -= bytes
      sampledBytes += bytes
      if (busyMs < sampleMs) return
      const sample = (sampledBytes * 1000) / busyMs
      bytesPerSecond =
        bytesPerSecond === 0 ? sample : bytesPerSecond + (sample - bytesPerSecond) * sampleWeight
      busyMs = 0
      sampledBytes = 0
    },
    dropped(bytes) {
      backlogBytes -= bytes
    },
  }
}
