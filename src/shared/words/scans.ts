/** When an image was scanned for restore, and what was stored then. */
import type { ScanInfo } from '#shared/model'
import { localTime } from '#shared/units'

/** Null when the scan doesn't say. */
export const scanDay = ({ dateMs }: ScanInfo): string | null =>
  dateMs === null ? null : localTime(dateMs, { dateStyle: 'medium' })

/** Of its partitions. */
export const scanHashes = ({ partitions }: ScanInfo): readonly string[] => [
  ...(partitions.some(({ sha256 }) => sha256 !== null) ? ['SHA-256'] : []),
  ...(partitions.some(({ sha1 }) => sha1 !== null) ? ['SHA-1'] : []),
]

/** `Scanned 12 May 2026, SHA-256` */
export function describeScan(scan: ScanInfo): string {
  const day = scanDay(scan)
  return [day === null ? 'Scanned' : `Scanned ${day}`, ...scanHashes(scan)].join(', ')
}
