import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync, constants } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { verifyImage } from '#engine/scan'
import { AppError } from '#shared/errors'
import { buildUdif, writeUdif, type BuiltUdif, type UdifSpec } from '#test/build-udif'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'

const folder = mkdtempSync(join(tmpdir(), 'reprise-verify-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
const write = (built: BuiltUdif) => writeUdif(folder, built, `image-${count++}`)

/** Three tables: a small raw one, a large one of every kind, an ignored one. */
const spec: UdifSpec = {
  tables: [
    { name: 'Driver Descriptor Map (DDM : 0)', runs: [{ kind: 'raw', sectors: 1, data: noise(512, 1) }] },
    {
      name: 'disk image (Apple_HFS : 1)',
      runs: [
        { kind: 'zlib', sectors: 512, data: noise(262_144, 2) },
        { kind: 'zero', sectors: 1000 },
        { kind: 'ignore', sectors: 700 },
        { kind: 'adc', sectors: 100, data: noise(51_200, 3) },
        { kind: 'raw', sectors: 30, data: noise(15_360, 4) },
      ],
    },
    { name: ' (Apple_Free : 2)', runs: [{ kind: 'ignore', sectors: 10 }] },
  ],
}
const tableOffset = 512
const tableBytes = (512 + 1000 + 700 + 100 + 30) * 512
const diskBytes = tableOffset + tableBytes + 5120

const failureOf = async (path: string): Promise<AppError> => {
  const error: unknown = await verifyImage(path, quietContext()).catch((thrown: unknown) => thrown)
  if (error instanceof AppError) return error
  throw new Error(`expected an error of ours, got ${JSON.stringify(error)}`)
}

/** Where `needle` is in the image's file. */
const find = (bytes: Uint8Array, needle: Uint8Array) => Buffer.from(bytes.buffer).indexOf(needle)

describe('verifying an image', () => {
  test('recomputes each table, the data fork and the master checksum', async () => {
    const path = write(buildUdif(spec))
    const context = quietContext()
    const result = await verifyImage(path, context)
    expect(result.checked.map(({ what, algorithm }) => [what, algorithm])).toEqual([
      ['Driver Descriptor Map (DDM : 0)', 'CRC-32'],
      ['disk image (Apple_HFS : 1)', 'CRC-32'],
      [' (Apple_Free : 2)', 'CRC-32'],
      [`data fork of ${path}`, 'CRC-32'],
      ['master', 'CRC-32'],
    ])
    expect(result.checked.every(({ value }) => /^[0-9a-f]{8}$/.test(value))).toBe(true)
    expect(result).toMatchObject({ nothingToCheck: false, expandedBytes: diskBytes })
    expect(result.durationMs).toBeGreaterThan(0)
  })

  test('tells how far it is, up to the end', async () => {
    const context = quietContext()
    await verifyImage(write(buildUdif({ ...spec, segments: 3 })), context)
    const [opening, phase, ...done] = context.told
    expect(opening).toBe('validating-source ?')
    const total = Number(String(phase).replace('verifying ', ''))
    expect(total).toBeGreaterThan(diskBytes)
    expect(done.every((bytes, index) => index === 0 || bytes >= done[index - 1]!)).toBe(true)
    expect(done.at(-1)).toBe(total)
  })

  test('reads images in segments', async () => {
    const built = buildUdif({ ...spec, segments: 3 })
    const result = await verifyImage(write(built), quietContext())
    expect(result.checked.filter(({ what }) => what.startsWith('data fork')).length).toBe(3)
    // A bit of the last segment, which the run that straddles it needs.
    built.files[2]!.bytes[0]! ^= 1
    expect((await failureOf(write(built))).code).toBe('E_SRC_CORRUPT')
  })

  test('names the table whose bytes are wrong, and where it lies', async () => {
    const built = buildUdif(spec)
    built.bytes[find(built.bytes, noise(15_360, 4)) + 5000]! ^= 0x10
    const { code, details } = await failureOf(write(built))
    expect([code, details]).toMatchObject([
      'E_SRC_CORRUPT',
      {
        field: 'checksum',
        table: 'disk image (Apple_HFS : 1)',
        diskOffset: tableOffset,
        diskBytes: tableBytes,
        expected: expect.stringMatching(/^[0-9a-f]{8}$/),
        found: expect.stringMatching(/^[0-9a-f]{8}$/),
      },
    ])
  })

  test('names the first of several wrong tables', async () => {
    const built = buildUdif(spec)
    built.bytes[find(built.bytes, noise(512, 1))]! ^= 1
    built.bytes[find(built.bytes, noise(15_360, 4))]! ^= 1
    expect((await failureOf(write(built))).details).toMatchObject({
      table: 'Driver Descriptor Map (DDM : 0)',
    })
  })

  test('names a wrong table before a run far behind it that cannot be decoded', async () => {
    const far = noise(3_000_320, 5)
    const built = buildUdif({
      tables: [
        { name: 'first', runs: [{ kind: 'raw', sectors: 1, data: noise(512, 1) }] },
        {
          name: 'second',
          runs: [
            { kind: 'raw', sectors: far.length / 512, data: far },
            { kind: 'zlib', sectors: 8, stored: noise(20, 1) },
          ],
        },
      ],
    })
    built.bytes[find(built.bytes, noise(512, 1))]! ^= 1
    expect((await failureOf(write(built))).details).toMatchObject({ table: 'first' })
  })

  test('sums up a data fork of many megabytes', async () => {
    const data = noise(5_000_192, 1)
    const large = buildUdif({ tables: [{ runs: [{ kind: 'raw', sectors: data.length / 512, data }] }] })
    const result = await verifyImage(write(large), quietContext())
    expect(result.checked.length).toBe(3)
  })

  test('says where a run is that cannot be decoded', async () => {
    const built = buildUdif(spec)
    const fork = 512
    built.bytes[fork] = 0
    const path = write(built)
    expect((await failureOf(path)).details).toMatchObject({
      format: 'zlib',
      diskOffset: tableOffset,
      diskBytes: 262_144,
      runOffset: fork,
      path,
    })
  })

  test('sees a bit that no run uses, by the checksum of the data fork', async () => {
    const built = buildUdif({ ...spec, deadBytes: 20 })
    built.bytes[0]! ^= 1
    const path = write(built)
    expect((await failureOf(path)).details).toMatchObject({ field: 'koly.dataChecksum', offset: 0, path })
  })

  test('compares the master checksum with the tables', async () => {
    const built = buildUdif({ ...spec, koly: { masterChecksum: Buffer.from([1, 2, 3, 4]) } })
    expect((await failureOf(write(built))).details).toMatchObject({
      field: 'koly.masterChecksum',
      expected: '01020304',
    })
  })

  test('reads a raw image to its end, and says that it holds nothing to check', async () => {
    const path = join(folder, 'raw.img')
    const disk = Buffer.alloc(3_000_320)
    disk.set(noise(1_000_000, 1), 1024)
    disk.set([0x55, 0xaa], 510)
    writeFileSync(path, disk)
    expect(await verifyImage(path, quietContext())).toMatchObject({
      checked: [],
      nothingToCheck: true,
      expandedBytes: 3_000_320,
    })
  })

  test('knows which streams carry a checksum', async () => {
    const disk = noise(1_000_000 - (1_000_000 % 512), 1)
    disk.set([0x55, 0xaa], 510)
    const of = async (name: string, bytes: Uint8Array) => {
      writeFileSync(join(folder, name), bytes)
      return (await verifyImage(join(folder, name), quietContext())).checked.map(({ algorithm }) => algorithm)
    }
    expect(await of('a.gz', gzipSync(disk))).toEqual(['CRC-32'])
    expect(await of('a.zst', zstdCompressSync(disk))).toEqual([])
    const params = { [constants.ZSTD_c_checksumFlag]: 1 }
    expect(await of('b.zst', zstdCompressSync(disk, { params }))).toEqual(['XXH64'])
  })

  test('sees a wrong bit in a stream', async () => {
    const stored = gzipSync(noise(1_000_000, 1))
    stored[500_000]! ^= 1
    const path = join(folder, 'bit.gz')
    writeFileSync(path, stored)
    expect((await failureOf(path)).code).toBe('E_SRC_CORRUPT')
  })

  test('does not call an image damaged that somebody writes to meanwhile', async () => {
    const runs = [{ kind: 'zlib', sectors: 512, data: noise(262_144, 2) }] as const
    const path = write(buildUdif({ tables: [{ runs, crc32: 0xbad }] }))
    const enter = (phase: string) => {
      if (phase === 'verifying') appendFileSync(path, 'more')
    }
    await expect(verifyImage(path, { ...quietContext(), enter })).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
      details: { when: 'reading' },
    })
  })

  test('stops when it is told to', async () => {
    const path = write(buildUdif(spec))
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
    await expect(verifyImage(path, context)).rejects.toThrow('enough')
  })
})
