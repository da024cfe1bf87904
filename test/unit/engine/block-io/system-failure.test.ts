import { expect, test } from 'vitest'
import { errnoOf, openFailure, readFailure, writeFailure } from '#engine/block-io'
import { BugError, type DeviceError } from '#shared/errors'

/** As Node makes them: it has no name for some, only Linux's number. */
const numbers: { readonly [code: string]: number } = { ESTALE: -116, EDQUOT: -122, ENOMEDIUM: -123 }
const system = (name: string) => {
  const errno = numbers[name] ?? -1
  const code = errno === -1 ? name : `Unknown system error ${errno}`
  return Object.assign(new Error(code), { code, syscall: 'x', errno })
}

test.each([
  ['ENOENT', 'E_NOT_FOUND', 'E_NOT_FOUND'],
  ['ENOTDIR', 'E_NOT_FOUND', 'E_NOT_FOUND'],
  ['EACCES', 'E_DENIED', 'E_DENIED'],
  ['EPERM', 'E_DENIED', 'E_DENIED'],
  ['ENXIO', 'E_SRC_GONE', 'E_DST_GONE'],
  ['ENOMEDIUM', 'E_SRC_GONE', 'E_DST_GONE'],
  ['ESTALE', 'E_SRC_GONE', 'E_DST_GONE'],
  ['EROFS', 'E_DST_READONLY', 'E_DST_READONLY'],
  ['ENOSPC', 'E_DST_FULL', 'E_DST_FULL'],
  ['EBUSY', 'E_IO_READ', 'E_DST_BUSY'],
  ['EIO', 'E_IO_READ', 'E_IO_WRITE'],
])('%s at open is %s of a source and %s of a destination', (errno, source, destination) => {
  const cause = system(errno)
  expect(openFailure(cause, '/dev/x', 'source')).toMatchObject({
    code: source,
    details: { path: '/dev/x', errno },
    cause,
  })
  expect(openFailure(cause, '/dev/x', 'destination')).toMatchObject({ code: destination })
})

test.each([
  ['EIO', 'E_IO_WRITE'],
  ['EREMOTEIO', 'E_IO_WRITE'],
  ['ENOSPC', 'E_DST_FULL'],
  ['EDQUOT', 'E_DST_FULL'],
  ['EFBIG', 'E_DST_FULL'],
  ['ENXIO', 'E_DST_GONE'],
  ['ENODEV', 'E_DST_GONE'],
  ['EROFS', 'E_DST_READONLY'],
  ['EPERM', 'E_DST_READONLY'],
])('%s at a write is %s, with the offset', (errno, code) => {
  expect(writeFailure(system(errno), '/dev/x', 4096)).toMatchObject({
    code,
    details: { path: '/dev/x', errno, offset: 4096 },
  })
})

test('a late write error has no offset', () => {
  const error = writeFailure(system('EIO'), '/dev/x') as DeviceError
  expect(error.code).toBe('E_IO_WRITE')
  expect('offset' in error.details).toBe(false)
})

test('a source that was pulled out is gone when it is read', () => {
  expect(readFailure(system('ENODEV'), '/dev/x', 512, 'source')).toMatchObject({ code: 'E_SRC_GONE' })
  expect(readFailure(system('ENODEV'), '/dev/x', 512, 'destination')).toMatchObject({ code: 'E_DST_GONE' })
  expect(readFailure(system('EIO'), '/dev/x', 512, 'source')).toMatchObject({
    code: 'E_IO_READ',
    details: { offset: 512 },
  })
})

test('what the system did not say comes back as it is', () => {
  const bug = new TypeError('ours')
  expect(openFailure(bug, '/x', 'source')).toBe(bug)
  expect(writeFailure(bug, '/x', 0)).toBe(bug)
  const known = new BugError('E_BUG', 'known', { details: {} })
  expect(readFailure(known, '/x', 0, 'source')).toBe(known)
  expect(errnoOf(bug)).toBe(null)
})
