/** What the system's `errno` means for a device that we read from or write to. */
import { DeviceError, errnoName, UsageError, type DeviceCode } from '#shared/errors'

export interface DeviceUse {
  readonly path: string
  readonly role: 'source' | 'target'
  /** The kernel has the device marked read-only: then EACCES says that, and not who we are. */
  readonly readOnly?: boolean
  readonly offset?: number
  readonly holders?: readonly string[]
}

/** A caught system error as ours, with its errno and cause. */
export function deviceError(cause: unknown, use: DeviceUse): DeviceError {
  const errno = errnoName(cause)
  return new DeviceError(
    codeOf(errno, use),
    `${use.path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      details: {
        path: use.path,
        ...(errno === undefined ? {} : { errno }),
        ...(use.offset === undefined ? {} : { offset: use.offset }),
        ...(use.holders === undefined ? {} : { holders: use.holders }),
      },
      cause,
      transient: errno === 'EBUSY',
    },
  )
}

/** The disk at `disk`, or a part of it at `path`, stores `program`, which is running. */
export const holdsProgram = (path: string, disk: string, program: string): UsageError =>
  new UsageError('E_DST_SYSTEM', `Reprise runs from ${disk} (${program})`, {
    details: { input: 'target', path, disk, program },
  })

function codeOf(errno: string | undefined, { role, readOnly = false }: DeviceUse): DeviceCode {
  const target = role === 'target'
  switch (errno) {
    case 'EBUSY':
    case 'ETXTBSY':
      return target ? 'E_DST_BUSY' : 'E_SRC_IN_USE'
    case 'EROFS':
      return target ? 'E_DST_READONLY' : 'E_DENIED'
    case 'EACCES':
    case 'EPERM':
      return target && readOnly ? 'E_DST_READONLY' : 'E_DENIED'
    case 'ENOENT':
    case 'ENOTDIR':
      return 'E_NOT_FOUND'
    // The node is there, the device behind it isn't; or the reader is there and the card isn't.
    case 'ENXIO':
    case 'ENODEV':
    case 'ENOMEDIUM':
    case 'ESHUTDOWN':
      return target ? 'E_DST_GONE' : 'E_SRC_GONE'
    case 'ENOSPC':
      return 'E_DST_FULL'
    default:
      return target ? 'E_IO_WRITE' : 'E_IO_READ'
  }
}
