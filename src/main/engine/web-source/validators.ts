/**
 * What tells one state of a file on a server from another (RFC 9110 §8.8). Pure. A strong ETag is enough by itself; a
 * weak one, or a date, only together with the size and whatever else the server says. Every answer is compared with the
 * first one, so that what is read is never a mixture.
 */
import type { IncomingHttpHeaders } from 'node:http'

export interface Validators {
  readonly etag: string | null
  /** As the server wrote it: it's compared, not calculated with. */
  readonly lastModified: string | null
}

export function readValidators(headers: IncomingHttpHeaders): Validators {
  const etag = headers.etag?.trim() ?? ''
  const lastModified = headers['last-modified']?.trim() ?? ''
  return {
    etag: /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) && etag.length <= 1024 ? etag : null,
    lastModified: lastModified !== '' && lastModified.length <= 64 ? lastModified : null,
  }
}

const isStrong = (etag: string | null): etag is string => etag !== null && !etag.startsWith('W/')

/** The value of `If-Range`; null where nothing may be used for it: a weak ETag may not, nor a date where that was found to be too young. */
export function ifRange(
  { etag, lastModified }: Validators,
  { byDate }: { readonly byDate: boolean },
): string | null {
  if (isStrong(etag)) return etag
  return byDate ? lastModified : null
}

/** The server says nothing by which a change could be noticed, but for the size. */
export const areNone = ({ etag, lastModified }: Validators): boolean => etag === null && lastModified === null

/** Of the same state, as far as the server tells. */
export function sameValidators(a: Validators, b: Validators): boolean {
  if (isStrong(a.etag) && isStrong(b.etag)) return a.etag === b.etag
  return a.etag === b.etag && a.lastModified === b.lastModified
}

/** One line that is the same for the same state. `digest`: of the whole contents, where it is all that is known. */
export function versionOf(
  { etag, lastModified }: Validators,
  { sizeBytes, digest = null }: { readonly sizeBytes: number; readonly digest?: string | null },
): string {
  if (isStrong(etag)) return `${sizeBytes} ${etag}`
  const parts = [etag, lastModified, digest].filter((part) => part !== null)
  return [String(sizeBytes), ...parts].join(' ')
}

/** In ms since 1970; null when the server doesn't say, or not in the way that RFC 9110 asks for. */
export function modifiedOf({ lastModified }: Validators): number | null {
  const time = lastModified === null ? NaN : Date.parse(lastModified)
  return Number.isFinite(time) ? time : null
}
