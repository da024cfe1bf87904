/** Which disks jobs are using: what the marks of a `Disk` are made of, wherever the jobs are known. */
import type { Disk } from './disk.ts'
import type { RestorePlan } from './restore.ts'

/** Paths of disks, and of files that stand for one; other files that jobs write may be among them, and are no disk's. */
export interface DisksInUse {
  readonly written: ReadonlySet<string>
  readonly read: ReadonlySet<string>
}

export function markInUse(disk: Disk, { written, read }: DisksInUse): Disk {
  if (written.has(disk.path)) return { ...disk, busy: true }
  return read.has(disk.path) ? { ...disk, busy: true, onlyRead: true } : disk
}

/** What a restore writes to. A partition stands for its disk, whose map is read again at the end. */
export function pathWritten({ target, request }: Pick<RestorePlan, 'target' | 'request'>): string {
  return target?.disk?.path ?? target?.path ?? request.target
}

/** The disk that a restore reads, or reads a part of; null: it reads none. */
export function diskRead({ source }: Pick<RestorePlan, 'source'>): string | null {
  return source !== null && 'disk' in source ? source.disk.path : null
}
