/**
 * The pipeline against the plainest model there is: any image of runs, stored anyhow, through any pool, must come out as
 * the disk it stands for, each byte once and in order. The loop that fills the pool is the same in a thread and in a
 * fiber, so most runs use fibers, which are quick, and some use threads, which race.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { decodeRun } from '#engine/formats/codecs'
import { openBlockStream, type BlockStream, type PoolOptions } from '#engine/pipeline'
import { planBlocks } from '#src/main/engine/pipeline/block-map.ts'
import { extentItems, ItemReader } from '#src/main/engine/pipeline/block-items.ts'
import { fillExtents } from '#src/main/engine/pipeline/fill-extents.ts'
import { openParts } from '#src/main/engine/pipeline/open-parts.ts'
import { PartFiles } from '#src/main/engine/pipeline/part-files.ts'
import { planPool } from '#src/main/engine/pipeline/pool-plan.ts'
import { allocateRing, RingReader } from '#src/main/engine/pipeline/ring.ts'
import { readStoredLater } from '#src/main/engine/pipeline/stored-reader.ts'
import { planStretches } from '#src/main/engine/pipeline/stretches.ts'
import type { WorkerFailure } from '#src/main/engine/pipeline/worker-job.ts'
import { deserializeError, type AppError } from '#shared/errors'
import { drainStream } from '#test/drain-stream'
import { buildImage, sectorBytes, type BuiltImage, type RunOfImage } from '#test/image-of-runs'

const folder = mkdtempSync(join(tmpdir(), 'reprise-pipeline-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** More runs of everything, by hand: REPRISE_RUNS=2000. */
const runs = Number(process.env['REPRISE_RUNS'] ?? 0)

const runOfImage = fc.record<RunOfImage>({
  kind: fc.constantFrom('zero', 'ignore', 'raw', 'zlib'),
  sectors: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 600 }) },
  ),
  content: fc.constantFrom('noise', 'text', 'zeros'),
  seed: fc.nat(1000),
})

const anyCase = fc.record({
  runs: fc.array(runOfImage, { minLength: 1, maxLength: 40 }),
  storeKeys: fc.array(fc.nat(40), { maxLength: 40 }),
  files: fc.integer({ min: 1, max: 3 }),
  deadBytes: fc.constantFrom(0, 0, 13),
  buffers: fc.integer({ min: 1, max: 6 }),
  bufferBytes: fc.constantFrom(4096, 8192, 12_288, 65_536, 262_144),
  alignmentBytes: fc.constantFrom(512, 4096),
  foldBytes: fc.constantFrom(512, 4096, 30_000, 131_072),
  claimBytes: fc.constantFrom(512, 3000, 4096, 262_144),
  workers: fc.integer({ min: 1, max: 5 }),
  held: fc.integer({ min: 1, max: 8 }),
  randomSeed: fc.nat(),
})
type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never

function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** The pipeline without its threads, and with a say in what it decides for itself. */
async function openInFibers(
  { layout }: BuiltImage,
  options: Pick<Case, 'alignmentBytes' | 'foldBytes' | 'claimBytes' | 'workers'> & { pool: PoolOptions },
): Promise<BlockStream> {
  const { alignmentBytes, foldBytes, workers } = options
  const { extents, sizeBytes } = layout
  const plan = planPool(extents, options.pool, { alignmentBytes, cores: workers })
  const stretches = planStretches(extents, { sizeBytes, alignmentBytes, foldBytes })
  const map = planBlocks(stretches, { ...plan, claimBytes: options.claimBytes, sizeBytes })
  const ring = allocateRing(plan.slots, plan.windowBytes)
  const files = await openParts(layout.parts, new Map())
  const partFiles = new PartFiles()
  const failures: WorkerFailure[] = []
  const reader = new RingReader(ring)
  const fibers = Array.from({ length: workers }, () =>
    fillExtents(
      {
        kind: 'extents',
        ring,
        map,
        extents,
        parts: files.parts,
        hashes: null,
        counters: new Float64Array(new SharedArrayBuffer(32)),
      },
      {
        read: (parts, offset, into) => readStoredLater(parts, offset, into, partFiles),
        waitForRoom: (filler, block) => filler.waitForRoomLater(block),
        loadDecoder: async () => decodeRun,
        postFailure: (failure) => failures.push(failure),
      },
    ),
  )
  const whyNot = () => deserializeError(failures.sort((a, b) => a.diskOffset - b.diskOffset)[0]!.error)
  const steps = extentItems(reader, {
    map,
    extents,
    alignmentBytes,
    leastUnusedBytes: foldBytes,
    isChecked: false,
  })
  const items = new ItemReader(reader, steps, whyNot)
  return {
    next: () => items.next(),
    counters: () => ({ readNs: 0, decodeNs: 0, waitNs: 0, storedBytesRead: 0 }),
    async [Symbol.asyncDispose]() {
      reader.stop()
      await Promise.all(fibers)
      await files[Symbol.asyncDispose]()
    },
  }
}

async function drainWhole(stream: BlockStream, image: BuiltImage, options: Case) {
  const drained = await drainStream(stream, image, {
    alignmentBytes: options.alignmentBytes,
    bufferBytes: Math.max(4096, options.bufferBytes),
    random: randomOf(options.randomSeed),
    held: options.held,
  })
  return drained
}

/** What is wrong with what came out; null when nothing is. Two disks are too long to print. */
function wrongWith(image: BuiltImage, drained: Awaited<ReturnType<typeof drainWhole>>): unknown {
  if (drained.error !== null) return drained.error
  if (drained.toldBytes !== image.disk.length) return `${drained.toldBytes} of ${image.disk.length} bytes`
  const differing = image.disk.findIndex((byte, offset) => byte !== drained.disk[offset])
  return differing < 0 ? null : `byte ${differing} differs`
}

const openFiles = () => readdirSync('/proc/self/fd').length

test('any image comes out as the disk it stands for', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (options) => {
      const image = buildImage(folder, options)
      await using stream = await openInFibers(image, { ...options, pool: options })
      expect(wrongWith(image, await drainWhole(stream, image, options))).toBe(null)
    }),
    { numRuns: runs || 300, seed: 20_261_120 },
  )
}, 600_000)

test('with threads, too', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (options) => {
      const image = buildImage(folder, options)
      const before = openFiles()
      {
        await using stream = await openBlockStream(image.layout, {
          pool: options,
          alignmentBytes: options.alignmentBytes,
          workers: options.workers,
          signal: new AbortController().signal,
        })
        expect(wrongWith(image, await drainWhole(stream, image, options))).toBe(null)
      }
      expect(openFiles()).toBeLessThanOrEqual(before + 2)
    }),
    { numRuns: runs || 8, seed: 7 },
  )
}, 600_000)

test('the first run that is spoilt is the one that is told, after all blocks before it', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyCase,
      fc.array(fc.nat(39), { minLength: 1, maxLength: 5 }),
      async (options, picks) => {
        const zlibRuns = options.runs.flatMap((run, index) => (run.kind === 'zlib' ? [index] : []))
        fc.pre(zlibRuns.length > 0)
        const spoilt = picks.map((pick) => zlibRuns[pick % zlibRuns.length]!)
        const image = buildImage(folder, { ...options, spoilt })
        await using stream = await openInFibers(image, { ...options, pool: options })
        const { error, toldBytes, disk } = await drainWhole(stream, image, options)
        const diskOffset = image.layout.extents.diskOffset[Math.min(...spoilt)]!
        const { code, details } = error as AppError<'E_SRC_CORRUPT', { diskOffset: number }>
        expect(code).toBe('E_SRC_CORRUPT')
        expect(details.diskOffset).toBe(diskOffset)
        // Zeros at the end may have been held back, but nothing from the spoilt block on was told.
        expect(toldBytes).toBeLessThanOrEqual(diskOffset)
        expect(Buffer.compare(disk.subarray(0, toldBytes), image.disk.subarray(0, toldBytes))).toBe(0)
      },
    ),
    { numRuns: runs || 100, seed: 42 },
  )
}, 600_000)

test('closing at any moment ends all threads and closes all files', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, fc.nat(20), fc.boolean(), async (options, items, byAbort) => {
      const image = buildImage(folder, options)
      const before = openFiles()
      const abort = new AbortController()
      const stream = await openBlockStream(image.layout, {
        pool: options,
        alignmentBytes: options.alignmentBytes,
        workers: options.workers,
        signal: abort.signal,
      })
      const { error } = await drainStream(stream, image, {
        alignmentBytes: options.alignmentBytes,
        bufferBytes: options.bufferBytes,
        random: randomOf(options.randomSeed),
        held: options.held,
        items,
      })
      expect(error).toBe(null)
      // It may still get its item; it must not be left waiting.
      const waiting = stream.next().catch(() => null)
      if (byAbort) abort.abort(new Error('aborted'))
      else await stream[Symbol.asyncDispose]()
      await waiting
      await expect(stream.next()).rejects.toThrow(byAbort ? 'aborted' : 'closed')
      await stream[Symbol.asyncDispose]()
      expect(openFiles()).toBeLessThanOrEqual(before + 2)
    }),
    { numRuns: runs || 8, seed: 3 },
  )
}, 600_000)

test('a run larger than the pool makes the pool grow', async () => {
  const image = buildImage(folder, {
    runs: [
      { kind: 'raw', sectors: 3, content: 'noise', seed: 1 },
      { kind: 'zlib', sectors: (1024 * 1024) / sectorBytes, content: 'noise', seed: 2 },
      { kind: 'zlib', sectors: (1024 * 1024) / sectorBytes, content: 'text', seed: 3 },
    ],
  })
  await using stream = await openBlockStream(image.layout, {
    pool: { buffers: 1, bufferBytes: 4096 },
    alignmentBytes: 512,
    workers: 2,
    signal: new AbortController().signal,
  })
  const options = { alignmentBytes: 512, bufferBytes: 4096, random: randomOf(1), held: 1 }
  const { disk, error } = await drainStream(stream, image, options)
  expect(error).toBe(null)
  expect(Buffer.compare(disk, image.disk)).toBe(0)
})
