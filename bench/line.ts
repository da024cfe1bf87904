/** One line of the result: a figure beside its target. */

/** `value` is what the target speaks of: a ratio, seconds, MiB. No target: told only. */
export interface Line {
  readonly what: string
  readonly ours: string
  readonly peer: string
  readonly value: number
  readonly unit: '×' | 's' | 'MiB' | 'kB' | 'ms'
  readonly target: Target | null
}

export type Target = { readonly atMost: number } | { readonly atLeast: number }

export type Verdict = 'pass' | 'FAIL' | 'told'

export function verdict({ value, target }: Line): Verdict {
  if (target === null) return 'told'
  return ('atMost' in target ? value <= target.atMost : value >= target.atLeast) ? 'pass' : 'FAIL'
}

export function targetText({ target, unit }: Line): string {
  if (target === null) return ''
  return 'atMost' in target ? `≤ ${target.atMost} ${unit}` : `≥ ${target.atLeast} ${unit}`
}

export const inSeconds = (value: number) => `${value.toFixed(2)} s`
export const inMiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
export const perSecond = (bytes: number, seconds: number) => `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`
