/**
 * When a client speaks: regularly, a little beside the beat so that a thousand clients don't speak at once; and soon, when
 * the stream has gone quiet and waits for whoever still lacks something.
 */
export interface ReportPlan {
  readonly dueMs: number
  /** A report was sent. */
  sent(nowMs: number): void
  /** Speak soon. */
  hurry(nowMs: number): void
  setInterval(everyMs: number): void
}

/** Where within its time a report falls, and how soon soon is. */
const jitterShare = 0.5
export const hurryMs = 40
const hurryJitterMs = 40

/** `chance`: 0 up to but not 1, anew on each call. The first report is due at once. */
export function createReportPlan(chance: () => number, nowMs: number): ReportPlan {
  let intervalMs = 250
  let dueMs = nowMs
  return {
    get dueMs() {
      return dueMs
    },
    sent(nowMs) {
      dueMs = nowMs + intervalMs * (1 + (chance() - 0.5) * jitterShare)
    },
    hurry(nowMs) {
      dueMs = Math.min(dueMs, nowMs + hurryMs + chance() * hurryJitterMs)
    },
    setInterval(everyMs) {
      intervalMs = everyMs
    },
  }
}
