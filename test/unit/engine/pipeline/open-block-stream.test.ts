import { mkdtempSync, openSync, closeSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { allocateExtentTable, kindIndex, type ImageLayout } from '#engine/formats/extents'
import { rawLayout as layoutOfRawFile } from '#engine/formats/raw'
import { defaultPool, openBlockStream, type BlockStreamOptions, type StreamItem } from '#engine/pipeline'
import { WorkerCrew } from '#src/main/engine/pipeline/worker-crew.ts'
import { allocateRing, RingReader } from '#src/main/engine/pipeline/ring.ts'
import { planBlocks } from '#src/main/engine/pipeline/block-map.ts'
import { planStretches } from '#src/main/engine/pipeline/stretches.ts'
import type { FormatError } from '#shared/errors'
import type { CrewJob } from '#src/main/engine/pipeline/crew.ts'
import { buildImage, noise, type RunOfImage } from '#test/image-of-runs'

const folder = mkdtempSync(join(tmpdir(), 'reprise-open-stream-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const kibibyte = 1024

const open = (layout: ImageLayout, options: Partial<BlockStreamOptions> = {}) =>
  openBlockStream(layout, {
    pool: defaultPool,
    alignmentBytes: 512,
    signal: new AbortController().signal,
    ...options,
  })

/** All items, in words, and the bytes of the disk. */
async function readAll(layout: ImageLayout, options: Partial<BlockStreamOptions> = {}) {
  await using stream = await open(layout, options)
  const words: string[] = []
  const pieces: Uint8Array[] = []
  for (let item = await stream.next(); item !== null; item = await stream.next()) {
    words.push(`${item.kind} ${item.offset}+${lengthOf(item)}`)
    pieces.push(item.kind === 'data' ? Buffer.from(item.bytes) : Buffer.alloc(item.lengthBytes))
    if (item.kind === 'data') item.release()
  }
  return { words, disk: Buffer.concat(pieces), counters: stream.counters() }
}
const lengthOf = (item: StreamItem) => (item.kind === 'data' ? item.bytes.length : item.lengthBytes)

function rawLayout(path: string, sizeBytes: number): ImageLayout {
  const extents = allocateExtentTable(1)
  extents.kind[0] = kindIndex.raw
  extents.diskBytes[0] = sizeBytes
  extents.storedBytes[0] = sizeBytes
  const parts = [{ path, streamOffset: 0, fileOffset: 0, lengthBytes: sizeBytes }]
  return { kind: 'extents', sizeBytes, parts, extents, checks: [], storedChecks: [] }
}

function writeFile(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

test('a raw image that ends inside a sector is read to its end, and the rest of the sector is zeros', async () => {
  for (const lengthBytes of [100, 512 + 1, 1_048_576 + 513, 3_000_000]) {
    const bytes = noise(lengthBytes, 7)
    const path = writeFile('odd.img', bytes)
    const { disk } = await readAll(layoutOfRawFile(path, lengthBytes))
    const whole = Buffer.alloc(Math.ceil(lengthBytes / 512) * 512)
    whole.set(bytes)
    expect(Buffer.compare(disk, whole)).toBe(0)
  }
})

test('zeros in a raw image are told as zeros, and neighbours as one', async () => {
  const bytes = Buffer.concat([noise(1000, 1), Buffer.alloc(5_000_000 - 1000 - 700), noise(700, 2)])
  const size = Math.floor(bytes.length / 512) * 512
  const { words, disk } = await readAll(rawLayout(writeFile('zeros.img', bytes), size))
  expect(Buffer.compare(disk, bytes.subarray(0, size))).toBe(0)
  const piece = 128 * kibibyte
  const lastPiece = Math.floor(size / piece) * piece
  expect(words).toEqual([
    `data 0+${piece}`,
    `zero ${piece}+${lastPiece - piece}`,
    `data ${lastPiece}+${size - lastPiece}`,
  ])
})

test('a raw run that is stored short ends in zeros', async () => {
  const bytes = noise(8192 + 100, 1)
  const extents = allocateExtentTable(2)
  extents.kind.fill(kindIndex.raw)
  extents.diskOffset[1] = extents.storedOffset[1] = extents.diskBytes[0] = extents.storedBytes[0] = 8192
  extents.diskBytes[1] = 512
  extents.storedBytes[1] = 100
  const parts = [{ path: writeFile('short.img', bytes), streamOffset: 0, fileOffset: 0, lengthBytes: 8292 }]
  const layout = { kind: 'extents', sizeBytes: 8704, parts, extents, checks: [], storedChecks: [] } as const
  // The buffer was used before.
  const { disk } = await readAll(layout, { pool: { buffers: 1, bufferBytes: 4096 } })
  expect(Buffer.compare(disk, Buffer.concat([bytes, Buffer.alloc(412)]))).toBe(0)
})

test('a disk without a byte is at its end at once', async () => {
  const layout = rawLayout(writeFile('empty.img', Buffer.alloc(0)), 0)
  expect((await readAll(layout)).words).toEqual([])
})

test('an image of 512-byte sectors for a disk of 4 KiB ones may end inside one', async () => {
  const { words } = await readAll(rawLayout(writeFile('odd.img', noise(9728, 1)), 9728), {
    alignmentBytes: 4096,
  })
  expect(words).toEqual(['data 0+9728'])
})

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)(
  'a stream of %s is told window by window, zeros as such, its last sector filled up',
  async (codec, compress) => {
    const bytes = Buffer.concat([noise(3_000_000, 1), Buffer.alloc(3_000_000), noise(1_000_001, 2)])
    const path = writeFile(`stream.${codec}`, compress(bytes))
    const layout = { kind: 'stream', codec, path, storedBytes: 1, sizeBytes: null } as const
    // The last buffer was used before.
    const { words, disk } = await readAll(layout, { pool: { buffers: 2, bufferBytes: 131_072 } })
    expect(disk.length).toBe(Math.ceil(bytes.length / 512) * 512)
    expect(Buffer.compare(disk.subarray(0, bytes.length), bytes)).toBe(0)
    expect(disk.subarray(bytes.length).every((byte) => byte === 0)).toBe(true)
    expect(words.filter((word) => word.startsWith('zero')).length).toBe(1)
  },
)

test('a stream that is held open is read from what is held, whatever is called so by now', async () => {
  const bytes = noise(200_000, 1)
  const stored = gzipSync(bytes)
  const path = writeFile('held.gz', stored)
  const layout = { kind: 'stream', codec: 'gzip', path, storedBytes: stored.length, sizeBytes: null } as const
  await using held = await openFile(path)
  rmSync(path)
  writeFile('held.gz', gzipSync(noise(200_000, 2)))
  const { disk } = await readAll(layout, { openFiles: new Map([[path, held.fd]]) })
  expect(Buffer.compare(disk.subarray(0, bytes.length), bytes)).toBe(0)
})

test('a stream with less than its map says was cut short', async () => {
  const path = writeFile('cut.gz', gzipSync(noise(100_000, 1)))
  const least = { sizeBytes: 200_000, field: 'size for gpt partition 2' }
  const layout = { kind: 'stream', codec: 'gzip', path, storedBytes: 1, sizeBytes: null, least } as const
  await expect(readAll(layout)).rejects.toMatchObject({
    code: 'E_SRC_CORRUPT',
    details: { field: least.field, cutShort: true },
  })
})

test('a stream that ends with a window has no more to tell', async () => {
  const bytes = noise(2 * 65_536, 1)
  const path = writeFile('whole.gz', gzipSync(bytes))
  const layout = { kind: 'stream', codec: 'gzip', path, storedBytes: 1, sizeBytes: bytes.length } as const
  const { words } = await readAll(layout, { pool: { buffers: 2, bufferBytes: 65_536 } })
  expect(words).toEqual(['data 0+65536', 'data 65536+65536'])
})

test('a stream that is cut off tells what came before, and then where it ends', async () => {
  const stored = gzipSync(noise(1_000_000, 1))
  const path = writeFile('cut.gz', stored.subarray(0, 500_000))
  await using stream = await open(
    { kind: 'stream', codec: 'gzip', path, storedBytes: 500_000, sizeBytes: null },
    { pool: { buffers: 4, bufferBytes: 65_536 } },
  )
  let told = 0
  const reading = (async () => {
    for (let item = await stream.next(); item !== null; item = await stream.next()) {
      told += lengthOf(item)
      if (item.kind === 'data') item.release()
    }
  })()
  await expect(reading).rejects.toMatchObject({ code: 'E_SRC_CORRUPT', details: { format: 'gzip' } })
  expect(told).toBeGreaterThan(300_000)
  await expect(stream.next()).rejects.toMatchObject({ code: 'E_SRC_CORRUPT' })
})

test('a stream that is not as long as it says is an error', async () => {
  const path = writeFile('longer.gz', gzipSync(noise(100_000, 1)))
  const layout = { kind: 'stream', codec: 'gzip', path, storedBytes: 1, sizeBytes: 200_000 } as const
  await expect(readAll(layout)).rejects.toMatchObject({
    code: 'E_SRC_CORRUPT',
    details: { field: 'size', expected: 200_000, found: 100_000 },
  })
})

test('a stream is abandoned in the middle, with a full pool', async () => {
  const path = writeFile('abandoned.gz', gzipSync(noise(4_000_000, 1)))
  const abort = new AbortController()
  const stream = await open(
    { kind: 'stream', codec: 'gzip', path, storedBytes: 1, sizeBytes: null },
    { pool: { buffers: 2, bufferBytes: 65_536 }, signal: abort.signal },
  )
  await stream.next()
  // The worker waits for room by now.
  await sleep(200)
  abort.abort(new Error('enough'))
  await expect(stream.next()).rejects.toThrow('enough')
  await stream[Symbol.asyncDispose]()
})

test('what is open already is read by its descriptor and left open', async () => {
  const path = writeFile('open.img', noise(4096, 1))
  const fd = openSync(path, 'r')
  const layout = rawLayout('/dev/nowhere', 4096)
  const { disk } = await readAll(layout, { openFiles: new Map([['/dev/nowhere', fd]]) })
  expect(disk).toEqual(noise(4096, 1))
  expect(() => closeSync(fd)).not.toThrow()
})

test('a file that is not there is named', async () => {
  const path = join(folder, 'nothing')
  await expect(open(rawLayout(path, 512))).rejects.toMatchObject({ code: 'E_NOT_FOUND', details: { path } })
  const layout = { kind: 'stream', codec: 'gzip', path, storedBytes: 1, sizeBytes: null } as const
  await expect(readAll(layout)).rejects.toMatchObject({ code: 'E_NOT_FOUND', details: { path } })
})

test('a file that became shorter is an error that names the place', async () => {
  const path = writeFile('shrunk.img', noise(3_000_000, 1))
  const layout = rawLayout(path, 2_999_808)
  truncateSync(path, 1_500_000)
  await expect(readAll(layout)).rejects.toMatchObject({
    code: 'E_SRC_CORRUPT',
    details: { path, field: 'data', offset: 1_048_576 },
  })
})

test('a run that cannot be decoded is placed on the disk and in the file', async () => {
  const runs: RunOfImage[] = [1, 2, 3].map((seed) => ({ kind: 'zlib', sectors: 64, content: 'text', seed }))
  const { layout } = buildImage(folder, { runs, spoilt: [1], deadBytes: 13 })
  const error = await readAll(layout).catch((thrown: unknown) => thrown)
  const runOffset = layout.extents.storedOffset[1]!
  expect(error).toMatchObject({
    code: 'E_SRC_CORRUPT',
    details: {
      format: 'zlib',
      diskOffset: 32_768,
      diskBytes: 32_768,
      runOffset,
      path: layout.parts[0]!.path,
    },
  })
  const { offset } = (error as FormatError).details
  expect(offset).toBeGreaterThanOrEqual(runOffset)
  expect(offset).toBeLessThan(runOffset + layout.extents.storedBytes[1]!)
})

test('nothing is opened when it was told to stop before', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(open(rawLayout('/nowhere', 512), { signal })).rejects.toThrow('enough')
})

test('a pool there is no memory for is refused', async () => {
  const layout = rawLayout(writeFile('small.img', noise(512, 1)), 512)
  const pool = { buffers: 1000, bufferBytes: 100 * kibibyte * kibibyte }
  await expect(open(layout, { pool })).rejects.toMatchObject({
    code: 'E_USAGE',
    details: { input: 'buffers', buffers: 1000 },
  })
})

test('the counters tell what was read and how long that took', async () => {
  const runs: RunOfImage[] = [
    { kind: 'raw', sectors: 2000, content: 'noise', seed: 1 },
    { kind: 'zlib', sectors: 2000, content: 'noise', seed: 2 },
  ]
  const { layout } = buildImage(folder, { runs })
  const { counters } = await readAll(layout)
  expect(counters.storedBytesRead).toBe(layout.parts[0]!.lengthBytes)
  expect(counters.readNs).toBeGreaterThan(0)
  expect(counters.decodeNs).toBeGreaterThan(0)
  expect(counters.waitNs).toBeGreaterThanOrEqual(0)
})

test('an item that is given back twice is a mistake that is noticed', async () => {
  await using stream = await open(rawLayout(writeFile('twice.img', noise(512, 1)), 512))
  const item = await stream.next()
  if (item?.kind !== 'data') throw new Error('no data')
  item.release()
  expect(() => item.release()).toThrow('twice')
})

test('a worker that crashes is told as a mistake of ours', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const ring = allocateRing(1, 4096)
  const crew = new WorkerCrew({ kind: 'extents', ring } as unknown as CrewJob, 1, resolve)
  expect(await promise).toMatchObject({ code: 'E_BUG', family: 'bug' })
  await crew.stop()
})

test('a worker that does not leave is ended', async () => {
  const { layout } = buildImage(folder, { runs: [{ kind: 'raw', sectors: 64, content: 'noise', seed: 1 }] })
  const { extents, sizeBytes } = layout
  const stretches = planStretches(extents, { sizeBytes, alignmentBytes: 512, foldBytes: 512 })
  const ring = allocateRing(1, 4096)
  const map = planBlocks(stretches, { sizeBytes, windowBytes: 4096, slots: 1, claimBytes: 4096 })
  const fd = openSync(layout.parts[0]!.path, 'r')
  const parts = [{ ...layout.parts[0]!, fd }]
  const crew = new WorkerCrew(
    { kind: 'extents', ring, map, extents, parts, hashes: null },
    1,
    () => undefined,
  )
  expect(await new RingReader(ring).next(0)).toMatchObject({ filledBytes: 4096 })
  // Nobody tells it: it waits for room.
  await crew.stop()
  closeSync(fd)
})

test('two million runs can be planned', async () => {
  const rows = 2_000_000
  const extents = allocateExtentTable(rows)
  for (let row = 0; row < rows; row++) {
    extents.kind[row] = row % 2 === 0 ? kindIndex.zlib : kindIndex.zero
    extents.diskOffset[row] = row * 262_144
    extents.diskBytes[row] = 262_144
    extents.storedBytes[row] = 100
  }
  const path = writeFile('many.dmg', noise(1000, 1))
  const parts = [{ path, streamOffset: 0, fileOffset: 0, lengthBytes: 1000 }]
  const stream = await open({
    kind: 'extents',
    sizeBytes: rows * 262_144,
    parts,
    extents,
    checks: [],
    storedChecks: [],
  })
  await expect(stream.next()).rejects.toMatchObject({ code: 'E_SRC_CORRUPT', details: { diskOffset: 0 } })
  await stream[Symbol.asyncDispose]()
})
