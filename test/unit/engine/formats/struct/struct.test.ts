import { describe, expect, it } from 'vitest'
import { defineStruct } from '#engine/formats/struct'
import { BugError, FormatError } from '#shared/errors'
import { failureOf } from '#test/format-errors'

const everything = (endian: 'big' | 'little') =>
  defineStruct({
    format: 'test',
    name: 'all',
    endian,
    fields: [
      ['magic', 4, 'ascii'],
      ['byte', 1, 'uint'],
      ['signed', 1, 'int'],
      ['short', 2, 'uint'],
      ['long', 4, 'uint'],
      ['negative', 4, 'int'],
      ['gap', 4, 'reserved'],
      ['huge', 8, 'uint'],
      ['below', 8, 'int'],
      ['raw', 3, 'bytes'],
      ['name', 8, 'utf16'],
      ['id', 16, 'uuid'],
      ['mixed', 16, 'guid'],
    ],
  })

const value = {
  magic: 'koly',
  byte: 0xfe,
  signed: -2,
  short: 0x1234,
  long: 0xdeadbeef,
  negative: -3,
  huge: Number.MAX_SAFE_INTEGER,
  below: -4,
  raw: new Uint8Array([1, 2, 3]),
  name: 'Ümla',
  id: '00112233-4455-6677-8899-aabbccddeeff',
  mixed: '00112233-4455-6677-8899-aabbccddeeff',
}

describe('a struct', () => {
  for (const endian of ['big', 'little'] as const)
    it(`reads back what it wrote, ${endian}-endian`, () => {
      const struct = everything(endian)
      expect(struct.sizeBytes).toBe(79)
      expect(struct.parse(struct.encode(value), 0)).toEqual(value)
    })

  it('writes integers in its byte order', () => {
    const fields = [
      ['a', 2, 'uint'],
      ['b', 4, 'uint'],
      ['c', 8, 'uint'],
    ] as const
    const hex = (endian: 'big' | 'little') =>
      Buffer.from(
        defineStruct({ format: 'test', name: 's', endian, fields }).encode({ a: 1, b: 2, c: 2 ** 40 }),
      ).toString('hex')
    expect(hex('big')).toBe('0001000000020000010000000000')
    expect(hex('little')).toBe('0100020000000000000000010000')
  })

  it('writes a GUID with its first three groups turned round, a UUID as it stands', () => {
    const struct = everything('big')
    const bytes = Buffer.from(struct.encode(value))
    expect(bytes.toString('hex', struct.offsetOf('id'), struct.offsetOf('id') + 16)).toBe(
      '00112233445566778899aabbccddeeff',
    )
    expect(bytes.toString('hex', struct.offsetOf('mixed'), struct.offsetOf('mixed') + 16)).toBe(
      '33221100554477668899aabbccddeeff',
    )
  })

  it('ends fixed strings at the first NUL', () => {
    const struct = everything('big')
    const bytes = struct.encode({ magic: 'a', name: 'b' })
    bytes[2] = 0x7a
    expect(struct.parse(bytes, 0)).toMatchObject({ magic: 'a', name: 'b' })
  })

  it('names the first field that is cut off and its place in the file, at every length', () => {
    const struct = everything('big')
    const bytes = struct.encode(value)
    for (let length = 0; length < bytes.length; length++) {
      const failure = failureOf(() => struct.parse(bytes.subarray(0, length), 1000))
      expect(failure).toMatchObject({ code: 'E_SRC_CORRUPT', format: 'test' })
      expect(failure.offset).toBeLessThanOrEqual(1000 + length)
      const name = failure.field.slice('all.'.length) as 'magic'
      expect(failure.offset).toBe(1000 + struct.offsetOf(name))
    }
  })

  it('refuses a 64-bit number that is no safe integer', () => {
    const struct = everything('big')
    const bytes = struct.encode(value)
    bytes[struct.offsetOf('huge')] = 0x80
    expect(failureOf(() => struct.parse(bytes, 0))).toEqual({
      code: 'E_SRC_CORRUPT',
      format: 'test',
      field: 'all.huge',
      offset: 20,
    })
  })

  it('copies bytes, so that the buffer they came from can be used again', () => {
    const struct = everything('big')
    const bytes = struct.encode(value)
    const parsed = struct.parse(bytes, 0)
    bytes.fill(0)
    expect([...parsed.raw]).toEqual([1, 2, 3])
  })

  it('parses from the middle of a larger buffer', () => {
    const struct = everything('little')
    const bytes = Buffer.concat([Buffer.alloc(5), struct.encode(value)])
    expect(struct.parse(bytes.subarray(5), 5)).toEqual(value)
  })

  it('refuses to write what does not fit', () => {
    const struct = everything('big')
    for (const wrong of [
      { byte: 256 },
      { byte: -1 },
      { signed: 128 },
      { long: 2 ** 32 },
      { huge: 2 ** 53 },
      { short: 1.5 },
      { magic: 'kolyx' },
      { raw: new Uint8Array(4) },
      { name: 'xxxxx' },
      { id: 'no' },
    ])
      expect(() => struct.encode(wrong)).toThrow(BugError)
  })

  it('refuses a table that cannot be right', () => {
    const define = (fields: readonly (readonly [string, number, 'uint' | 'uuid'])[]) => () =>
      defineStruct({ format: 'test', name: 's', endian: 'big', fields })
    expect(define([['a', 3, 'uint']])).toThrow(BugError)
    expect(define([['a', 8, 'uuid']])).toThrow(BugError)
    expect(
      define([
        ['a', 1, 'uint'],
        ['a', 1, 'uint'],
      ]),
    ).toThrow(BugError)
  })

  it('says in its message what it found and what it wanted', () => {
    const struct = everything('big')
    expect(() => struct.parse(new Uint8Array(3), 7)).toThrow(FormatError)
    expect(() => struct.parse(new Uint8Array(3), 7)).toThrow(
      'test all.magic at byte 7: found "3 bytes", expected "79 bytes"',
    )
  })
})
