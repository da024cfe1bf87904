/** A source that isn't what was to be copied any more. */
import { DeviceError } from '#shared/errors'

export const changedSource = (path: string) =>
  new DeviceError('E_SRC_CHANGED', `${path} isn't what it was when the plan was made`, { details: { path } })

export const changedWhileRead = (
  path: string,
  where: {
    readonly offset?: number
    readonly differingBlocks?: number
    /** Where it is mounted now, and wasn't. */
    readonly mountPoints?: readonly string[]
  } = {},
) =>
  new DeviceError('E_SRC_CHANGED', `${path} changed while it was being copied`, {
    details: { path, when: 'reading', ...where },
  })
