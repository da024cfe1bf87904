import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import { fieldsText, lineText } from '#shared/log'

const text = (fields: { readonly [key: string]: unknown }) => fieldsText(fields)

describe('the fields of a line', () => {
  it('are name and value, in the order they were given', () => {
    expect(text({ disk: '/dev/sdb', offset: 4096, verify: true })).toBe(
      'disk=/dev/sdb offset=4096 verify=true',
    )
  })

  it('are quoted where they would run into each other', () => {
    expect(text({ path: '/home/ann/My image.dmg', said: '', pair: 'a=b', quote: '"' })).toBe(
      String.raw`path="/home/ann/My image.dmg" said="" pair="a=b" quote="\""`,
    )
    expect(text({ stderr: 'one\ntwo' })).toBe(String.raw`stderr="one\ntwo"`)
  })

  it('are lists in one value, and things with parts a value for each', () => {
    expect(text({ ranges: [1, 2], names: ['a b', 'c'], none: [] })).toBe('ranges=1,2 names="a b",c')
    expect(text({ reads: { from: 1, to: { end: 2 } }, runs: [{ at: 3 }, { at: 4 }] })).toBe(
      'reads.from=1 reads.to.end=2 runs.0.at=3 runs.1.at=4',
    )
  })

  it('are left out where nothing is known', () => {
    expect(text({ code: null, why: undefined, disk: '/dev/sdb' })).toBe('disk=/dev/sdb')
  })

  it('tell an error by its code and what it is about, without braces', () => {
    const error = serializeError(
      new DeviceError('E_IO_WRITE', 'the write failed', { details: { path: '/dev/sdb', errno: 'EIO' } }),
    )
    expect(text({ error })).toBe(
      'error.family=device error.code=E_IO_WRITE error.message="the write failed" error.details.path=/dev/sdb error.details.errno=EIO error.transient=false',
    )
  })
})

it('a line is its message, then its fields', () => {
  const line = { timeMs: 0, level: 'warn', message: 'sink failed' } as const
  expect(lineText({ ...line, fields: { disk: '/dev/sdb' } })).toBe('sink failed  disk=/dev/sdb')
  expect(lineText({ ...line, fields: {} })).toBe('sink failed')
})
