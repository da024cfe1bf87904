/**
 * Any image onto any disk, whatever happens: the disk holds exactly the image, or the failure says so and the disk is
 * empty. There is nothing in between.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planRestore, runRestore } from '#engine/copy'
import { silentLogger } from '#shared/log'
import type { JobContext } from '#engine/job'
import type { JobOutcome, RestoreSummary } from '#shared/model'
import { ioError } from '#test/fake-disk'
import { FakeMachine, type FakeRun } from '#test/fake-platform'

const KiB = 1024
const diskBytes = 3 * 1024 * KiB

/** Sectors of an image; the last run may end anywhere. */
const runs = fc
  .array(
    fc.record({
      kind: fc.constantFrom('raw' as const, 'raw' as const, 'zero' as const, 'ignore' as const),
      sectors: fc.integer({ min: 1, max: 900 }),
      seed: fc.nat(255),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((specs) =>
    specs.map(({ kind, sectors, seed }): FakeRun => {
      if (kind !== 'raw') return { kind, lengthBytes: sectors * 512 }
      const bytes = new Uint8Array(sectors * 512)
      // Sectors of zeros among the data, as real images have them.
      for (let index = 0; index < bytes.length; index++)
        bytes[index] = (index >> 9) % 3 === 2 ? 0 : seed + (index >> 4)
      return { kind, bytes }
    }),
  )

const machineOptions = fc.record({
  logicalBlockBytes: fc.constantFrom(512, 4096),
  clearUnused: fc.boolean(),
  verify: fc.boolean(),
  toFile: fc.boolean(),
  buffers: fc.integer({ min: 1, max: 5 }),
  bufferPages: fc.integer({ min: 1, max: 40 }),
  csumBuffers: fc.option(fc.integer({ min: 1, max: 3 })),
  csumPages: fc.integer({ min: 1, max: 300 }),
})

const trouble = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'none' as const }) },
  fc.record({ kind: fc.constantFrom('write' as const, 'vanish' as const), count: fc.nat(30) }),
  fc.record({ kind: fc.constant('flush' as const), count: fc.nat(5) }),
  fc.record({ kind: fc.constant('zero' as const), count: fc.nat(4) }),
  fc.record({ kind: fc.constant('lie' as const), at: fc.nat(diskBytes - 1) }),
  fc.record({ kind: fc.constant('unreadable' as const), at: fc.nat(diskBytes - 1) }),
  fc.record({ kind: fc.constant('cancel' as const), afterItem: fc.nat(30) }),
)

type Options = typeof machineOptions extends fc.Arbitrary<infer T> ? T : never
type Trouble = typeof trouble extends fc.Arbitrary<infer T> ? T : never

async function restore(image: readonly FakeRun[], options: Options, what: Trouble) {
  const machine = new FakeMachine()
  const { layout, expanded } = machine.addImage('/images/a.dmg', image)
  const disk = machine.addDisk({
    path: '/dev/sdb',
    sizeBytes: diskBytes,
    logicalBlockBytes: options.logicalBlockBytes,
  })
  const stop = new AbortController()
  let items = 0
  disk.faults = {
    onWrite: ({ offset, count }) => {
      if (what.kind === 'vanish' && count === what.count) disk.vanish()
      if (what.kind === 'write' && count === what.count) throw ioError('E_IO_WRITE', '/dev/sdb', offset)
    },
    onZero: ({ offset, count }) => {
      if (what.kind === 'zero' && count === what.count) throw ioError('E_IO_WRITE', '/dev/sdb', offset)
    },
    onFlush: (count) => {
      if (what.kind === 'flush' && count === what.count) throw ioError('E_IO_WRITE', '/dev/sdb', 0)
    },
    onRead: ({ offset, lengthBytes }) => {
      if (what.kind === 'unreadable' && what.at >= offset && what.at < offset + lengthBytes)
        throw ioError('E_IO_READ', '/dev/sdb', offset)
    },
    lie: (bytes, offset) => {
      if (what.kind === 'lie' && what.at >= offset && what.at < offset + bytes.length)
        bytes[what.at - offset]! ^= 1
    },
  }
  machine.onItem = () => {
    if (what.kind === 'cancel' && items++ === what.afterItem) stop.abort()
  }
  const plan = await planRestore(
    {
      source: '/images/a.dmg',
      target: options.toFile ? '/tmp/out.img' : '/dev/sdb',
      erase: true,
      verify: options.verify,
      clearUnused: options.clearUnused,
      changedOnly: false,
      afterwards: 'remount',
      timeoutMs: 0,
      form: 'contents',
      buffering: {
        buffers: options.buffers,
        bufferBytes: options.bufferPages * 4096,
        csumBuffers: options.csumBuffers,
        csumBufferBytes: options.csumPages * 4096,
      },
    },
    machine,
  )
  const progress: number[] = []
  const context: JobContext = {
    signal: stop.signal,
    log: silentLogger,
    enter: () => void progress.splice(0),
    skip: () => undefined,
    advance: (bytes) => progress.push(bytes),
    limitedBy: () => undefined,
    stalled: () => undefined,
    streamed: () => undefined,
    changed: () => undefined,
  }
  const outcome = await runRestore(plan, machine, context)
  return { machine, disk, layout, expanded, outcome, progress }
}

/** What the image says of each byte; unused bytes may be anything. */
function isUnused(image: readonly FakeRun[]): (offset: number) => boolean {
  const ends: { readonly end: number; readonly unused: boolean }[] = []
  let end = 0
  for (const run of image) {
    end += run.kind === 'raw' ? run.bytes.length : run.lengthBytes
    ends.push({ end, unused: run.kind === 'ignore' })
  }
  return (offset) => ends.find((run) => offset < run.end)?.unused ?? false
}

function firstWrong(found: Uint8Array, expanded: Uint8Array, mayDiffer: (offset: number) => boolean): number {
  if (found.length < expanded.length) return found.length
  for (let offset = 0; offset < expanded.length; offset++)
    if (found[offset] !== expanded[offset] && !mayDiffer(offset)) return offset
  return -1
}

describe('a restore', () => {
  it('ends with exactly the image, or as a failure that left nothing', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(runs, machineOptions, trouble, async (image, options, what) => {
        const course = await restore(image, options, what)
        const { machine, disk, outcome, progress } = course
        if (outcome.kind === 'done') expectImage(course, outcome.summary, image, options, what)
        else expectNothingLeft(outcome, disk.isGone, disk.bytes, machine.files.get('/tmp/out.img')?.bytes)
        expect(progress.toSorted((a, b) => a - b)).toEqual(progress)
        expect(disk.isOpen).toBe(false)
        expect(machine.streams.every((stream) => stream.held() === 0)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })
})

function expectImage(
  { machine, disk, expanded }: Awaited<ReturnType<typeof restore>>,
  summary: RestoreSummary,
  image: readonly FakeRun[],
  options: Options,
  what: Trouble,
): void {
  const found = options.toFile ? machine.files.get('/tmp/out.img')!.bytes : disk.bytes
  const loose = options.clearUnused || options.toFile ? () => false : isUnused(image)
  // Without a verify, a disk that lies isn't found out; what was written is right all the same.
  expect(firstWrong(found, expanded, loose)).toBe(-1)
  expect(!options.toFile || found.length === expanded.length).toBe(true)
  expect(summary.restoredBytes).toBe(expanded.length)
  const { writtenBytes, zeroedBytes, skippedBytes } = summary
  expect(writtenBytes + zeroedBytes + skippedBytes).toBeGreaterThanOrEqual(expanded.length)
  const toldLie = what.kind === 'lie' && what.at < expanded.length && options.verify && !options.toFile
  // A verify that was told a lie about anything that matters has noticed.
  expect(!toldLie || isUnused(image)(what.at)).toBe(true)
}

function expectNothingLeft(
  outcome: JobOutcome,
  isGone: boolean,
  disk: Uint8Array,
  file: Uint8Array | undefined,
): void {
  const target = 'target' in outcome ? outcome.target : null
  expect(outcome.kind === 'failed' ? outcome.error.family : outcome.kind).toMatch(
    /^(device|usage|format|verification|cancelled)$/,
  )
  expect(target).toBe(isGone ? 'incomplete' : target)
  expect(file).toBeUndefined()
  const head = disk.subarray(0, 1024 * KiB)
  const isBlank = head.every((byte) => byte === 0)
  // A file was the target, or nothing was written yet.
  const isOld = head.every((byte) => byte === 0xee)
  expect(target !== 'empty' || isBlank || isOld).toBe(true)
}
