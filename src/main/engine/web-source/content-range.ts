/** `Content-Range` (RFC 9110 §14.4). Pure. */

export interface ContentRange {
  /** Null in an answer that says only how long the file is. */
  readonly from: number | null
  /** Exclusive. */
  readonly to: number | null
  /** Null when the server doesn't know it. */
  readonly sizeBytes: number | null
}

/** Null for what isn't a range of bytes, or contradicts itself. */
export function parseContentRange(text: string | undefined): ContentRange | null {
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(?:(\d{1,15})|\*)$/i.exec(text?.trim() ?? '')
  if (match === null) return null
  const [from, last, sizeBytes] = [match[1], match[2], match[3]].map((part) =>
    part === undefined ? null : Number(part),
  ) as [number | null, number | null, number | null]
  const to = last === null ? null : last + 1
  if (from !== null && to !== null && from >= to) return null
  if (to !== null && sizeBytes !== null && to > sizeBytes) return null
  return { from, to, sizeBytes }
}
