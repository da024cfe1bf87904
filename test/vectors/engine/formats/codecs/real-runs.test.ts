import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decodeRun } from '#engine/formats/codecs'
import type { RunKind } from '#shared/model'
import { missing, realImages } from '#test/needs'

const kinds: Readonly<Record<number, RunKind>> = {
  0: 'zero',
  1: 'raw',
  0x80000004: 'adc',
  0x80000005: 'zlib',
  0x80000006: 'bzip2',
  0x80000007: 'lzfse',
  0x80000008: 'lzma',
}

/** The tables of an image, read in the simplest way that does, so that nothing but the codecs is tested. */
function tablesOf(image: Buffer) {
  const koly = image.subarray(-512)
  const u64 = (bytes: Buffer, offset: number) => Number(bytes.readBigUInt64BE(offset))
  const plist = image.subarray(u64(koly, 216), u64(koly, 216) + u64(koly, 224)).toString()
  const blkx = /<key>blkx<\/key>([^]*?)<\/array>/.exec(plist)?.[1] ?? ''
  return Array.from(blkx.matchAll(/<data>([^<]*)<\/data>/g), ([, base64 = '']) => {
    const mish = Buffer.from(base64, 'base64')
    const runs = Array.from({ length: mish.readUInt32BE(200) }, (_, index) => {
      const row = mish.subarray(204 + index * 40)
      const start = u64(koly, 24) + u64(mish, 24) + u64(row, 24)
      const kind = kinds[row.readUInt32BE(0)]
      return { kind, sectors: u64(row, 16), startSector: u64(row, 8), stored: image.subarray(start, start + u64(row, 32)) }
    })
    return { crc32: mish.readUInt32BE(72), runs: runs.sort((a, b) => a.startSector - b.startSector) }
  })
}

describe.skipIf(missing('images'))("runs written by Apple's tools", () => {
  test.each([
    'dmgwiz/input_adc.dmg',
    'dmgwiz/input_bzip2.dmg',
    'dmgwiz/input_lzfse.dmg',
    'dmgwiz/input_lzma.dmg',
    'dmgwiz/input_non_null_data_offset.dmg',
    'dmgwiz/input_ro.dmg',
    'dmgwiz/input_zlib.dmg',
    'node-udif/compression-adc.dmg',
    'node-udif/compression-bz2.dmg',
    'node-udif/compression-lzfse.dmg',
    'node-udif/compression-raw.dmg',
    'node-udif/compression-zlib.dmg',
    'node-udif/raw.dmg',
    'node-udif/zlib-compressed.dmg',
  ])('%s decodes to what its tables have checksums of', async (file) => {
    const tables = tablesOf(readFileSync(join(realImages() ?? '', file)))
    expect(tables.length).toBeGreaterThan(0)
    for (const table of tables) {
      let crc = 0
      for (const { kind, sectors, stored } of table.runs) {
        if (kind === undefined) continue
        const into = new Uint8Array(sectors * 512)
        await decodeRun(kind, stored, into)
        crc = crc32(into, crc)
      }
      expect(crc).toBe(table.crc32)
    }
  })
})
