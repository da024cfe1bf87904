/**
 * Work on images that isn't a restore: what may be asked, and what comes out. One union, so that the contracts, the job
 * table and the command line know one way to start it; each kind has its own file of plain data beside this one.
 */
import type { ConvertRequest } from './convert.ts'
import type { CreateRequest } from './create.ts'
import type { ResizeRequest } from './resize.ts'
import type { ChecksumRequest, ScanRequest } from './scan.ts'

export type ImageTask =
  | { readonly kind: 'verify'; readonly path: string }
  | ({ readonly kind: 'convert' } & ConvertRequest)
  | ({ readonly kind: 'create' } & CreateRequest)
  | ({ readonly kind: 'scan' } & ScanRequest)
  | ({ readonly kind: 'add-checksum' } & ChecksumRequest)
  | ({ readonly kind: 'resize' } & ResizeRequest)
  | { readonly kind: 'compact'; readonly path: string }

export type ImageTaskKind = ImageTask['kind']

/** Locator of what the task reads, as it was asked for; null: nothing, a blank image is made. */
export function imageTaskSource(task: ImageTask): string | null {
  if (task.kind === 'convert') return task.source
  if (task.kind !== 'create') return task.path
  return task.from.kind === 'blank' ? null : task.from.path
}

/** The file the task is about, for titles: the image that is read, or the one that is made. */
export function imageTaskPath(task: ImageTask): string {
  if (task.kind === 'create') return task.target
  return task.kind === 'convert' ? task.source : task.path
}

/** The file the task changes or makes; null: it only reads. */
export function imageTaskWritten(task: ImageTask): string | null {
  if (task.kind === 'verify') return null
  return 'target' in task ? task.target : task.path
}
