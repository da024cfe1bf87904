import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { addChecksums, verifyImage } from '#engine/scan'
import { buildUdif, writeUdif } from '#test/build-udif'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder } from '#test/temporary-folder'

const first = noise(1024, 1)
const second = noise(2048, 2)

describe('adding checksums', () => {
  it('computes what the tables, the data fork and the whole of a UDIF image lack', async () => {
    await using folder = await temporaryFolder()
    const built = buildUdif({
      unsegmented: true,
      tables: [
        {
          name: 'one (Apple_HFS : 0)',
          crc32: null,
          runs: [
            { kind: 'raw', sectors: 2, data: first },
            { kind: 'ignore', sectors: 5 },
            { kind: 'zero', sectors: 3 },
          ],
        },
        { name: 'two (Apple_HFS : 1)', runs: [{ kind: 'raw', sectors: 4, data: second }] },
      ],
    })
    const path = writeUdif(folder.path, built)
    const { added } = await addChecksums({ path, replace: false }, quietContext())
    const hex = (value: number) => value.toString(16).padStart(8, '0')
    const table = crc32(Buffer.alloc(3 * 512), crc32(first))
    expect(added.slice(0, 2)).toEqual([
      { what: 'one (Apple_HFS : 0)', algorithm: 'CRC-32', value: hex(table) },
      { what: `data fork of ${path}`, algorithm: 'CRC-32', value: hex(crc32(second, crc32(first))) },
    ])
    const { info, masterCheck } = await openImage(path)
    expect(info.tables.map(({ checksum }) => checksum?.value)).toEqual([hex(table), hex(crc32(second))])
    expect(masterCheck?.stored).toBe(masterCheck?.computed)
    expect((await verifyImage(path, quietContext())).checked).toHaveLength(4)
    const once = readFileSync(path)
    expect((await addChecksums({ path, replace: false }, quietContext())).added).toEqual([])
    expect(Buffer.compare(readFileSync(path), once)).toBe(0)
  })

  it('adds a master checksum that is right where tables have an MD5', async () => {
    await using folder = await temporaryFolder()
    const md5 = createHash('md5').update(first).digest()
    const built = buildUdif({
      tables: [
        {
          name: 'one (Apple_HFS : 0)',
          lie: { checksumType: 4, checksumBits: 128, checksum: md5 },
          runs: [{ kind: 'raw', sectors: 2, data: first }],
        },
        { name: 'two (Apple_HFS : 1)', runs: [{ kind: 'raw', sectors: 4, data: second }] },
      ],
      koly: { masterChecksumType: 0, masterChecksumBits: 0, masterChecksum: new Uint8Array(128) },
    })
    const path = writeUdif(folder.path, built)
    const { added } = await addChecksums({ path, replace: false }, quietContext())
    const words = Buffer.concat([md5.subarray(0, 4), Buffer.alloc(4)])
    words.writeUInt32BE(crc32(second), 4)
    const value = crc32(words).toString(16).padStart(8, '0')
    expect(added).toEqual([{ what: 'master', algorithm: 'CRC-32', value }])
    expect((await verifyImage(path, quietContext())).checked.at(-1)).toMatchObject({ what: 'master', value })
  })

  it('puts the SHA-256 of a raw image beside it, which a verify compares', async () => {
    await using folder = await temporaryFolder()
    const disk = Buffer.from(noise(1_500_160, 3))
    const path = await folder.write('disk.img', disk)
    const digest = createHash('sha256').update(disk).digest('hex')
    const result = await addChecksums({ path, replace: false }, quietContext())
    expect(result).toMatchObject({
      added: [{ what: 'disk.img', algorithm: 'SHA-256', value: digest }],
      besides: join(folder.path, 'disk.img.sha256'),
    })
    expect(readFileSync(`${path}.sha256`, 'utf8')).toBe(`${digest}  disk.img\n`)
    expect(await verifyImage(path, quietContext())).toMatchObject({
      nothingToCheck: false,
      checked: [{ what: 'disk.img', algorithm: 'SHA-256', value: digest }],
    })
    expect((await addChecksums({ path, replace: false }, quietContext())).added).toEqual([])

    disk[1_000_000] = (disk[1_000_000] ?? 0) ^ 1
    writeFileSync(path, disk)
    const differs = { code: 'E_SRC_CORRUPT', field: 'SHA-256' }
    expect(await rejectionOf(verifyImage(path, quietContext()))).toMatchObject(differs)
    expect(await rejectionOf(addChecksums({ path, replace: false }, quietContext()))).toMatchObject(differs)
  })

  it('writes the SHA-256 anew where that is asked for, beside a UDIF image, too, that has one', async () => {
    await using folder = await temporaryFolder()
    const replace = (path: string) => addChecksums({ path, replace: true }, quietContext())
    const raw = await folder.write('disk.img', noise(1_500_160, 3))
    const udif = writeUdif(
      folder.path,
      buildUdif({ tables: [{ name: 'one', runs: [{ kind: 'zero', sectors: 3 }] }] }),
    )
    for (const path of [raw, udif]) {
      await folder.write(`${basename(path)}.sha256`, `${'0'.repeat(64)}  ${basename(path)}\n`)
      const { added, besides } = await replace(path)
      const value = createHash('sha256').update(readFileSync(path)).digest('hex')
      expect(added.at(-1)).toEqual({ what: basename(path), algorithm: 'SHA-256', value })
      expect(besides).toBe(`${path}.sha256`)
      expect((await verifyImage(path, quietContext())).checked.at(-1)).toMatchObject({ value })
    }
    // What has none beside it, and a place within, gets none.
    rmSync(`${udif}.sha256`)
    expect(await replace(udif)).toMatchObject({ added: [], besides: null })
  })

  it('says that the image has its checksums when the file beside it could not be written', async () => {
    await using folder = await temporaryFolder()
    for (const lacks of [true, false]) {
      const crc = lacks ? { crc32: null } : {}
      const tables = [{ name: 'one', ...crc, runs: [{ kind: 'raw', sectors: 2, data: first } as const] }]
      const path = writeUdif(folder.path, buildUdif({ tables }), `lacks-${lacks}`)
      await folder.write(`${basename(path)}.sha256`, `${'0'.repeat(64)}  ${basename(path)}\n`)
      const stop = new AbortController()
      const context = quietContext(stop.signal)
      // The first phase of scanning is of the checksums within, where there are any to be added.
      let left = lacks ? 2 : 1
      const enter = (phase: string) => {
        if (phase === 'scanning' && --left === 0) stop.abort(new Error('enough'))
      }
      const work = addChecksums({ path, replace: true }, { ...context, enter })
      await expect(work).rejects.toThrow('enough')
      expect(context.wasChanged()).toBe(lacks)
      expect((await openImage(path)).info.tables[0]?.checksum).not.toBeNull()
      expect(readFileSync(`${path}.sha256`, 'utf8')).toContain('0'.repeat(64))
    }
  })

  it('reads what sha256sum writes, whatever else is in it', async () => {
    await using folder = await temporaryFolder()
    const disk = noise(2048, 4)
    const path = await folder.write('disk.img', disk)
    const digest = createHash('sha256').update(disk).digest('hex')
    for (const text of [
      `${'0'.repeat(64)}  other.img\n${digest.toUpperCase()} *disk.img\n`,
      `${digest}\n`,
      `${digest}  /somewhere/else/disk.img`,
      `SHA256 (other.img) = ${'0'.repeat(64)}\nSHA256 (disk.img) = ${digest}\n`,
    ]) {
      await folder.write('disk.img.sha256', text)
      expect((await verifyImage(path, quietContext())).nothingToCheck).toBe(false)
    }
    await folder.write('disk.img.sha256', 'nothing of the kind\n')
    // Not the image's fault.
    await expect(verifyImage(path, quietContext())).rejects.toMatchObject({
      code: 'E_UNSUPPORTED',
      details: { problem: "'disk.img.sha256' names no SHA-256 of 'disk.img'." },
    })
    rmSync(`${path}.sha256`)
    mkdirSync(`${path}.sha256`)
    expect((await verifyImage(path, quietContext())).nothingToCheck).toBe(true)
  })

  it('writes the names that sha256sum writes in a way of its own as sha256sum does', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('a\\b\nc.img', noise(2048, 5))
    await addChecksums({ path, replace: false }, quietContext())
    const digest = createHash('sha256').update(noise(2048, 5)).digest('hex')
    expect(readFileSync(`${path}.sha256`, 'utf8')).toBe(`\\${digest}  a\\\\b\\nc.img\n`)
    expect((await verifyImage(path, quietContext())).nothingToCheck).toBe(false)
  })

  it('tells a raw image that is written to while it is read', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('disk.img', noise(4_000_256, 6))
    const grow = () => ({ ...quietContext(), advance: () => appendFileSync(path, new Uint8Array(512)) })
    await expect(verifyImage(path, grow())).rejects.toMatchObject({ code: 'E_SRC_CHANGED' })
    await expect(addChecksums({ path, replace: false }, grow())).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
    })
    expect(existsSync(`${path}.sha256`)).toBe(false)
  })
})
