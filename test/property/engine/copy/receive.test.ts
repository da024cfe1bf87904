/**
 * Any image that is streamed, in any order, onto any disk: the disk holds exactly the image, or the failure says so and the disk
 * is empty. Killed at any moment and started again, it goes on, and ends the same.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planRestore, runRestore } from '#engine/copy'
import type { JobOutcome } from '#shared/model'
import type { RunSpec } from '#test/build-udif'
import { ioError } from '#test/fake-disk'
import { FakeMachine } from '#test/fake-platform'
import { fakeStreamServer, type FakeStream } from '#test/fake-stream-connection'
import { hashedUdif, type HashedUdif } from '#test/hashed-udif'
import { quietContext } from '#test/quiet-context'
import { restoreRequest } from '#test/restore-request'
import { seededRandom } from '#test/seeded'

const KiB = 1024
const MiB = 1024 * KiB
const diskBytes = 5 * MiB

const specs = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'raw' as const,
      'zlib' as const,
      'zlib' as const,
      'zero' as const,
      'ignore' as const,
    ),
    sectors: fc.integer({ min: 1, max: 1500 }),
    seed: fc.nat(255),
    // Noise doesn't compress: runs that reach over blocks.
    noise: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
)

function runsOf(specs: readonly { kind: RunSpec['kind']; sectors: number; seed: number; noise: boolean }[]) {
  return specs.map(({ kind, sectors, seed, noise }): RunSpec => {
    if (kind === 'zero' || kind === 'ignore') return { kind, sectors }
    const random = seededRandom(seed)
    const data = new Uint8Array(sectors * 512)
    for (let at = 0; at < data.length; at++)
      data[at] = noise ? random.below(256) : (at >> 9) % 3 === 2 ? 0 : seed + (at >> 6)
    return { kind, sectors, data }
  })
}

const options = fc.record({
  logicalBlockBytes: fc.constantFrom(512, 4096),
  blockKiB: fc.constantFrom(16, 64, 256, 1024),
  order: fc.constantFrom('ascending' as const, 'shuffled' as const, 'late' as const),
  seed: fc.nat(1000),
  clearUnused: fc.boolean(),
  verify: fc.boolean(),
  toFile: fc.boolean(),
  deadBytes: fc.constantFrom(0, 7),
  isShuffled: fc.boolean(),
  isRaw: fc.boolean(),
})

const trouble = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'none' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('kill' as const), after: fc.nat(40) }) },
  fc.record({ kind: fc.constant('write' as const), count: fc.nat(30) }),
  fc.record({ kind: fc.constant('flush' as const), count: fc.nat(5) }),
  fc.record({ kind: fc.constant('lie' as const), at: fc.nat(diskBytes - 1) }),
  fc.record({ kind: fc.constant('cancel' as const), after: fc.nat(30) }),
)

type Options = typeof options extends fc.Arbitrary<infer T> ? T : never
type Trouble = typeof trouble extends fc.Arbitrary<infer T> ? T : never

interface Run {
  readonly outcome: JobOutcome
  readonly machine: FakeMachine
  readonly told: readonly string[]
  readonly progress: readonly (string | number)[]
}

async function receive(
  stream: FakeStream,
  how: Options,
  {
    before,
    trouble: what = { kind: 'none' },
  }: { readonly before?: Uint8Array; readonly trouble?: Trouble } = {},
): Promise<Run> {
  const machine = new FakeMachine()
  const disk = machine.addDisk({
    path: '/dev/sdb',
    sizeBytes: diskBytes,
    logicalBlockBytes: how.logicalBlockBytes,
  })
  disk.takesUnaligned = true
  if (before !== undefined) {
    if (how.toFile) machine.addFile('/tmp/out.img', Uint8Array.from(before))
    else disk.bytes.set(before)
  }
  const stop = new AbortController()
  disk.faults = {
    onWrite: ({ offset, count }) => {
      if (what.kind === 'write' && count === what.count) throw ioError('E_IO_WRITE', '/dev/sdb', offset)
    },
    onFlush: (count) => {
      if (what.kind === 'flush' && count === what.count) throw ioError('E_IO_WRITE', '/dev/sdb', 0)
    },
    lie: (bytes, offset) => {
      if (what.kind === 'lie' && what.at >= offset && what.at < offset + bytes.length)
        bytes[what.at - offset]! ^= 1
    },
  }
  const server = fakeStreamServer({
    ...stream,
    onTurn: async (handedOut) => {
      await stream.onTurn?.(handedOut)
      if (what.kind === 'cancel' && handedOut === what.after) stop.abort()
    },
  })
  machine.connectStream = (locator, asked) =>
    server.connect(locator, { ...asked, password: null, clientId: new Uint8Array(16) })
  machines.push(machine)
  const deps = Object.assign(machine, { journalMs: 1 })
  const plan = await planRestore(
    restoreRequest({
      source: 'asr://fake',
      target: how.toFile ? '/tmp/out.img' : '/dev/sdb',
      verify: how.verify,
      clearUnused: how.clearUnused,
    }),
    deps,
  )
  const context = quietContext(stop.signal)
  const outcome = await runRestore(plan, deps, context)
  return { outcome, machine, told: server.told, progress: context.told }
}

const machines: FakeMachine[] = []

/** What is at the target now. */
const held = (machine: FakeMachine, { toFile }: Options) =>
  toFile ? machine.files.get('/tmp/out.img')?.bytes : machine.diskAt('/dev/sdb')?.bytes

function unusedIn(specs: readonly RunSpec[]): (offset: number) => boolean {
  let end = 0
  const ends = specs.map(({ kind, sectors }) => ({ end: (end += sectors * 512), unused: kind === 'ignore' }))
  return (offset) => ends.find((run) => offset < run.end)?.unused ?? false
}

function firstWrong(found: Uint8Array, expected: Uint8Array, mayDiffer: (offset: number) => boolean): number {
  if (found.length < expected.length) return found.length
  for (let offset = 0; offset < expected.length; offset++)
    if (found[offset] !== expected[offset] && !mayDiffer(offset)) return offset
  return -1
}

function streamOf(image: HashedUdif, how: Options): FakeStream {
  // The blocks of a raw stream are the disk's, and not too small for that.
  const blockBytes = (how.isRaw ? Math.max(64, how.blockKiB) : how.blockKiB) * KiB
  const common = { blockBytes, seed: how.seed, order: how.order }
  return how.isRaw
    ? { ...common, bytes: image.disk, imageName: 'disk', imageFormat: 'raw' }
    : { ...common, bytes: image.bytes, imageName: 'a.dmg', imageFormat: 'UDZO' }
}

describe('a restore from a multicast stream', () => {
  it('ends with exactly the image, whatever came in which order', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(specs, options, trouble, async (given, how, what) => {
        const runs = runsOf(given)
        const image = hashedUdif({
          tables: [{ runs }],
          deadBytes: how.deadBytes,
          storeOrder: (count) => {
            const order = Array.from({ length: count }, (_, index) => index)
            return how.isShuffled ? order.toReversed() : order
          },
        })
        const stream = streamOf(image, how)
        const loose = how.clearUnused || how.toFile || how.isRaw ? () => false : unusedIn(runs)
        if (what.kind === 'kill') {
          const before = await killed(stream, how, what.after)
          const again = await receive(stream, how, before === null ? {} : { before })
          expectImage(again, image, how, loose)
          return
        }
        const run = await receive(stream, how, { trouble: what })
        expect(run.machine.diskAt('/dev/sdb')!.isOpen).toBe(false)
        if (run.outcome.kind === 'done') expectImage(run, image, how, loose)
        else expectNothingLeft(run, how, what)
      }),
      { numRuns: 60 },
    )
  })
})

function expectImage(
  { outcome, machine, told, progress }: Run,
  image: HashedUdif,
  how: Options,
  loose: (offset: number) => boolean,
): void {
  const found = held(machine, how)!
  expect(outcome.kind).toBe('done')
  expect(firstWrong(found, image.disk, loose)).toBe(-1)
  expect(!how.toFile || found.length === image.disk.length).toBe(true)
  expect(told.at(-1)).toBe('done')
  expect(progress.findLast((each) => typeof each === 'number')).toBe(image.disk.length)
}

/** Nothing that looks like a disk, and nothing that says how to go on. */
function expectNothingLeft({ told, machine }: Run, how: Options, what: Trouble): void {
  const found = held(machine, how)
  expect(what.kind).not.toBe('none')
  expect(told.at(-1)).toMatch(/^(failed E_\w+|cancelled)/)
  expect(how.toFile ? found === undefined : isBlankOrOld(found!)).toBe(true)
}

const isBlankOrOld = (disk: Uint8Array) => {
  const head = disk.subarray(0, MiB)
  return head.every((byte) => byte === 0) || head.every((byte) => byte === 0xee)
}

/** What is on the target at a moment in the middle of receiving: what a kill would leave. Null: nothing was there yet. */
async function killed(stream: FakeStream, how: Options, after: number): Promise<Uint8Array | null> {
  let left: Uint8Array | null = null
  await receive(
    {
      ...stream,
      onTurn: async (handedOut) => {
        if (handedOut !== after) return
        // Time for a journal.
        await new Promise((resolve) => setTimeout(resolve, 10))
        const bytes = held(machines.at(-1)!, how)
        left = bytes === undefined ? null : Uint8Array.from(bytes)
      },
    },
    how,
  )
  return left
}
