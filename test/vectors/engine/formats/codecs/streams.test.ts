import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openFileSource } from '#engine/block-io'
import { decodeStream, usualPieceBytes } from '#engine/formats/codecs'
import type { StreamCodec } from '#engine/formats/extents'
import { FormatError } from '#shared/errors'
import { rejectionOf } from '#test/format-errors'
import { memorySource } from '#test/memory-source'
import { missing, program } from '#test/needs'

const text = 'abracadabra abracadabra'
const gzip = gzipSync(text)
const base64 = (written: string) => Buffer.from(written, 'base64')
const bzip2 = base64('QlpoOTFBWSZTWfJ01pkAAAKRgEAAPAAQACAAIKqaemgwDKr8ioKcLuSKcKEh5OmtMg==')
const xz = base64('/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4AAWABBdADCYiqqaWfUR2D6xFVhQAAAATg4QBQABKBdGngj+kEKZDQEAAAAAAVla')
/** With a checksum. */
const zstd = base64('KLUv/SQXlQAAYGFicmFjYWRhYnJhIAEAN0oSyVQw4Q==')
const xzCrc64 = base64(
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAWABBdADCYiqqaWfUR2D6xFVhQAAAAicz0NoUamVsAASwXQltkmh+2830BAAAAAARZWg==',
)
const xzSha256 = base64(
  '/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AAWABBdADCYiqqaWfUR2D6xFVhQAAAA1TXOQv/HtCiwnDnEy8UIm1eFU4M1xZsOIAIhVS18HxoAAUQX7bpANxibS5oBAAAAAApZWg==',
)
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5])

async function decode(codec: StreamCodec, stored: Uint8Array): Promise<Buffer> {
  const parts: Uint8Array[] = []
  const options = { signal: new AbortController().signal, pieceBytes: 16 }
  for await (const bytes of decodeStream(codec, memorySource(stored), options)) parts.push(bytes)
  return Buffer.concat(parts)
}

const patched = (stored: Uint8Array, offset: number, ...bytes: readonly number[]) => {
  const copy = Uint8Array.from(stored)
  copy.set(bytes, offset < 0 ? copy.length + offset : offset)
  return copy
}

describe('compressed images', () => {
  test.each([
    ['xz', 'a SHA-256', xzSha256, /LZMA2/],
    ['zstd', 'a window of 256 MiB', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 18 << 3, 1, 0, 0]), /^at most 134217728/],
  ] as const)('%s with %s is told what would be read', async (codec, _, stored, expected) => {
    await expect(decode(codec, stored)).rejects.toMatchObject({
      details: { expected: expect.stringMatching(expected) },
    })
  })

  test.each([
    ['gzip', gzip],
    ['bzip2', bzip2],
    ['xz', xz],
    ['xz', xzCrc64],
    ['zstd', zstd],
    ['zstd', Buffer.concat([skippable, zstd])],
    ['zstd', Buffer.concat([zstd, skippable])],
  ] as const)('%s decodes', async (codec, stored) => {
    expect((await decode(codec, stored)).toString()).toBe(text)
  })

  test('skippable zstd frames lie between others', async () => {
    expect((await decode('zstd', Buffer.concat([zstd, skippable, skippable, zstd]))).toString()).toBe(text + text)
  })

  test('a file of many zstd frames is read once, not anew for each', async () => {
    let state = 1
    const next = () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return state & 0xff
    }
    const noise = Buffer.from(Array.from({ length: 200_000 }, next))
    const source = memorySource(Buffer.concat(Array.from({ length: 30 }, () => zstdCompressSync(noise))))
    const options = { signal: new AbortController().signal, pieceBytes: 65_536 }
    let total = 0
    for await (const bytes of decodeStream('zstd', source, options)) total += bytes.length
    expect(total).toBe(6_000_000)
    expect(source.reads.count).toBeLessThan((3 * source.sizeBytes) / options.pieceBytes)
  })

  test.each([
    ['gzip', 'its CRC is wrong', patched(gzip, -8, 0), 'CRC32', 'E_SRC_CORRUPT'],
    ['gzip', 'its size is wrong', patched(gzip, -4, 0), 'ISIZE', 'E_SRC_CORRUPT'],
    ['gzip', 'its method is unknown', patched(gzip, 2, 7), 'CM', 'E_SRC_CORRUPT'],
    ['gzip', 'reserved flags are set', patched(gzip, 3, 0xe0), 'FLG', 'E_SRC_CORRUPT'],
    ['gzip', 'it is something else', Buffer.from('something else'), 'ID1', 'E_SRC_CORRUPT'],
    ['gzip', 'it is empty', Buffer.alloc(0), 'deflate', 'E_SRC_CORRUPT'],
    ['gzip', 'its deflated data is wrong', patched(gzip, 10, 0xff), 'deflate', 'E_SRC_CORRUPT'],
    ['bzip2', "its block's CRC is wrong", patched(bzip2, 10, 0), 'block crc', 'E_SRC_CORRUPT'],
    ['bzip2', 'its CRC is wrong', patched(bzip2, -2, 0), 'stream crc', 'E_SRC_CORRUPT'],
    ['bzip2', 'it is something else', Buffer.from('something else'), 'header', 'E_SRC_CORRUPT'],
    ['bzip2', 'it is empty', Buffer.alloc(0), 'header', 'E_SRC_CORRUPT'],
    ['xz', 'its CRC is wrong', patched(xz, 48, 0xff), 'Block', 'E_SRC_CORRUPT'],
    ['xz', 'its CRC-64 is wrong', patched(xzCrc64, 55, 0xff), 'Block', 'E_SRC_CORRUPT'],
    ['xz', 'it is something else', Buffer.from('something else'), 'Header Magic Bytes', 'E_SRC_CORRUPT'],
    ['xz', 'it is empty', Buffer.alloc(0), 'Stream Footer', 'E_SRC_CORRUPT'],
    ['xz', 'its check is SHA-256', xzSha256, 'Stream Flags', 'E_SRC_FORMAT'],
    ['zstd', 'its checksum is wrong', patched(zstd, -1, 0), 'Content_Checksum', 'E_SRC_CORRUPT'],
    ['zstd', 'its data is wrong', patched(zstd, 7, 0xff, 0xff), 'Data_Block', 'E_SRC_CORRUPT'],
    ['zstd', 'it is something else', Buffer.from('something else'), 'Magic_Number', 'E_SRC_CORRUPT'],
    ['zstd', 'it is empty', Buffer.alloc(0), 'Magic_Number', 'E_SRC_CORRUPT'],
    ['zstd', 'it is nothing but zeros', Buffer.alloc(100), 'Magic_Number', 'E_SRC_CORRUPT'],
    ['zstd', 'a skippable frame is cut off', patched(skippable, 4, 6), 'Frame_Size', 'E_SRC_CORRUPT'],
    // A window of 2 ** (10 + 18).
    ['zstd', 'its window is 256 MiB', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 18 << 3, 1, 0, 0]), 'Window_Descriptor', 'E_SRC_FORMAT'],
  ] as const)('%s is refused when %s', async (codec, _, stored, field, code) => {
    expect(await rejectionOf(decode(codec, stored))).toMatchObject({ code, format: codec, field })
  })

  test.each([
    ['gzip', gzip],
    ['bzip2', bzip2],
    ['xz', xz],
    ['zstd', zstd],
    ['zstd', Buffer.concat([zstd, skippable])],
  ] as const)('%s that is cut off anywhere is told to be, and no other damage is', async (codec, stored) => {
    const cutShort = (bytes: Uint8Array) =>
      decode(codec, bytes).then(
        () => 'whole',
        (error: unknown) => error instanceof FormatError && error.details['cutShort'] === true,
      )
    // Fewer bytes than a magic of zstd are nothing; before a skippable frame a file of zstd is whole.
    const isTold = (length: number) => codec !== 'zstd' || (length >= 4 && (length < zstd.length || length >= zstd.length + 4))
    for (const length of Array.from({ length: stored.length - 1 }, (_, index) => index + 1).filter(isTold))
      expect([length, await cutShort(stored.subarray(0, length))]).toEqual([length, true])
    for (const at of stored.length > zstd.length && codec === 'zstd' ? [] : [-1, -4, -8]) expect(await cutShort(patched(stored, at, 0x55))).not.toBe(true)
    expect(await cutShort(Buffer.from('something else'))).toBe(false)
  })

  test('a gzip bomb comes in small pieces', async () => {
    const bomb = gzipSync(new Uint8Array(300_000_000), { level: 9 })
    let total = 0
    const options = { signal: new AbortController().signal, pieceBytes: 65_536 }
    for await (const bytes of decodeStream('gzip', memorySource(bomb), options)) {
      expect(bytes.length).toBeLessThanOrEqual(262_144)
      total += bytes.length
    }
    expect(total).toBe(300_000_000)
  })
})

describe('decodeStream, of a file', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'reprise-codecs-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const zeros = new Uint8Array(30_000_000)
  const files = [
    ['gzip', () => gzipSync(zeros)],
    ['zstd', () => zstdCompressSync(zeros)],
    ['bzip2', () => execFileSync('bzip2', ['-c'], { input: zeros })],
    ['xz', () => execFileSync('xz', ['-c', '-0'], { input: zeros })],
  ] as const

  describe.each(files)('of %s', (codec, make) => {
    async function* open(signal: AbortSignal) {
      const path = join(folder, codec)
      writeFileSync(path, make())
      await using file = await openFileSource(path)
      yield* decodeStream(codec, file, { signal, pieceBytes: usualPieceBytes })
    }
    const absent = ['bzip2', 'xz'].includes(codec) && program(codec) === null

    test.skipIf(absent)('reads the whole file', async () => {
      let total = 0
      for await (const bytes of open(new AbortController().signal)) total += bytes.length
      expect(total).toBe(zeros.length)
    })

    test.skipIf(absent)('can be left in the middle', async () => {
      for await (const bytes of open(new AbortController().signal)) {
        expect(bytes.length).toBeGreaterThan(0)
        break
      }
    })

    test.skipIf(absent)('stops with the reason of its signal', async () => {
      const stopping = new AbortController()
      const reading = (async () => {
        for await (const bytes of open(stopping.signal)) if (bytes.length > 0) stopping.abort(new Error('enough'))
      })()
      await expect(reading).rejects.toThrow('enough')
    })
  })
})

describe.skipIf(missing('program:zstd'))('what the zstd program writes', () => {
  test.each([
    ['a window of 128 MiB', ['--long=27']],
    ['no checksum', ['--no-check']],
    ['the highest level', ['-19', '--check']],
  ])('decodes: %s', async (_, options) => {
    const bytes = Buffer.from(text.repeat(1000))
    expect((await decode('zstd', execFileSync('zstd', ['-qc', ...options], { input: bytes }))).equals(bytes)).toBe(true)
  })
})
