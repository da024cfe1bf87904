import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { decodeRun } from '#engine/formats/codecs'
import { rejectionOf } from '#test/format-errors'
import { missing } from '#test/needs'

const text = Buffer.from('abracadabra abracadabra')
const xz = {
  /** By `xz --check=crc32 --lzma2=dict=8MiB`. */
  right: '/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4AAWABBdADCYiqqaWfUR2D6xFVhQAAAATg4QBQABKBdGngj+kEKZDQEAAAAAAVla',
  /** With `--check=sha256`. */
  sha256:
    '/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AAWABBdADCYiqqaWfUR2D6xFVhQAAAA1TXOQv/HtCiwnDnEy8UIm1eFU4M1xZsOIAIhVS18HxoAAUQX7bpANxibS5oBAAAAAApZWg==',
  /** With `--x86 --lzma2`. */
  x86: '/Td6WFoAAAFpIt42AgEEACEBFgANhjUf4AAWABBdADCYiqqaWfUR2D6xFVhQAAAATg4QBQABKBdGngj+kEKZDQEAAAAAAVla',
  /** With `--lzma2=dict=128MiB`. */
  large: '/Td6WFoAAAFpIt42AgAhAR4AAACbB1Fm4AAWABBdADCYiqqaWfUR2D6xFVhQAAAATg4QBQABKBdGngj+kEKZDQEAAAAAAVla',
  /** With `--format=lzma`. */
  lzma: 'XQAAgAD//////////wAwmIqqmln1Edg+sRWIC4///+pDAAA=',
} as const

const stored = Buffer.from(xz.right, 'base64')

async function decode(bytes: Uint8Array, lengthBytes = text.length): Promise<Buffer> {
  const into = Buffer.alloc(lengthBytes)
  await decodeRun('lzma', bytes, into)
  return into
}

const patched = (offset: number, byte: number) => {
  const copy = Uint8Array.from(stored)
  copy[offset < 0 ? copy.length + offset : offset] = byte
  return copy
}

describe('LZMA runs', () => {
  test('decode what xz writes', async () => {
    expect(await decode(stored)).toEqual(text)
  })

  test.each([
    ['it is raw LZMA', Buffer.from(xz.lzma, 'base64'), 'codec', 0],
    ['it is something else', Buffer.from('something else'), 'codec', 0],
    ['it is empty', Buffer.alloc(0), 'codec', 0],
    ['its check is one that images do not use', Buffer.from(xz.sha256, 'base64'), 'Stream Flags', 12],
    ['it has a filter that images do not use', Buffer.from(xz.x86, 'base64'), 'Stream Flags', 24],
    ['its dictionary is larger than 64 MiB', Buffer.from(xz.large, 'base64'), 'Dictionary Size', 24],
    ['its data is wrong', patched(32, 0xff), 'Block', 37],
    ['its check is wrong', patched(48, 0xff), 'Block', 49],
    ['its index is wrong', patched(54, 0xff), 'Block', 58],
    ['its end is wrong', patched(-1, 0xff), 'Block', 72],
    ['its end is cut off', stored.subarray(0, -1), 'Stream Footer', 71],
    ['its data is cut off', stored.subarray(0, 30), 'Stream Footer', 30],
    ['something follows', Buffer.concat([stored, Buffer.alloc(4), Buffer.from('something else')]), 'Header Magic Bytes', 76],
    ['zeros follow, but not in fours', Buffer.concat([stored, Buffer.alloc(3)]), 'Block', 75],
  ])('are refused when %s', async (_, bytes, field, offset) => {
    expect(await rejectionOf(decode(bytes))).toEqual({ code: 'E_SRC_CORRUPT', format: 'lzma', field, offset })
  })

  test.each([
    ['more', 22],
    ['less', 24],
  ])('are refused when they expand to %s', async (_, lengthBytes) => {
    const failure = await rejectionOf(decode(stored, lengthBytes))
    expect(failure).toMatchObject({ code: 'E_SRC_CORRUPT', format: 'lzma', field: 'length' })
  })

  test('many runs do not pile up memory', async () => {
    for (let round = 0; round < 300; round++) {
      await decode(stored)
      await decode(stored.subarray(0, 40)).catch(() => undefined)
    }
    // Each has a dictionary of 8 MiB: 600 of them would be 4.7 GB.
    expect(process.memoryUsage().rss).toBeLessThan(1e9)
  })
})

describe.skipIf(missing('program:xz'))('what the xz program writes', () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => Math.floor(Math.sqrt(index) * (index % 7)) & 0xff))

  test.each([
    ['no check', ['--check=none']],
    ['CRC-32', ['--check=crc32']],
    ['CRC-64', ['--check=crc64']],
    ['several blocks', ['--block-size=65536']],
    ['the largest dictionary', ['--lzma2=dict=64MiB']],
    ['other bit counts', ['--lzma2=lc=0,lp=2,pb=0']],
  ])('decodes: %s', async (_, options) => {
    const written = execFileSync('xz', ['-c', ...options], { input: bytes })
    expect((await decode(written, bytes.length)).equals(bytes)).toBe(true)
  })
})
