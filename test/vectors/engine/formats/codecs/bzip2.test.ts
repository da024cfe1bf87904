import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { decodeRun } from '#engine/formats/codecs'
import { encodeBzip2 } from '#test/encode-bzip2'
import { failureOf } from '#test/format-errors'
import { missing } from '#test/needs'

const text = Buffer.from('abracadabra abracadabra')
/** By `bzip2 -9`. */
const stored = Buffer.from('QlpoOTFBWSZTWfJ01pkAAAKRgEAAPAAQACAAIKqaemgwDKr8ioKcLuSKcKEh5OmtMg==', 'base64')

function decode(bytes: Uint8Array, lengthBytes: number): Buffer {
  const into = Buffer.alloc(lengthBytes)
  void decodeRun('bzip2', bytes, into)
  return into
}

const patched = (offset: number, ...bytes: readonly number[]) => {
  const copy = Uint8Array.from(stored)
  copy.set(bytes, offset < 0 ? copy.length + offset : offset)
  return copy
}

describe('bzip2 runs', () => {
  test('decode what bzip2 writes', () => {
    expect(decode(stored, text.length)).toEqual(text)
  })

  test.each([11, 12, 20])('decode codes of %i bits, longer than what is looked up at once', (codeBits) => {
    const runs = Buffer.from('a'.repeat(100) + 'abc'.repeat(40) + text.toString())
    expect(decode(encodeBzip2(runs, { codeBits }), runs.length)).toEqual(runs)
  })

  test.each([
    ['it is something else', patched(0, 0x50), 'header', 0],
    ['the level is 0', patched(3, 0x30), 'header', 0],
    ['it is empty', stored.subarray(0, 0), 'header', 0],
    ['no block begins', patched(4, 0x32), 'magic', 4],
    ["the block's checksum is wrong", patched(10, 0), 'block crc', 4],
    ["the stream's checksum is wrong", patched(-2, 0), 'stream crc', stored.length - 11],
    ['the block is randomised', patched(14, 0x80), 'randomised', 4],
    ['the origin lies outside the block', patched(14, 0x00, 0xff), 'origin', 4],
    ['no byte is in use', patched(17, 0x00, 0x00, 0x00), 'symbol map', 4],
    ['its codes are more than their bits allow', encodeBzip2(text, { codeBits: 2 }), 'code lengths', 4],
    ['its codes are too long', encodeBzip2(text, { codeBits: 21 }), 'code lengths', 4],
    ['its end is cut off', stored.subarray(0, -1), 'magic', stored.length - 1],
    ['its block is cut off', stored.subarray(0, 20), 'block', 20],
    ['something follows', Buffer.concat([stored, stored]), 'compLength', stored.length],
  ])('are refused when %s', (_, bytes, field, offset) => {
    expect(failureOf(() => decode(bytes, text.length))).toEqual({
      code: 'E_SRC_CORRUPT',
      format: 'bzip2',
      field,
      offset,
    })
  })

  test.each([
    ['more', 22, stored.length - 11],
    ['less', 24, stored.length],
  ])('are refused when they expand to %s', (_, lengthBytes, offset) => {
    const failure = failureOf(() => decode(stored, lengthBytes))
    expect(failure).toEqual({ code: 'E_SRC_CORRUPT', format: 'bzip2', field: 'length', offset })
  })
})

/** Bytes whose frequencies fall by halves, so that codes grow long; runs that the first and last step shorten. */
function skewed(lengthBytes: number): Buffer {
  let state = 20261120
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0)
  const bytes = Buffer.alloc(lengthBytes)
  for (let at = 0; at < lengthBytes; ) {
    const byte = Math.clz32(next()) * 8 + (next() >>> 30)
    const run = next() >>> 28 === 0 ? (next() >>> 20) % 700 : 1
    bytes.fill(byte, at, Math.min(lengthBytes, at + run))
    at += run
  }
  return bytes
}

const noise = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (Math.imul(index, 0x9e3779b1) >>> 13) & 0xff))

describe.skipIf(missing('program:bzip2'))('what the bzip2 program writes', () => {
  test.each([
    ['long codes and runs, one block', skewed(400_000), '-9'],
    ['several blocks', skewed(400_000), '-1'],
    ['one block of a single byte', Buffer.alloc(1_000_000, 0x61), '-9'],
    ['noise', noise, '-1'],
    ['runs of exactly four', Buffer.from('aaaabbbbccccaaaa'), '-9'],
    ['a run of 259 at the end', Buffer.alloc(259, 1), '-9'],
    ['nothing', Buffer.alloc(0), '-9'],
  ])('decodes: %s', (_, bytes, level) => {
    const written = execFileSync('bzip2', [level, '-c'], { input: bytes, maxBuffer: 2 ** 26 })
    expect(decode(written, bytes.length).equals(bytes)).toBe(true)
  })

  test.each([
    ['in runs', Buffer.from('ab'.repeat(60_000))],
    ['one by one', noise],
  ])('is refused when a block is larger than its stream says, %s', (_, bytes) => {
    const written = execFileSync('bzip2', ['-9', '-c'], { input: bytes, maxBuffer: 2 ** 26 })
    written[3] = 0x31
    expect(failureOf(() => decode(written, bytes.length)).field).toBe('symbols')
  })
})
