import { describe, expect, it } from 'vitest'
import {
  AppError,
  BugError,
  DeviceError,
  FormatError,
  UsageError,
  VerificationError,
  deserializeError,
  invariant,
  serializeError,
  thrownFirst,
} from '#shared/errors'

const cross = (error: unknown) => deserializeError(JSON.parse(JSON.stringify(serializeError(error))))

describe('an error that crosses a process', () => {
  it('comes out as the class, code, details and cause it was', () => {
    const cause = new DeviceError('E_IO_READ', 'pread failed', {
      details: { path: '/dev/sdb', errno: 'EIO', offset: 4096 },
      transient: true,
    })
    const error = cross(
      new FormatError('E_SRC_CORRUPT', 'bad koly', {
        details: { format: 'udif', field: 'koly.version', offset: 12, found: 9, expected: 4 },
        cause,
      }),
    )
    expect(error).toBeInstanceOf(FormatError)
    expect(error.code).toBe('E_SRC_CORRUPT')
    expect(error.details).toEqual({
      format: 'udif',
      field: 'koly.version',
      offset: 12,
      found: 9,
      expected: 4,
    })
    expect(error.cause).toBeInstanceOf(DeviceError)
    expect((error.cause as DeviceError).transient).toBe(true)
  })

  it('is a bug when it was none of ours, and keeps its message', () => {
    const error = cross(new TypeError('x is not a function'))
    expect(error).toBeInstanceOf(BugError)
    expect(error.message).toBe('x is not a function')
  })

  it('survives a cause that leads back to itself', () => {
    const error = new Error('round')
    error.cause = error
    expect(cross(error)).toBeInstanceOf(BugError)
  })

  it('keeps what was thrown when it was not even an error', () => {
    expect(cross('plain words').message).toBe('plain words')
  })
})

describe('accept', () => {
  it('lets another family through', () => {
    const other = new UsageError('E_USAGE', 'no', { details: { input: '--x' } })
    expect(() => DeviceError.accept(other)).toThrow(other)
  })

  it('narrows to the family asked for, and to the base', () => {
    const error: unknown = new VerificationError('E_VERIFY', 'differs', {
      details: {
        path: '/dev/sdb',
        offset: 0,
        differingBlocks: 1,
        blockBytes: 512,
        expected: '00',
        found: 'ff',
      },
    })
    VerificationError.accept(error)
    AppError.accept(error)
    expect(error.details.found).toBe('ff')
  })
})

describe('invariant', () => {
  it('names the mistake', () => {
    expect(() => invariant(false, 'a row of the ring was released twice')).toThrow(BugError)
    expect(() => invariant(true, 'never')).not.toThrow()
  })
})

describe('what went wrong first', () => {
  const failing = () => ({
    [Symbol.dispose]() {
      throw new Error('closing failed')
    },
  })
  const thrownBy = (work: () => void): unknown => {
    try {
      work()
    } catch (error) {
      return error
    }
    return null
  }

  it('is told, however often closing failed after it', () => {
    const first = new UsageError('E_USAGE', 'no', { details: { input: '--x' } })
    const thrown = thrownBy(() => {
      using _one = failing()
      using _other = failing()
      throw first
    })
    expect(thrown).not.toBe(first)
    expect(thrownFirst(thrown)).toBe(first)
    expect(serializeError(thrown).code).toBe('E_USAGE')
    expect(thrownFirst(first)).toBe(first)
  })

  it('is found in bounded time in an error that holds itself', () => {
    const error: Error & { suppressed?: unknown } = new Error('x')
    error.suppressed = error
    expect(thrownFirst(error)).toBe(error)
  })
})
