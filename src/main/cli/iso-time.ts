/** Times as text. They come from images and file systems, so they may be any number. */

/** `2026-05-12T10:00:00.000Z`; null for what isn't a time of the years 0 to 9999. */
export function isoTime(ms: number): string | null {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return null
  const text = date.toISOString()
  return /^\d/.test(text) ? text : null
}
