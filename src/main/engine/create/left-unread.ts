/** What there is to say of a disk when not all of it could be read, or is called bad, and an image of it was made all the same. */
import { DeviceError } from '#shared/errors'

export interface Unread {
  /** Reads that failed where nothing is in use: else there is no image. Some may be of one and the same place. */
  readonly failedReads: number
  /** What file systems call bad. */
  readonly badBytes: number
}

/** None where there is nothing to say. */
export function warnOfUnread(path: string, { failedReads, badBytes }: Unread): readonly DeviceError[] {
  if (failedReads === 0 && badBytes === 0) return []
  const details = { path, left: 'unread', failedReads, badBytes }
  return [new DeviceError('E_IO_READ', `not all of ${path} was read`, { details })]
}
