/** Milliseconds → `0:07`, `12:40`, `1:02:03`. */
export function formatClock(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000))
  const seconds = String(total % 60).padStart(2, '0')
  const minutes = Math.floor(total / 60) % 60
  const hours = Math.floor(total / 3600)
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`
}

/** Milliseconds left, as one says it: `less than 5 seconds`, `about 40 seconds`, `about 6 minutes`, `about 2 hours`. */
export function formatRemaining(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 5) return 'less than 5 seconds'
  if (seconds < 55) return `about ${Math.ceil(seconds / 5) * 5} seconds`
  if (seconds < 90) return 'about a minute'
  if (seconds < 55 * 60) return `about ${Math.round(seconds / 60)} minutes`
  const hours = Math.round(seconds / 1800) / 2
  return hours <= 1 ? 'about an hour' : `about ${hours} hours`
}
