/** Our encoders against a decoder that isn't ours: what the tests' round trips rest on. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RunKind } from '#shared/model'
import { buildUdif, runsOf, writeUdif } from '#test/build-udif'
import { encodeAdc } from '#test/encode-adc'
import { encodeBzip2 } from '#test/encode-bzip2'
import { encodeLzfse } from '#test/encode-lzfse'
import { encodeXz } from '#test/encode-xz'
import { missing, program } from '#test/needs'

const sevenZip = program('7zz') ?? program('7z')

/** 64 KiB of text, binary tables and repeats. */
const disk = new Uint8Array(128 * 512)
for (let at = 0; at < disk.length; at++)
  disk[at] = at % 4096 < 2000 ? 97 + (((at * at) >> 7) % 11) : at % 4096 < 3000 ? at >> 3 : (Math.imul(at, 0x9e3779b1) >>> 20) & 0xff

/** Blocks that 7-Zip 26.02 can read, that is: it has no bvx1 and gives up on bvx-. */
describe.skipIf(sevenZip === null && missing('program:7zz'))('7-Zip', () => {
  test.each<readonly [string, RunKind, (bytes: Uint8Array) => Uint8Array]>([
    ['ADC', 'adc', encodeAdc],
    ['bzip2', 'bzip2', (bytes) => encodeBzip2(bytes)],
    ['xz', 'lzma', (bytes) => encodeXz(bytes)],
    ['LZVN', 'lzfse', (bytes) => encodeLzfse(bytes, 'bvxn')],
    ['LZFSE', 'lzfse', (bytes) => encodeLzfse(bytes, 'bvx2')],
    ['LZFSE in several blocks', 'lzfse', (bytes) => encodeLzfse(bytes, 'bvx2', { blockBytes: 3000 })],
  ])('expands an image of our %s to the same disk', (_, kind, encode) => {
    const folder = mkdtempSync(join(tmpdir(), 'reprise-7z-'))
    try {
      const image = buildUdif({ tables: [{ runs: runsOf(disk, { kind, chunkSectors: 32, encode }) }] })
      const path = writeUdif(folder, image)
      const expanded = execFileSync(sevenZip ?? '7zz', ['x', '-tdmg', '-so', path], { maxBuffer: 2 ** 24, stdio: ['ignore', 'pipe', 'ignore'] })
      expect(expanded.equals(disk)).toBe(true)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
