/** Sizes for people (decimal, as disks are sold and as Disk Utility prints them) and sizes from people. */

/** What disk images count in, whatever the sectors of the disk itself are. */
export const sectorBytes = 512

const names = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `14200000000` → `14.2 GB`. Three significant figures, no trailing zeros; under 1,000 it counts bytes. */
export function formatBytes(bytes: number): string {
  let value = Math.abs(bytes)
  let unit = 0
  while (value >= 999.5 && unit < names.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  const figure = digits === 0 ? value.toFixed(0) : String(Number(value.toFixed(digits)))
  const name = unit === 0 && figure === '1' ? 'byte' : (names[unit] ?? 'PB')
  return `${bytes < 0 ? '−' : ''}${figure} ${name}`
}

/** `1234567` → `1,234,567`. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Bytes a second → `123 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond).replace('bytes', 'B').replace('byte', 'B')}/s`
}

const multipliers = { b: 512, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const

/**
 * A size as mkfile(8) and asr(8) take it: bytes, or a number with `b` (512-byte blocks), `k`, `m`, `g` or `t` (powers
 * of 1024), in either case. Returns bytes, a safe integer of 1 or more, or null when it isn't a size.
 */
export function parseSize(text: string): number | null {
  const match = /^(\d+)([bkmgt]?)$/i.exec(text.trim())
  if (!match) return null
  const suffix = (match[2] ?? '').toLowerCase()
  const size = Number(match[1]) * (suffix === '' ? 1 : multipliers[suffix as keyof typeof multipliers])
  return Number.isSafeInteger(size) && size > 0 ? size : null
}

/** `7.7 %`, `36 %`: of nothing, 0 %. */
export function formatShare(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (part / whole) * 100
  const digits = percent > 0 && percent < 9.95 ? 1 : 0
  return `${percent.toFixed(digits)} %`
}
