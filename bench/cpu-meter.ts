/** What a program takes while it runs: asked of the system every now and then, because afterwards nobody knows. */
import type { LabProcess } from '#test/lab-process'

interface Sample {
  readonly ms: number
  readonly cpuSeconds: number
}

export interface CpuMeter {
  /** Cores that were busy with it, on average, from the first to the second moment; `performance.now()`. */
  between(fromMs: number, toMs: number): number
  /** The busiest it was for about two seconds. */
  busiest(): number
  /** So far, or until it ended, but for the last moment. */
  total(): { readonly cpuSeconds: number; readonly maxRssBytes: number }
}

const everyMs = 200
const stretch = 10

export function meterCpu(running: LabProcess): CpuMeter {
  const samples: Sample[] = []
  let maxRssBytes = 0
  const take = () => {
    const usage = running.usage()
    if (usage === null) return
    samples.push({ ms: performance.now(), cpuSeconds: usage.cpuSeconds })
    maxRssBytes = Math.max(maxRssBytes, usage.maxRssBytes)
  }
  const timer = setInterval(take, everyMs)
  const stop = () => clearInterval(timer)
  void running.ended.then(stop, stop)
  take()
  const rate = (from: Sample | undefined, to: Sample | undefined) =>
    from === undefined || to === undefined || to.ms === from.ms
      ? 0
      : ((to.cpuSeconds - from.cpuSeconds) / (to.ms - from.ms)) * 1000
  return {
    between: (fromMs, toMs) =>
      rate(
        samples.find(({ ms }) => ms >= fromMs),
        samples.findLast(({ ms }) => ms <= toMs),
      ),
    busiest: () =>
      Math.max(0, ...samples.slice(stretch).map((sample, index) => rate(samples[index], sample))),
    total: () => ({ cpuSeconds: samples.at(-1)?.cpuSeconds ?? 0, maxRssBytes }),
  }
}
