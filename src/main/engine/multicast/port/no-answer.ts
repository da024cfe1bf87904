/** A source that doesn't answer: a server that is gone, a disk that hangs. Such a read may never end, not even with an error. */
import { DeviceError } from '#shared/errors'

/** A read that takes longer counts as failing, for as long as it does. */
export const unansweredMs = 5000
/** So often that is looked at. */
export const lookMs = 500

export const noAnswer = (path: string, offset: number): DeviceError =>
  new DeviceError('E_IO_READ', `reading ${path} at ${offset}: no answer`, {
    details: { path, offset, reason: 'no-answer' },
    transient: true,
  })

export const isNoAnswer = (error: unknown): boolean =>
  error instanceof DeviceError && error.details['reason'] === 'no-answer'
