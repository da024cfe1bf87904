/**
 * Changed blocks only, onto any disk: what is on it in the end is what a full restore would have put there, a second time
 * nothing is written, and a failure leaves either what was there or nothing.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planRestore, runRestore } from '#engine/copy'
import type { JobContext } from '#engine/job'
import { silentLogger } from '#shared/log'
import type { JobOutcome, RestoreRequest } from '#shared/model'
import { ioError } from '#test/fake-disk'
import { FakeMachine, type FakeRun } from '#test/fake-platform'

const KiB = 1024
const MiB = 1024 * KiB
const diskBytes = 4 * MiB
const source = '/images/a.dmg'

/** The bytes are made of these in the property itself: a counterexample that can be read. */
const specs = fc.array(
  fc.record({
    kind: fc.constantFrom('raw' as const, 'raw' as const, 'zero' as const, 'ignore' as const),
    sectors: fc.integer({ min: 1, max: 1150 }),
    seed: fc.nat(255),
  }),
  { minLength: 1, maxLength: 7 },
)

type Specs = typeof specs extends fc.Arbitrary<infer T> ? T : never

function imageOf(wanted: Specs): readonly FakeRun[] {
  return wanted.map(({ kind, sectors, seed }): FakeRun => {
    if (kind !== 'raw') return { kind, lengthBytes: sectors * 512 }
    const bytes = new Uint8Array(sectors * 512)
    for (let index = 0; index < bytes.length; index++)
      bytes[index] = (index >> 9) % 3 === 2 ? 0 : seed + (index >> 4)
    return { kind, bytes }
  })
}

const settings = fc.record({
  hashedBlockBytes: fc.constantFrom(null, 64 * KiB, 256 * KiB, MiB),
  logicalBlockBytes: fc.constantFrom(512, 4096),
  clearUnused: fc.boolean(),
  verify: fc.boolean(),
  toFile: fc.boolean(),
  buffers: fc.integer({ min: 1, max: 5 }),
  bufferPages: fc.integer({ min: 1, max: 40 }),
  csumPages: fc.integer({ min: 1, max: 300 }),
})

/** What differs on the destination. Few near copies are without, and some are no copies at all. */
const differences = fc.array(
  fc.record({
    at: fc.oneof(fc.nat(diskBytes - 1), fc.constantFrom(0, MiB - 1, MiB, diskBytes - 1, diskBytes - MiB)),
    length: fc.oneof(fc.constantFrom(1, 512, 4096), fc.nat(diskBytes)),
    byte: fc.nat(255),
  }),
  { maxLength: 4 },
)

const trouble = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'none' as const }) },
  fc.record({ kind: fc.constantFrom('write' as const, 'zero' as const, 'flush' as const), count: fc.nat(5) }),
  fc.record({ kind: fc.constant('unreadable' as const), at: fc.nat(diskBytes - 1) }),
  fc.record({ kind: fc.constant('cancel' as const), afterItem: fc.nat(20) }),
)

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never
type Differences = typeof differences extends fc.Arbitrary<infer T> ? T : never
type Trouble = typeof trouble extends fc.Arbitrary<infer T> ? T : never

function prepare(image: readonly FakeRun[], options: Settings, differing: Differences) {
  const machine = new FakeMachine()
  const { hashedBlockBytes, logicalBlockBytes } = options
  const made = machine.addImage(source, image, hashedBlockBytes === null ? {} : { hashedBlockBytes })
  const disk = machine.addDisk({ path: '/dev/sdb', sizeBytes: diskBytes, logicalBlockBytes })
  const old = new Uint8Array(diskBytes)
  old.set(made.expanded)
  for (const { at, length, byte } of differing) old.fill(byte, at, at + length)
  disk.bytes.set(old)
  // A file may be shorter than the image, or longer.
  const fileBytes = differing[0]?.length ?? made.expanded.length
  if (options.toFile) machine.addFile('/tmp/disk.img', old.slice(0, fileBytes))
  const bytes = () => (options.toFile ? machine.files.get('/tmp/disk.img')!.bytes : disk.bytes)
  return { machine, disk, bytes, ...made }
}

async function restore(
  { machine }: ReturnType<typeof prepare>,
  options: Settings,
  change: Partial<RestoreRequest> = {},
  stop = new AbortController(),
): Promise<{ readonly outcome: JobOutcome; readonly progress: readonly number[] }> {
  const plan = await planRestore(
    {
      source,
      target: options.toFile ? '/tmp/disk.img' : '/dev/sdb',
      erase: true,
      verify: options.verify,
      clearUnused: options.clearUnused,
      changedOnly: true,
      afterwards: 'remount',
      timeoutMs: 0,
      form: 'contents',
      buffering: {
        buffers: options.buffers,
        bufferBytes: options.bufferPages * 4096,
        csumBuffers: null,
        csumBufferBytes: options.csumPages * 4096,
      },
      ...change,
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
  return { outcome: await runRestore(plan, machine, context), progress }
}

/** Unused space that a restore may leave as it is: not in files, and not at the ends of a disk. */
function* looseParts(image: readonly FakeRun[], options: Settings): Generator<readonly [number, number]> {
  if (options.clearUnused || options.toFile) return
  let at = 0
  for (const run of image) {
    const length = run.kind === 'raw' ? run.bytes.length : run.lengthBytes
    const [from, to] = [Math.max(at, MiB), Math.min(at + length, diskBytes - MiB)]
    if (run.kind === 'ignore' && to > from) yield [from, to]
    at += length
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (Buffer.compare(a, b) === 0) return -1
  for (let at = 0; at < Math.max(a.length, b.length); at++) if (a[at] !== b[at]) return at
  return -1
}

describe('a restore of changed blocks only', () => {
  it('ends as a full restore does, and finds nothing to do the next time', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(specs, settings, differences, async (wantedRuns, options, differing) => {
        const image = imageOf(wantedRuns)
        const changed = prepare(image, options, differing)
        const full = prepare(image, options, differing)
        const { outcome, progress } = await restore(changed, options)
        const expected = await restore(full, options, { changedOnly: false })
        expect([outcome.kind, expected.outcome.kind]).toEqual(['done', 'done'])
        if (outcome.kind !== 'done' || expected.outcome.kind !== 'done') return

        const [found, wanted] = [changed.bytes().slice(), full.bytes().slice()]
        for (const [from, to] of looseParts(image, options)) {
          found.fill(0, from, to)
          wanted.fill(0, from, to)
        }
        // A full restore may have discarded what is unused in the last blocks.
        if (!options.toFile) wanted.fill(0, Math.max(changed.expanded.length, diskBytes - MiB))
        const tail = options.toFile ? wanted.length : diskBytes - MiB
        for (let at = tail; at < changed.expanded.length; at++) wanted[at] = changed.expanded[at] ?? 0
        expect(firstDifference(found, wanted)).toBe(-1)

        const { summary } = outcome
        expect(summary.checksum).toBe(expected.outcome.summary.checksum)
        const { restoredBytes, writtenBytes, zeroedBytes, skippedBytes, unchangedBytes } = summary
        expect(writtenBytes + zeroedBytes + skippedBytes + unchangedBytes).toBeGreaterThanOrEqual(
          restoredBytes,
        )
        expect(progress.toSorted((a, b) => a - b)).toEqual(progress)

        const { events } = changed.disk
        events.splice(0)
        const before = changed.bytes().slice()
        const again = await restore(changed, options)
        expect(again.outcome).toMatchObject({ kind: 'done', summary: { writtenBytes: 0, zeroedBytes: 0 } })
        expect(events.filter((event) => /^(write|zero|discard)/.test(event))).toEqual([])
        expect(firstDifference(changed.bytes(), before)).toBe(-1)
      }),
      { numRuns: 40 },
    )
  })

  it('leaves what was there, or nothing, when something fails', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        specs,
        settings,
        differences,
        trouble,
        async (wantedRuns, options, differing, what) => {
          const image = imageOf(wantedRuns)
          const course = prepare(image, options, differing)
          const { machine, disk, bytes } = course
          const before = bytes().slice()
          const stop = new AbortController()
          failAt(course, what, stop)
          const { outcome } = await restore(course, options, {}, stop)
          expect(disk.isOpen).toBe(false)
          expect(machine.streams.every((stream) => stream.held() === 0)).toBe(true)
          expect(leaves(outcome, bytes(), { before, options })).not.toBe('something else')
        },
      ),
      { numRuns: 40 },
    )
  })
})

/** What is on the destination, where it didn't get all of the image. */
function leaves(
  outcome: JobOutcome,
  found: Uint8Array,
  { before, options }: { readonly before: Uint8Array; readonly options: Settings },
): string {
  if (outcome.kind !== 'failed' && outcome.kind !== 'cancelled') return 'the image'
  const isLeft =
    outcome.target === 'untouched'
      ? firstDifference(found, before) < 0
      : options.toFile
        ? found.length === 0
        : found.subarray(0, MiB).every((byte) => byte === 0)
  return isLeft ? outcome.target : 'something else'
}

function failAt({ machine, disk }: ReturnType<typeof prepare>, what: Trouble, stop: AbortController): void {
  let items = 0
  const fail = (kind: Trouble['kind'], count: number) => {
    if (what.kind === kind && 'count' in what && what.count === count)
      throw ioError('E_IO_WRITE', '/dev/sdb', 0)
  }
  disk.faults = {
    onWrite: ({ count }) => fail('write', count),
    onZero: ({ count }) => fail('zero', count),
    onFlush: (count) => fail('flush', count),
    onRead: ({ offset, lengthBytes }) => {
      if (what.kind === 'unreadable' && what.at >= offset && what.at < offset + lengthBytes)
        throw ioError('E_IO_READ', '/dev/sdb', offset)
      if (what.kind === 'cancel' && items++ === what.afterItem) stop.abort()
    },
  }
  machine.onItem = () => {
    if (what.kind === 'cancel' && items++ === what.afterItem) stop.abort()
  }
}
