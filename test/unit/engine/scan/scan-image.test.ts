import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openImage, readBlockHashes } from '#engine/formats/image'
import { kolyBytes, kolyStruct, parseKoly } from '#engine/formats/udif'
import { addChecksums, scanImage, verifyImage } from '#engine/scan'
import { AppError } from '#shared/errors'
import type { ImageScan, ScanRequest } from '#shared/model'
import { buildUdif, runsOf, writeUdif, type UdifSpec } from '#test/build-udif'
import { expandImage } from '#test/expand-image'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
let count = 0
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(async () => await folder[Symbol.asyncDispose]())

const write = (spec: UdifSpec) => {
  const built = buildUdif(spec)
  return { path: writeUdif(folder.path, built, `image-${count++}`), disk: built.disk }
}

const times = { now: () => Date.UTC(2026, 10, 21), scannedBy: 'Reprise 9.9.9' }
const scan = (path: string, change: Partial<ScanRequest> = {}, signal?: AbortSignal): Promise<ImageScan> =>
  scanImage({ path, reorder: true, allowFragmentedCatalog: false, ...change }, quietContext(signal), times)
const failureOf = async (promise: Promise<unknown>): Promise<AppError> => {
  const error: unknown = await promise.catch((thrown: unknown) => thrown)
  if (error instanceof AppError) return error
  throw new Error(`expected an error of ours, got ${JSON.stringify(error)}`)
}

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex')

/** MediaKit's checksum, by the book. */
function blockChecksum(bytes: Buffer): string {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 4)
    sum = (bytes.readUInt32BE(at) + (((sum * 2) % 2 ** 32) + Math.floor(sum / 2 ** 31))) % 2 ** 32
  return sum.toString(16).padStart(8, '0')
}

const expandedHash = async (path: string) => {
  const hash = createHash('sha256')
  for await (const piece of expandImage(await openImage(path))) hash.update(piece)
  return hash.digest('hex')
}

// Raw runs need no threads; real images, compressed in every way, are scanned by the vectors.
const map = noise(512, 1)
const first = noise(1_100_000 - (1_100_000 % 512), 2)
const last = noise(51_200, 3)
const spec: UdifSpec = {
  tables: [
    { name: 'Protective Master Boot Record (MBR : 0)', runs: [{ kind: 'raw', sectors: 1, data: map }] },
    {
      name: 'disk image (Apple_HFS : 1)',
      runs: [
        ...runsOf(first, { kind: 'raw' }),
        { kind: 'zero', sectors: 5000 },
        { kind: 'ignore', sectors: 3000 },
        { kind: 'raw', sectors: 100, data: last },
      ],
    },
    { name: ' (Apple_Free : 2)', runs: [{ kind: 'ignore', sectors: 10 }] },
  ],
}
const outOfOrder: UdifSpec = {
  ...spec,
  storeOrder: (length) => Array.from({ length }, (_, at) => length - 1 - at),
}

describe('scanning an image', () => {
  it('stores the digest of each partition that is no free space, ignored sectors left out', async () => {
    const { path } = write(spec)
    const result = await scan(path)
    const counted = Buffer.concat([first, Buffer.alloc(5000 * 512), last])
    expect(result).toMatchObject({ stored: 'added', inOrder: true, signatureRemoved: false })
    expect(result.scan.partitions).toEqual([
      {
        partNum: 0,
        sha1: null,
        sha256: sha256(counted),
        blockChecksum2: blockChecksum(counted),
        dateMs: null,
        usedBytes: counted.length,
        volumes: [],
      },
    ])
    const { info } = await openImage(path)
    expect(info.scan).toEqual(result.scan)
    expect(info.scan).toMatchObject({ dateMs: Date.UTC(2026, 10, 21), scannedBy: 'Reprise 9.9.9' })
    expect(info.storedBytes).toBe(result.storedBytes)
  })

  it('stores a hash for every block of the disk, unused space as zeros', async () => {
    const { path, disk } = write(spec)
    await scan(path)
    const blocks = await readBlockHashes((await openImage(path)).info)
    const expected: string[] = []
    for (let at = 0; at < disk.length; at += 1_048_576)
      expected.push(sha256(disk.subarray(at, at + 1_048_576)))
    expect(blocks?.blockBytes).toBe(1_048_576)
    expect(Buffer.from(blocks?.hashes ?? []).toString('hex')).toBe(expected.join(''))
  })

  it('changes nothing of the data, and nothing at all when it is scanned again', async () => {
    const { path, disk } = write(spec)
    const { layout } = await openImage(path)
    const before = readFileSync(path)
    await scan(path)
    const image = await openImage(path)
    expect(image.layout).toEqual(layout)
    if (layout.kind !== 'extents') throw new Error('no extents')
    const dataBytes = layout.parts[0]?.lengthBytes ?? 0
    expect(Buffer.compare(readFileSync(path).subarray(0, dataBytes), before.subarray(0, dataBytes))).toBe(0)
    expect(await expandedHash(path)).toBe(sha256(disk))
    const once = readFileSync(path)
    const { mtimeMs } = statSync(path)
    expect(await scan(path)).toMatchObject({ stored: 'kept' })
    expect(Buffer.compare(readFileSync(path), once)).toBe(0)
    expect(statSync(path).mtimeMs).toBe(mtimeMs)
  })

  it('mends a list of hashes that was damaged', async () => {
    const { path } = write(spec)
    await scan(path)
    const once = readFileSync(path)
    const damaged = Buffer.from(once)
    const end = damaged.indexOf('</data>', damaged.indexOf('<key>rpbh</key>'))
    const at = end - 100
    damaged.write(damaged.toString('latin1', at, at + 1) === 'A' ? 'B' : 'A', at)
    writeFileSync(path, damaged)
    expect(await failureOf(verifyImage(path, quietContext()))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { field: 'rpbh.root' },
    })
    expect(await scan(path)).toMatchObject({ stored: 'added' })
    expect(Buffer.compare(readFileSync(path), once)).toBe(0)
  })

  it('takes the place of what another program stored', async () => {
    const { path } = write({
      ...spec,
      resources: [
        { type: 'cSum', id: 3, data: Buffer.from('0001000000023fa8fc10', 'hex') },
        { type: 'nsiz', id: 3, data: Buffer.from('<plist version="1.0"><dict/></plist>') },
        { type: 'LPic', id: 5000, data: noise(10, 9) },
      ],
    })
    await scan(path)
    const { info } = await openImage(path)
    expect(info.scan?.partitions.map(({ partNum }) => partNum)).toEqual([0])
    expect(readFileSync(path, 'latin1')).toContain('<key>LPic</key>')
  })

  it('puts an image in order, and keeps what is on its disk', async () => {
    const tables = spec.tables.map((table) => ({
      ...table,
      runs: table.runs.map((run) => (run.kind === 'raw' ? { ...run, kind: 'zlib' as const } : run)),
    }))
    const { path, disk } = write({ ...outOfOrder, tables, deadBytes: 100, unsegmented: true })
    expect((await openImage(path)).info.inOrder).toBe(false)
    const result = await scan(path)
    expect(result).toMatchObject({ stored: 'reordered', inOrder: true })
    const { info, masterCheck } = await openImage(path)
    expect(info).toMatchObject({ inOrder: true, storedBytes: result.storedBytes })
    expect(info.dataForkChecksum).not.toBeNull()
    expect(masterCheck?.stored).toBe(masterCheck?.computed)
    expect(await expandedHash(path)).toBe(sha256(disk))
    await verifyImage(path, quietContext())
    expect(await scan(path)).toMatchObject({ stored: 'kept' })
    // No dead bytes, no hidden file.
    const bytes = readFileSync(path)
    const koly = parseKoly(bytes.subarray(-kolyBytes), bytes.length)
    expect(koly).toMatchObject({ segmentNumber: 1, segmentCount: 1, dataForkOffset: 0 })
    expect(koly.dataForkLength + koly.xmlLength + kolyBytes).toBe(bytes.length)
    expect((await readdir(folder.path)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('leaves an image as it is ordered when that is asked for', async () => {
    const { path, disk } = write(outOfOrder)
    expect(await scan(path, { reorder: false })).toMatchObject({ stored: 'added', inOrder: false })
    expect((await openImage(path)).info.inOrder).toBe(false)
    expect(await expandedHash(path)).toBe(sha256(disk))
    // The order alone is a reason to scan again.
    expect(await scan(path)).toMatchObject({ stored: 'reordered', inOrder: true })
  })

  it.each([
    ['a fork only', { list: 'fork' }],
    ['a plist and a fork', { list: 'both' }],
    ['a data fork that does not begin with the file', { dataForkOffset: 1000 }],
    ['runs that count from elsewhere', { tables: spec.tables.map((table) => ({ ...table, dataOffset: 0 })) }],
    ['files of an image', { segments: 3 }],
    ['comments among its runs', { tables: spec.tables.map((table) => ({ ...table, comments: true })) }],
  ] as const)('scans an image with %s', async (_, change) => {
    const { path, disk } = write({ ...spec, ...change })
    const result = await scan(path)
    expect(result.stored).toBe('added')
    expect((await openImage(path)).info.scan).toEqual(result.scan)
    expect(await expandedHash(path)).toBe(sha256(disk))
    await verifyImage(path, quietContext())
  })

  it.each([
    ['a fork only', { list: 'fork' }],
    ['a plist and a fork', { list: 'both' }],
    ['a data fork that does not begin with the file', { dataForkOffset: 1000 }],
    ['comments among its runs', { tables: spec.tables.map((table) => ({ ...table, comments: true })) }],
  ] as const)('puts an image with %s in order', async (_, change) => {
    const { path, disk } = write({ ...outOfOrder, ...change })
    expect(await scan(path)).toMatchObject({ stored: 'reordered', inOrder: true })
    expect(await expandedHash(path)).toBe(sha256(disk))
    await verifyImage(path, quietContext())
  })

  it('removes a code signature that would not hold, and says so', async () => {
    const { path } = write(spec)
    const bytes = readFileSync(path)
    const koly = parseKoly(bytes.subarray(-kolyBytes), bytes.length)
    const signature = noise(300, 7)
    const body = bytes.subarray(0, -kolyBytes)
    const signed = kolyStruct.encode({ ...koly, codeSignatureOffset: body.length, codeSignatureLength: 300 })
    writeFileSync(path, Buffer.concat([body, signature, signed]))
    expect(await scan(path)).toMatchObject({ signatureRemoved: true })
    const now = readFileSync(path)
    expect(parseKoly(now.subarray(-kolyBytes), now.length)).toMatchObject({
      codeSignatureOffset: 0,
      codeSignatureLength: 0,
    })
    expect(now.indexOf(signature)).toBe(-1)
  })

  it('gives tables the same digests whatever threads they are made in', async () => {
    // More than 32 MiB: in threads of their own.
    const data = noise(700_416, 4)
    const { path, disk } = write({
      tables: [
        {
          name: 'whole disk (Apple_HFS : 0)',
          id: 0,
          runs: [
            { kind: 'zlib', sectors: 1368, data },
            { kind: 'zero', sectors: 70_001 },
            { kind: 'ignore', sectors: 1024 },
            { kind: 'raw', sectors: 1368, data },
          ],
        },
      ],
    })
    const result = await scan(path)
    expect(result.scan.partitions[0]?.sha256).toBe(sha256(data, Buffer.alloc(70_001 * 512), data))
    const blocks = await readBlockHashes((await openImage(path)).info)
    const index = Math.floor((disk.length - 1) / 1_048_576)
    expect(Buffer.from(blocks?.hashes ?? []).toString('hex', index * 32)).toBe(
      sha256(disk.subarray(index * 1_048_576)),
    )
  })
})

describe('an image that can not be scanned', () => {
  const untouched = async (path: string, run: () => Promise<unknown>) => {
    const before = readFileSync(path)
    const error = await failureOf(run())
    expect(Buffer.compare(readFileSync(path), before)).toBe(0)
    expect((await readdir(folder.path)).filter((name) => name.startsWith('.'))).toEqual([])
    return error
  }

  it('is a raw one: it has no place for a scan', async () => {
    const path = join(folder.path, 'raw.img')
    const disk = Buffer.alloc(4096)
    disk.writeUInt16BE(0x55aa, 510)
    writeFileSync(path, disk)
    const error = await untouched(path, () => scan(path))
    expect(error.code).toBe('E_UNSUPPORTED')
    expect(error.details).toMatchObject({ hint: 'Convert it first: reprise image convert --format UDZO.' })
  })

  it('contradicts its own checksums', async () => {
    const { path } = write({
      tables: [
        { name: 'a (Apple_HFS : 0)', id: 0, crc32: 1, runs: [{ kind: 'zlib', sectors: 1, data: map }] },
      ],
    })
    expect((await untouched(path, () => scan(path))).code).toBe('E_SRC_CORRUPT')
  })

  it('has a wrong master checksum', async () => {
    const { path } = write({ ...spec, koly: { masterChecksum: Buffer.from('12345678', 'hex') } })
    expect(await untouched(path, () => scan(path))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { field: 'koly.masterChecksum' },
    })
  })

  it('lies in several files that are not in order', async () => {
    const { path } = write({ ...outOfOrder, segments: 2 })
    const error = await untouched(path, () => scan(path))
    expect(error.code).toBe('E_UNSUPPORTED')
    expect(await scan(path, { reorder: false })).toMatchObject({ stored: 'added', inOrder: false })
  })

  it('holds a volume whose catalog is fragmented, unless that is allowed', async () => {
    const volume = Buffer.alloc(2048)
    volume.write('H+', 1024, 'latin1')
    volume.writeUInt16BE(4, 1026)
    volume.writeUInt32BE(3_866_630_400, 1024 + 20)
    volume.writeUInt32BE(512, 1024 + 40)
    volume.writeUInt32BE(4, 1024 + 44)
    volume.writeUInt32BE(1, 1024 + 48)
    // The catalog: nine blocks, of which the eight extents hold eight.
    volume.writeUInt32BE(9, 1024 + 272 + 12)
    for (let extent = 0; extent < 8; extent++) volume.writeUInt32BE(1, 1024 + 272 + 16 + extent * 8 + 4)
    const { path } = write({
      tables: [
        { name: 'whole disk (Apple_HFS : 0)', id: 0, runs: [{ kind: 'raw', sectors: 4, data: volume }] },
      ],
    })
    expect((await untouched(path, () => scan(path))).code).toBe('E_SRC_FRAGMENTED')
    const result = await scan(path, { allowFragmentedCatalog: true })
    expect(result.scan.partitions[0]).toMatchObject({
      usedBytes: 3 * 512,
      dateMs: (3_866_630_400 - 2_082_844_800) * 1000,
    })
    const stored = readFileSync(path, 'latin1')
    expect(stored).toContain('<key>size</key>')
  })

  it('is stopped', async () => {
    for (const base of [spec, outOfOrder]) {
      const { path } = write(base)
      const stop = new AbortController()
      const context = quietContext(stop.signal)
      const before = readFileSync(path)
      const scanning = scanImage(
        { path, reorder: true, allowFragmentedCatalog: false },
        { ...context, advance: () => stop.abort() },
        times,
      )
      const reason: unknown = await scanning.catch((error: unknown) => error)
      expect(reason).toBe(stop.signal.reason)
      expect(Buffer.compare(readFileSync(path), before)).toBe(0)
    }
  })

  it('is changed by someone else while it is scanned', async () => {
    const { path } = write(spec)
    const context = quietContext()
    const scanning = scanImage(
      { path, reorder: true, allowFragmentedCatalog: false },
      {
        ...context,
        // As somebody who writes to it would: its time is another.
        advance: () => utimesSync(path, 1_000_000, 1_000_000),
      },
      times,
    )
    expect((await failureOf(scanning)).code).toBe('E_SRC_CHANGED')
  })

  it.each(['a file of another size', 'one that looks like it'])(
    'is replaced by %s while it is put in order',
    async (how) => {
      const { path } = write(outOfOrder)
      utimesSync(path, 1_000_000, 1_000_000)
      const other = how === 'a file of another size' ? noise(3000, 8) : readFileSync(path).fill(9)
      let phase = ''
      const scanning = scanImage(
        { path, reorder: true, allowFragmentedCatalog: false },
        {
          ...quietContext(),
          enter: (entered) => (phase = entered),
          advance() {
            if (phase !== 'reordering' || existsSync(`${path}.other`)) return
            writeFileSync(`${path}.new`, other)
            utimesSync(`${path}.new`, 1_000_000, 1_000_000)
            writeFileSync(`${path}.other`, '')
            renameSync(`${path}.new`, path)
          },
        },
        times,
      )
      expect((await failureOf(scanning)).code).toBe('E_SRC_CHANGED')
      expect(Buffer.compare(readFileSync(path), other)).toBe(0)
      expect((await readdir(folder.path)).filter((name) => name.startsWith('.'))).toEqual([])
    },
  )

  it('is told by its own name when what was written anew can not be read back', async () => {
    const { path } = write(outOfOrder)
    let phase = ''
    const scanning = scanImage(
      { path, reorder: true, allowFragmentedCatalog: false },
      {
        ...quietContext(),
        enter: (entered) => (phase = entered),
        // As a medium would that doesn't keep what is written to it.
        advance() {
          const hidden = readdirSync(folder.path).find((name) => name.endsWith('.part'))
          if (phase !== 'reordering' || hidden === undefined) return
          const file = openSync(join(folder.path, hidden), 'r+')
          writeSync(file, Buffer.from('oh'), 0, 2, 5000)
          closeSync(file)
        },
      },
      times,
    )
    const error = await failureOf(scanning)
    expect(error).toMatchObject({ code: 'E_SRC_CORRUPT', details: { path } })
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain('.part')
  })

  it.each(['renamed', 'removed'])('is %s by someone else while it is scanned', async (how) => {
    for (const run of [scanImage, addChecksums] as const) {
      const { path } = write({ ...spec, unsegmented: true })
      const advance = () => {
        if (!existsSync(path)) return
        if (how === 'renamed') renameSync(path, `${path}.old`)
        else rmSync(path)
      }
      const request = { path, reorder: true, allowFragmentedCatalog: false, replace: false }
      expect((await failureOf(run(request, { ...quietContext(), advance }, times))).code).toBe(
        'E_SRC_CHANGED',
      )
    }
  })

  it.skipIf(process.getuid?.() !== 0)(
    'has to be written anew in a folder that may not be written',
    async () => {
      const { path } = write(outOfOrder)
      const place = join(folder.path, 'closed')
      mkdirSync(place)
      renameSync(path, join(place, 'image.dmg'))
      chmodSync(join(place, 'image.dmg'), 0o666)
      chmodSync(place, 0o555)
      chmodSync(folder.path, 0o755)
      let advanced = 0
      process.seteuid?.(65_534)
      try {
        const scanning = scanImage(
          { path: join(place, 'image.dmg'), reorder: true, allowFragmentedCatalog: false },
          { ...quietContext(), advance: () => (advanced += 1) },
          times,
        )
        expect((await failureOf(scanning)).code).toBe('E_DENIED')
      } finally {
        process.seteuid?.(0)
      }
      expect(advanced).toBe(0)
      expect(await readdir(place)).toEqual(['image.dmg'])
    },
  )

  // The folder of this link has no room at all.
  it.skipIf(process.platform !== 'linux')('is named by a link, and there is room where it lies', async () => {
    const { path } = write(outOfOrder)
    await using file = await open(path)
    expect(await scan(`/proc/self/fd/${file.fd}`)).toMatchObject({ stored: 'reordered' })
    expect((await openImage(path)).info.inOrder).toBe(true)
  })

  it.skipIf(process.getuid?.() === 0)('may not be written', async () => {
    const { path } = write(spec)
    chmodSync(path, 0o444)
    expect((await untouched(path, () => scan(path))).code).toBe('E_DENIED')
  })
})

describe('verifying a scanned image', () => {
  /** The list with one character of the first `Data` behind `key` changed. */
  const spoil = (path: string, change: (text: string) => string) => {
    const bytes = readFileSync(path)
    const koly = parseKoly(bytes.subarray(-kolyBytes), bytes.length)
    const text = change(bytes.toString('latin1', koly.xmlOffset, koly.xmlOffset + koly.xmlLength))
    expect(text).toHaveLength(koly.xmlLength)
    bytes.write(text, koly.xmlOffset, 'latin1')
    writeFileSync(path, bytes)
  }

  it('compares what the scan stored', async () => {
    const { path } = write(spec)
    const { scan: stored } = await scan(path)
    const { checked } = await verifyImage(path, quietContext())
    expect(checked).toContainEqual({ what: '6 blocks', algorithm: 'SHA-256', value: stored.blocks?.root })
    expect(checked).toContainEqual({
      what: 'partition 0',
      algorithm: 'SHA-256',
      value: stored.partitions[0]?.sha256,
    })
  })

  it("calls an image intact where only another program's digest is of something else", async () => {
    const { path } = write(spec)
    const { scan: stored } = await scan(path)
    const ours = Buffer.from(stored.partitions[0]?.sha256 ?? '', 'hex').toString('base64')
    const theirs = createHash('sha256').update('what it covers').digest()
    spoil(path, (text) => {
      const begin = text.indexOf('<data>', text.indexOf('<key>nsiz</key>')) + '<data>'.length
      const end = text.indexOf('</data>', begin)
      const nsiz = Buffer.from(text.slice(begin, end), 'base64').toString('latin1')
      expect(nsiz).toContain(ours)
      const digits = Buffer.from(nsiz.replace(ours, theirs.toString('base64')), 'latin1').toString('base64')
      let next = 0
      const data = text.slice(begin, end).replaceAll(/[A-Za-z0-9+/=]/g, () => digits[next++] ?? '')
      return text.slice(0, begin) + data + text.slice(end)
    })
    expect((await openImage(path)).info.scan?.partitions[0]?.sha256).toBe(theirs.toString('hex'))
    const { checked } = await verifyImage(path, quietContext())
    const scanned = checked.filter(({ algorithm }) => algorithm === 'SHA-256')
    expect(scanned).toEqual([{ what: '6 blocks', algorithm: 'SHA-256', value: stored.blocks?.root }])
  })

  it('refuses hashes that do not add up to their root', async () => {
    const { path } = write(spec)
    await scan(path)
    spoil(path, (text) => {
      const at = text.indexOf('<data>', text.indexOf('<key>rpbh</key>')) + 300
      return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
    })
    expect(await failureOf(verifyImage(path, quietContext()))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { field: 'rpbh.root' },
    })
  })

  it('names the block that a consistent scan of another disk is wrong about', async () => {
    const { path } = write(spec)
    const other = write({
      ...spec,
      tables: [
        spec.tables[0]!,
        {
          ...spec.tables[1]!,
          runs: [
            ...spec.tables[1]!.runs.slice(0, -1),
            { kind: 'raw', sectors: 100, data: noise(51_200, 99) },
          ],
        },
        spec.tables[2]!,
      ],
    })
    await scan(path)
    await scan(other.path)
    const list = (from: string) => {
      const bytes = readFileSync(from)
      const koly = parseKoly(bytes.subarray(-kolyBytes), bytes.length)
      return bytes.toString('latin1', koly.xmlOffset, koly.xmlOffset + koly.xmlLength)
    }
    const hashes = (text: string) => /<key>rpbh<\/key>[\s\S]*?<\/array>/.exec(text)?.[0] ?? ''
    spoil(path, (text) => text.replace(hashes(text), hashes(list(other.path))))
    expect(await failureOf(verifyImage(path, quietContext()))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { field: 'SHA-256 of block 4', diskOffset: 4 * 1_048_576 },
    })
  })
})
