import { describe, expect, it } from 'vitest'
import { crc32 } from 'node:zlib'
import { parseKoly, readUdif, runTypes } from '#engine/formats/udif'
import type { RunSpec, TableSpec } from '#test/build-udif'
import { buildUdif } from '#test/build-udif'
import { rejectionOf } from '#test/format-errors'
import { memorySource } from '#test/memory-source'
import { readSpec, rowsOf } from '#test/read-built-udif'

const bytes = (sectors: number, value: number) => new Uint8Array(sectors * 512).fill(value)
const raw = (sectors: number, value = 1, more: Partial<RunSpec> = {}): RunSpec => ({
  kind: 'raw',
  sectors,
  data: bytes(sectors, value),
  ...more,
})
const zero = (sectors: number): RunSpec => ({ kind: 'zero', sectors })
const ignore = (sectors: number): RunSpec => ({ kind: 'ignore', sectors })
const lies = (run: Partial<RunSpec['lie']>, more: Partial<TableSpec> = {}) =>
  readSpec({ tables: [{ runs: [raw(2, 1, { lie: run ?? {} })], ...more }] })

describe('a UDIF image', () => {
  it('becomes rows in the order of the disk', async () => {
    const { layout, runCounts, dataBytes } = await readSpec({
      tables: [{ runs: [raw(1)] }, { runs: [raw(2), zero(3), ignore(4), raw(1)] }],
    })
    expect(rowsOf(layout.extents)).toEqual([
      'raw 0+512 @0+512',
      'raw 512+1024 @512+1024',
      'zero 1536+1536',
      'ignore 3072+2048',
      'raw 5120+512 @1536+512',
    ])
    expect(layout.sizeBytes).toBe(11 * 512)
    expect(runCounts).toEqual({ zero: 1, raw: 3, ignore: 1 })
    expect(dataBytes).toBe(4 * 512)
  })

  it('is one part of the stored stream, where its data fork lies', async () => {
    const { layout } = await readSpec({ tables: [{ runs: [raw(1)] }], dataForkOffset: 77 })
    expect(layout.parts).toEqual([
      { path: '/memory/image.dmg', streamOffset: 0, fileOffset: 77, lengthBytes: 512 },
    ])
    expect(layout.storedChecks).toEqual([
      { path: '/memory/image.dmg', fileOffset: 77, lengthBytes: 512, crc32: crc32(bytes(1, 1)) },
    ])
  })

  it("counts a run's offset from its table's data offset", async () => {
    const { layout } = await readSpec({
      tables: [{ runs: [raw(1)] }, { runs: [raw(2), raw(1)], dataOffset: 512 }],
    })
    expect(rowsOf(layout.extents)).toEqual([
      'raw 0+512 @0+512',
      'raw 512+1024 @512+1024',
      'raw 1536+512 @1536+512',
    ])
  })

  it('fills what no table and no run names with ignored rows', async () => {
    const { layout, runCounts } = await readSpec({
      tables: [
        { firstSector: 4, runs: [raw(1), raw(1, 2, { startSector: 3 })], sectorCount: 6 },
        { firstSector: 20, runs: [raw(1)] },
      ],
    })
    expect(rowsOf(layout.extents)).toEqual([
      'ignore 0+2048',
      'raw 2048+512 @0+512',
      'ignore 2560+1024',
      'raw 3584+512 @512+512',
      'ignore 4096+6144',
      'raw 10240+512 @1024+512',
    ])
    expect(runCounts).toEqual({ raw: 3 })
  })

  it('sorts runs and tables that are listed out of order', async () => {
    const { layout, inOrder } = await readSpec({
      tables: [
        { firstSector: 3, runs: [raw(1, 4), ignore(1)] },
        {
          firstSector: 0,
          runs: [raw(1, 3, { startSector: 2 }), raw(1, 1, { startSector: 0 }), raw(1, 2, { startSector: 1 })],
        },
      ],
    })
    expect(rowsOf(layout.extents)).toEqual([
      'raw 0+512 @1024+512',
      'raw 512+512 @1536+512',
      'raw 1024+512 @512+512',
      'raw 1536+512 @0+512',
      'ignore 2048+512',
    ])
    expect(inOrder).toBe(false)
  })

  it('knows whether its data lies in the order of the disk', async () => {
    const tables = [{ runs: [raw(1, 1), zero(1), raw(1, 2), raw(1, 3)] }]
    expect((await readSpec({ tables })).inOrder).toBe(true)
    expect((await readSpec({ tables, deadBytes: 9 })).inOrder).toBe(true)
    expect((await readSpec({ tables, storeOrder: () => [0, 2, 1] })).inOrder).toBe(false)
  })

  it('drops runs without sectors and comments', async () => {
    const { layout, tables } = await readSpec({
      tables: [{ runs: [raw(1), ignore(0), raw(0), raw(1)], comments: true }],
    })
    expect(rowsOf(layout.extents)).toEqual(['raw 0+512 @0+512', 'raw 512+512 @512+512'])
    expect(tables[0]?.runCount).toBe(2)
  })

  it('reads runs without a terminator', async () => {
    const { layout } = await readSpec({ tables: [{ runs: [raw(1)], terminator: false }] })
    expect(layout.extents.count).toBe(1)
  })

  it('takes its size from its tables, whatever the trailer says', async () => {
    for (const sectorCount of [0, 5, 99])
      expect((await readSpec({ tables: [{ runs: [raw(3)] }], koly: { sectorCount } })).layout.sizeBytes).toBe(
        1536,
      )
  })

  it('knows the checksum of each table, and checks those of CRC-32', async () => {
    const { tables, layout, masterCheck } = await readSpec({
      tables: [
        { name: 'first', runs: [raw(1, 7)] },
        { name: 'none', runs: [raw(1)], crc32: null },
        { name: 'free', runs: [ignore(5)] },
        {
          name: 'md5',
          runs: [raw(1)],
          lie: { checksumType: 4, checksumBits: 128, checksum: new Uint8Array(16).fill(0xab) },
        },
      ],
    })
    const value = crc32(bytes(1, 7))
    expect(layout.checks).toEqual([
      { name: 'first', diskOffset: 0, diskBytes: 512, crc32: value },
      { name: 'free', diskOffset: 1024, diskBytes: 2560, crc32: 0 },
    ])
    expect(
      tables.map(({ name, firstSector, sectorCount, checksum }) => [
        name,
        firstSector,
        sectorCount,
        checksum,
      ]),
    ).toEqual([
      ['first', 0, 1, { algorithm: 'CRC-32', value: value.toString(16).padStart(8, '0') }],
      ['none', 1, 1, null],
      ['free', 2, 5, { algorithm: 'CRC-32', value: '00000000' }],
      ['md5', 7, 1, { algorithm: 'MD5', value: 'ab'.repeat(16) }],
    ])
    expect(masterCheck?.stored).toBe(masterCheck?.computed)
  })

  it('computes the master checksum over the checksums in the order they are listed', async () => {
    const { masterCheck } = await readSpec({
      tables: [
        { firstSector: 1, runs: [raw(1, 1)] },
        { firstSector: 0, runs: [raw(1, 2)] },
      ],
      koly: { masterChecksum: new Uint8Array([1, 2, 3, 4]) },
    })
    const part = (value: number) => {
      const part = Buffer.alloc(4)
      part.writeUInt32BE(crc32(bytes(1, value)))
      return part
    }
    expect(masterCheck).toEqual({ stored: 0x01020304, computed: crc32(Buffer.concat([part(1), part(2)])) })
  })

  it('may store no checksum in its trailer', async () => {
    const image = await readSpec({
      tables: [{ runs: [raw(1)] }],
      unsegmented: true,
      koly: { masterChecksumType: 0 },
    })
    expect(image).toMatchObject({ dataForkChecksum: null, masterChecksum: null, masterCheck: null })
    expect(image.layout.storedChecks).toEqual([])
  })

  it('is named after the way its runs are compressed', async () => {
    const format = async (...runs: RunSpec[]) => (await readSpec({ tables: [{ runs }] })).format
    const run = (kind: RunSpec['kind']): RunSpec => ({ kind, sectors: 1, stored: new Uint8Array(9) })
    expect(await format(run('zlib'))).toBe('UDZO')
    expect(await format(run('zlib'), raw(1), zero(1))).toBe('UDZO')
    expect(await format(run('adc'))).toBe('UDCO')
    expect(await format(run('bzip2'))).toBe('UDBZ')
    expect(await format(run('lzfse'))).toBe('ULFO')
    expect(await format(run('lzma'))).toBe('ULMO')
    expect(await format(raw(1))).toBe('UDRO')
    expect(await format(zero(1), ignore(1))).toBe('UDRO')
    expect(await format(run('zlib'), run('bzip2'))).toBe('UDxx')
  })

  it('stores its run types as the format has them', () => {
    expect(runTypes).toEqual({
      zero: 0,
      raw: 1,
      ignore: 2,
      adc: 0x80000004,
      zlib: 0x80000005,
      bzip2: 0x80000006,
      lzfse: 0x80000007,
      lzma: 0x80000008,
    })
  })

  it('is read in blocks, however long its plist', async () => {
    const { bytes } = buildUdif({ tables: [{ runs: Array.from({ length: 20_000 }, () => zero(1)) }] })
    const source = memorySource(bytes)
    const koly = parseKoly(bytes.subarray(-512), bytes.length)
    const image = await readUdif(source, koly, () => Promise.reject(new Error('no segments')))
    expect(image.layout.extents.count).toBe(20_000)
    expect(koly.xmlLength).toBeGreaterThan(1_000_000)
    expect(source.reads.largestBytes).toBeLessThanOrEqual(256 * 1024)
  })

  it('accepts a table as large as numbers go, and no larger', async () => {
    const size = 2 ** 44 - 1
    const lie = (firstSector: number, sectorCount: number) =>
      readSpec({ tables: [{ runs: [raw(1)], lie: { firstSector, sectorCount } }] })
    expect((await lie(0, size)).layout.sizeBytes).toBe(size * 512)
    expect(await rejectionOf(lie(1, size))).toMatchObject({ field: 'blkx[0] mish.sectorCount' })
    expect(await rejectionOf(lie(size + 1, 1))).toMatchObject({ field: 'blkx[0] mish.firstSector' })
  })
})

describe('a UDIF image that lies', () => {
  const run = (field: string) => ({
    code: 'E_SRC_CORRUPT',
    format: 'udif',
    field: `blkx[0] chunkRun[0].${field}`,
  })
  const mish = (field: string) => ({ code: 'E_SRC_CORRUPT', format: 'udif', field: `blkx[0] mish.${field}` })

  it('is refused for a run outside its table', async () => {
    expect(await rejectionOf(lies({ startSector: 3 }))).toMatchObject(run('startSector'))
    expect(await rejectionOf(lies({ startSector: 1 }))).toMatchObject(run('sectorCount'))
    expect(await rejectionOf(lies({ sectorCount: Number.MAX_SAFE_INTEGER }))).toMatchObject(
      run('sectorCount'),
    )
  })

  it('is refused for a run outside the data fork', async () => {
    expect(await rejectionOf(lies({ compOffset: 1 }))).toMatchObject(run('compLength'))
    expect(await rejectionOf(lies({ compOffset: 1025 }))).toMatchObject(run('compOffset'))
    expect(await rejectionOf(lies({}, { lie: { dataOffset: Number.MAX_SAFE_INTEGER } }))).toMatchObject(
      run('compOffset'),
    )
    expect(
      await rejectionOf(readSpec({ tables: [{ runs: [raw(2)] }], koly: { dataForkLength: 1023 } })),
    ).toMatchObject(run('compLength'))
  })

  it('is refused for a raw run that is stored shorter or longer than it is', async () => {
    expect(await rejectionOf(lies({ compLength: 1023 }))).toMatchObject(run('compLength'))
  })

  it('is refused for an unknown run type', async () => {
    expect(await rejectionOf(lies({ type: 0x80000009 }))).toMatchObject(run('type'))
    expect(await rejectionOf(lies({ type: 3 }))).toMatchObject(run('type'))
  })

  it('is refused for a compressed run without bytes, or one too large to be decoded', async () => {
    const compressed = (sectors: number, lie: object, room = sectors) =>
      readSpec({
        tables: [
          {
            runs: [
              { kind: 'zlib', sectors: 1, stored: new Uint8Array(20), lie: { sectorCount: sectors, ...lie } },
            ],
            lie: { sectorCount: room },
          },
        ],
      })
    expect(await rejectionOf(compressed(1, { compLength: 0 }))).toMatchObject(run('compLength'))
    expect(await rejectionOf(compressed(1, { compLength: 66 * 1024 * 1024 }))).toMatchObject(
      run('compLength'),
    )
    expect(await rejectionOf(compressed(131_073, {}))).toMatchObject(run('sectorCount'))
    expect((await compressed(131_072, {})).layout.sizeBytes).toBe(64 * 1024 * 1024)
  })

  it('is refused for runs that overlap', async () => {
    const overlapping = [
      [raw(2), raw(2, 1, { startSector: 1 })],
      [raw(2, 1, { startSector: 1 }), raw(2, 1, { startSector: 0 })],
      [raw(1, 1, { startSector: 1 }), raw(1, 1, { startSector: 0 }), raw(1, 1, { startSector: 1 })],
      [raw(4), zero(1), ignore(2), raw(1, 1, { startSector: 6 })],
    ]
    for (const runs of overlapping)
      expect(await rejectionOf(readSpec({ tables: [{ runs, sectorCount: 8 }] }))).toMatchObject({
        code: 'E_SRC_CORRUPT',
        field: 'chunkRun.startSector',
      })
  })

  it('is refused for tables that overlap, even where no runs do', async () => {
    const tables = [
      { runs: [raw(1)], sectorCount: 4 },
      { runs: [raw(1)], firstSector: 3 },
    ]
    expect(await rejectionOf(readSpec({ tables }))).toMatchObject({ field: 'mish.firstSector' })
  })

  it('is refused for more runs than it has, and for fewer', async () => {
    expect(await rejectionOf(lies({}, { lie: { chunkCount: 3 } }))).toMatchObject(mish('chunkCount'))
    expect(await rejectionOf(lies({}, { lie: { chunkCount: 0xffffffff } }))).toMatchObject(mish('chunkCount'))
    expect(await rejectionOf(lies({}, { lie: { chunkCount: 1 } }))).toMatchObject(mish('chunkCount'))
  })

  it('is refused for a run behind the terminator', async () => {
    const runs = [raw(1, 1, { lie: { type: 0xffffffff } }), raw(1)]
    expect(await rejectionOf(readSpec({ tables: [{ runs }] }))).toMatchObject({
      field: 'blkx[0] chunkRun[1].type',
    })
  })

  it('is refused for a header that is none', async () => {
    expect(await rejectionOf(lies({}, { lie: { signature: 'mush' } }))).toMatchObject(mish('signature'))
    expect(await rejectionOf(lies({}, { lie: { version: 2 } }))).toMatchObject(mish('version'))
    expect(await rejectionOf(lies({}, { lie: { checksumBits: 31 } }))).toMatchObject(mish('checksumBits'))
    const cut = (data: string) =>
      readSpec({ tables: [{ runs: [raw(1)] }], editPlist: (xml) => xml.replace(/<data>[^<]*<\/data>/, data) })
    expect(await rejectionOf(cut('<data/>'))).toMatchObject({ field: 'mish.signature' })
    expect(await rejectionOf(cut('<data>bWlzaA==</data>'))).toMatchObject({ field: 'mish.version' })
  })

  it('is refused without sectors, without tables, and without a list of them', async () => {
    expect(await rejectionOf(readSpec({ tables: [] }))).toMatchObject({ field: 'blkx' })
    expect(await rejectionOf(readSpec({ tables: [{ runs: [] }] }))).toMatchObject({ field: 'blkx' })
    expect(
      await rejectionOf(readSpec({ tables: [{ runs: [raw(1)] }], koly: { xmlLength: 0 } })),
    ).toMatchObject({
      field: 'koly.xmlLength',
    })
  })

  it('is refused for a table without sectors that claims contents', async () => {
    const tables = [{ runs: [raw(1)] }, { runs: [], crc32: 5 }]
    expect(await rejectionOf(readSpec({ tables }))).toMatchObject({ field: 'mish.checksum' })
  })

  it('is accepted with a table without sectors that claims none', async () => {
    const { tables, layout } = await readSpec({ tables: [{ runs: [raw(1)] }, { runs: [] }] })
    expect(tables.map(({ sectorCount }) => sectorCount)).toEqual([1, 0])
    expect(layout.checks).toHaveLength(1)
  })

  it('is refused for two Datas in one entry', async () => {
    const editPlist = (xml: string) => xml.replace('<key>ID</key>', '<key>Data</key><data/><key>ID</key>')
    expect(await rejectionOf(readSpec({ tables: [{ runs: [raw(1)] }], editPlist }))).toMatchObject({
      field: 'plist',
    })
  })
})

describe('the plist of a UDIF image', () => {
  it('may hold anything else, which is passed over', async () => {
    const editPlist = (xml: string) =>
      xml
        .replace(
          '<key>resource-fork</key>',
          '<key>other</key><dict><key>blkx</key><array><dict/></array></dict><key>resource-fork</key>',
        )
        .replace(
          '<key>blkx</key>',
          '<key>LPic</key><array><dict><key>Data</key><data>AAAA</data></dict></array><key>blkx</key>',
        )
        .replace(
          '<key>ID</key>',
          '<key>extra</key><array><dict><key>Name</key><string>no</string><key>Data</key><data>AAAA</data></dict></array><key>ID</key>',
        )
    const { tables } = await readSpec({ tables: [{ name: 'yes', runs: [raw(1)] }], editPlist })
    expect(tables.map(({ name }) => name)).toEqual(['yes'])
  })

  it('prefers the name in Unicode', async () => {
    const editPlist = (xml: string) => xml.replace('<string>plain</string>', '<string>Ünïcode</string>')
    const { tables } = await readSpec({ tables: [{ name: 'plain', runs: [raw(1)] }], editPlist })
    expect(tables[0]?.name).toBe('Ünïcode')
  })
})
