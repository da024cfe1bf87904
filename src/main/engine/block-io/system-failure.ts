/**
 * The system's words (`errno`) as our codes. One place, so that a pulled-out disk is the same error whoever noticed it
 * and however: reading, writing, at open.
 */
import { AppError, DeviceError, errnoName, type DeviceCode } from '#shared/errors'

/** Whether the path is read from or written to: the same errno means another code. */
export type Role = 'source' | 'destination'

/** What a node says when the device behind it was pulled out, or its server or file system went away. */
const gone = new Set(['ENXIO', 'ENODEV', 'ENOMEDIUM', 'ESTALE', 'ENOTCONN', 'ESHUTDOWN', 'EHOSTDOWN'])
const absent = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'])
const denied = new Set(['EACCES', 'EPERM'])
const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
/** A retry with nothing changed may work. */
const passing = new Set(['EAGAIN', 'EINTR', 'ENOMEM', 'ENOBUFS', 'EBUSY', 'ETIMEDOUT'])

/** `EIO` of a Node system error; null when `error` isn't one. */
export const errnoOf = (error: unknown): string | null =>
  error instanceof Error && 'syscall' in error ? (errnoName(error) ?? null) : null

const goneCode = (role: Role): DeviceCode => (role === 'source' ? 'E_SRC_GONE' : 'E_DST_GONE')

function failure(code: DeviceCode, error: unknown, what: string, details: { path: string; offset?: number }) {
  const errno = errnoOf(error)
  if (errno === null) return error
  const place = details.offset === undefined ? '' : ` at ${details.offset}`
  return new DeviceError(code, `${what} ${details.path}${place}: ${errno}`, {
    details: { ...details, errno },
    cause: error,
    transient: passing.has(errno),
  })
}

/** What to throw when `path` couldn't be opened. Errors that aren't the system's come back as they are. */
export function openFailure(error: unknown, path: string, role: Role): unknown {
  if (error instanceof AppError) return error
  const errno = errnoOf(error) ?? ''
  const code: DeviceCode = absent.has(errno)
    ? 'E_NOT_FOUND'
    : gone.has(errno)
      ? goneCode(role)
      : denied.has(errno)
        ? 'E_DENIED'
        : errno === 'EROFS'
          ? 'E_DST_READONLY'
          : full.has(errno)
            ? 'E_DST_FULL'
            : (errno === 'EBUSY' || errno === 'ETXTBSY') && role === 'destination'
              ? 'E_DST_BUSY'
              : role === 'source'
                ? 'E_IO_READ'
                : 'E_IO_WRITE'
  return failure(code, error, 'open', { path })
}

/** What to throw when a read of `path` at `offset` (bytes) failed. */
export function readFailure(error: unknown, path: string, offset: number, role: Role): unknown {
  if (error instanceof AppError) return error
  const code = gone.has(errnoOf(error) ?? '') ? goneCode(role) : 'E_IO_READ'
  return failure(code, error, 'read', { path, offset })
}

/** What to throw when a write to `path` at `offset` (bytes) failed. Without `offset`: at a flush. */
export function writeFailure(error: unknown, path: string, offset?: number): unknown {
  if (error instanceof AppError) return error
  const errno = errnoOf(error) ?? ''
  const code: DeviceCode = gone.has(errno)
    ? 'E_DST_GONE'
    : full.has(errno)
      ? 'E_DST_FULL'
      : errno === 'EROFS' || denied.has(errno)
        ? 'E_DST_READONLY'
        : 'E_IO_WRITE'
  return failure(code, error, offset === undefined ? 'flush' : 'write', {
    path,
    ...(offset === undefined ? {} : { offset }),
  })
}
