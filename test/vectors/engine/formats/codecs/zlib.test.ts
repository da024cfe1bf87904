import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decodeRun } from '#engine/formats/codecs'
import { inflateByTheBook, openHandleInflater } from '#src/main/engine/formats/codecs/zlib-run.ts'
import { failureOf } from '#test/format-errors'

const text = Buffer.from('abracadabra abracadabra')
const stored = deflateSync(text)

const changed = (offset: number) => {
  const bytes = Uint8Array.from(stored)
  bytes[offset < 0 ? bytes.length + offset : offset]! ^= 0x10
  return bytes
}

describe('zlib runs', () => {
  test.each([
    ['the checksum is wrong', changed(-1), 23, 'deflate', 0],
    ['the header is wrong', changed(0), 23, 'deflate', 0],
    ['the checksum is cut off', stored.subarray(0, -1), 23, 'deflate', stored.length - 1],
    ['the data is cut off', stored.subarray(0, 10), 23, 'deflate', 10],
    ['nothing is there', stored.subarray(0, 0), 23, 'deflate', 0],
    ['it is raw deflate', deflateRawSync(text), 23, 'deflate', 0],
    ['it is gzip', gzipSync(text), 23, 'deflate', 0],
    ['something follows', Buffer.concat([stored, Buffer.from('x')]), 23, 'compLength', stored.length],
    ['it expands to more', stored, 22, 'length', 0],
    ['it expands to less', stored, 24, 'length', stored.length],
    ['it expands to very much more', deflateSync(new Uint8Array(50_000_000)), 512, 'length', 0],
  ])('are refused when %s', (_, bytes, lengthBytes, field, offset) => {
    expect(failureOf(() => decodeRun('zlib', bytes, new Uint8Array(lengthBytes)))).toEqual({
      code: 'E_SRC_CORRUPT',
      format: 'zlib',
      field,
      offset,
    })
  })

  test("Node's binding is still what makes them fast", () => {
    expect(openHandleInflater()).not.toBeNull()
  })

  test.each([
    ['right', stored, 23],
    ['long', stored, 22],
    ['short', stored, 24],
    ['cut off', stored.subarray(0, -2), 23],
    ['cut off in its data', stored.subarray(0, -8), 23],
    ['wrong', changed(-1), 23],
    ['followed', Buffer.concat([stored, stored]), 23],
    ['empty', deflateSync(''), 0],
    ['long when nothing is wanted', stored, 0],
  ])('the documented way says the same of a run that is %s', (_, bytes, lengthBytes) => {
    const handle = openHandleInflater()
    const one = new Uint8Array(lengthBytes)
    const other = new Uint8Array(lengthBytes)
    const result = inflateByTheBook(bytes, other)
    expect(result).toEqual(handle?.(bytes, one))
    // Otherwise the contents are undefined.
    expect(result.kind !== 'ended' || Buffer.compare(other, one) === 0).toBe(true)
  })

  test('a run after a bad one decodes', () => {
    const into = new Uint8Array(23)
    expect(() => decodeRun('zlib', changed(5), into)).toThrow()
    void decodeRun('zlib', stored, into)
    expect(Buffer.from(into).equals(text)).toBe(true)
  })
})
