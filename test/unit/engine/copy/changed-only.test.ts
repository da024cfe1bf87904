import { crc32 } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { planRestore, runRestore, type RestoreDeps } from '#engine/copy'
import { startJob, type Job } from '#engine/job'
import { silentLogger } from '#shared/log'
import type { JobOutcome, JobState, RestorePlan, RestoreRequest, RestoreSummary } from '#shared/model'
import { ioError, makeVolume, type FakeDisk } from '#test/fake-disk'
import { FakeMachine, hashesOf, type FakeRun } from '#test/fake-platform'

const KiB = 1024
const MiB = 1024 * KiB
const source = '/images/a.dmg'
const blockBytes = 256 * KiB
const diskBytes = 8 * MiB

function noise(lengthBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes)
  let state = seed
  for (let index = 0; index < lengthBytes; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = (state >>> 16) | 1
  }
  return bytes
}

/** 5 MiB and a sector: data, unused space (a small piece and a large one), zeros, data to the end. */
const runs: readonly FakeRun[] = [
  { kind: 'raw', bytes: noise(2 * MiB + 100 * KiB, 1) },
  { kind: 'ignore', lengthBytes: 300 * KiB },
  { kind: 'zero', lengthBytes: 800 * KiB },
  { kind: 'raw', bytes: noise(512 * KiB, 2) },
  { kind: 'ignore', lengthBytes: 848 * KiB },
  { kind: 'raw', bytes: noise(512 * KiB + 512, 3) },
]
const firstUnused: readonly [number, number] = [2 * MiB + 100 * KiB, 2 * MiB + 400 * KiB]
const secondUnused: readonly [number, number] = [
  firstUnused[1] + 1312 * KiB,
  firstUnused[1] + 1312 * KiB + 848 * KiB,
]
const unusedTotal = (300 + 848) * KiB

const machines: FakeMachine[] = []
afterEach(() => {
  for (const machine of machines.splice(0)) {
    expect(machine.disks.every((disk) => !disk.isOpen)).toBe(true)
    expect(machine.streams.map((stream) => stream.held()).filter((held) => held > 0)).toEqual([])
  }
})

type By = 'hashes' | 'source'

/** A stick that holds the image already, with other bytes where it says nothing, and zeros at its end. */
function bench(by: By, image: readonly FakeRun[] = runs) {
  const machine = new FakeMachine()
  machines.push(machine)
  const stick = machine.addDisk({
    path: '/dev/sdb',
    sizeBytes: diskBytes,
    volumes: [makeVolume({ path: '/dev/sdb1', label: 'OLD', mountPoints: ['/media/old'] })],
  })
  const made = machine.addImage(source, image, by === 'hashes' ? { hashedBlockBytes: blockBytes } : {})
  stick.bytes.set(made.expanded)
  if (image === runs) for (const [from, to] of [firstUnused, secondUnused]) stick.bytes.fill(0xee, from, to)
  stick.bytes.fill(0, diskBytes - MiB)
  return { machine, stick, ...made }
}

interface Course {
  readonly plan: RestorePlan
  readonly outcome: JobOutcome
  readonly states: readonly JobState[]
}

async function restore(
  machine: FakeMachine,
  change: Partial<RestoreRequest> = {},
  during: (state: JobState, job: Job) => void = () => undefined,
): Promise<Course> {
  const deps: RestoreDeps = { platform: machine.platform, io: machine.io }
  const plan = await planRestore(
    {
      source,
      target: '/dev/sdb',
      erase: true,
      verify: true,
      clearUnused: false,
      changedOnly: true,
      afterwards: 'remount',
      timeoutMs: 0,
      form: 'contents',
      buffering: { buffers: 4, bufferBytes: 64 * KiB, csumBuffers: null, csumBufferBytes: 64 * KiB },
      ...change,
    },
    deps,
  )
  const job = startJob(
    { jobId: 'j', kind: 'restore', title: 't', plan },
    (context) => runRestore(plan, deps, context),
    { log: silentLogger, every: (_, tick) => everyTurn(tick) },
  )
  const states: JobState[] = []
  job.subscribe((state) => {
    states.push(state)
    during(state, job)
  })
  const { outcome } = await job.ended
  return { plan, outcome: outcome!, states }
}

/** Progress as often as there can be news of it. */
function everyTurn(tick: () => void): Disposable {
  let running = true
  const turn = () => {
    if (!running) return
    tick()
    setImmediate(turn)
  }
  setImmediate(turn)
  return { [Symbol.dispose]: () => void (running = false) }
}

function summaryOf({ outcome }: Course): RestoreSummary {
  if (outcome.kind === 'done') return outcome.summary
  throw new Error(JSON.stringify(outcome))
}

/** What was done to the medium. */
const changesTo = ({ events }: FakeDisk) => events.filter((event) => /^(write|zero|discard)/.test(event))

/** Used bytes are the image's; both ends are as a full restore leaves them. */
function expectImage(disk: FakeDisk, expanded: Uint8Array): void {
  const found = Uint8Array.from(disk.bytes.subarray(0, expanded.length))
  for (const [from, to] of [firstUnused, secondUnused]) found.fill(0, from, to)
  expect(Buffer.compare(found, expanded)).toBe(0)
  expect(disk.bytes.subarray(diskBytes - MiB).every((byte) => byte === 0)).toBe(true)
}

const crcHex = (bytes: Uint8Array) => crc32(bytes).toString(16).padStart(8, '0')

describe.each(['hashes', 'source'] as const)('changed blocks only, compared by %s', (by) => {
  it('writes nothing at all where everything is right', async () => {
    const { machine, stick, expanded } = bench(by)
    const before = Uint8Array.from(stick.bytes)
    const course = await restore(machine)
    expect(changesTo(stick)).toEqual([])
    expect(Buffer.compare(stick.bytes, before)).toBe(0)
    expect(summaryOf(course)).toMatchObject({
      restoredBytes: expanded.length,
      writtenBytes: 0,
      zeroedBytes: 0,
      skippedBytes: unusedTotal,
      unchangedBytes: expanded.length - unusedTotal,
      verified: true,
      checksum: crcHex(expanded),
      mountPoints: ['/media/old'],
    })
  })

  it('says in the plan what it compares with', async () => {
    const { plan } = await restore(bench(by).machine)
    expect(plan.checks.find((check) => check.kind === 'changed-only')).toMatchObject({
      by,
      step: 'source',
      state: by === 'hashes' ? 'ok' : 'warning',
    })
    expect(plan.losses).not.toEqual([])
  })

  it.each([
    ['the very first byte', 0],
    ['the head', MiB - 1],
    ['the middle', 2 * MiB + 5],
    ['zeros', 3 * MiB],
    ['the last byte', 5 * MiB + 511],
  ])('writes back one byte that changed in %s', async (_, at) => {
    const { machine, stick, expanded } = bench(by)
    stick.bytes[at]! ^= 0x10
    const course = await restore(machine)
    expectImage(stick, expanded)
    expect(changesTo(stick).slice(0, 2)).toEqual([`zero 0+${MiB}`, `zero ${diskBytes - MiB}+${MiB}`])
    const { writtenBytes, zeroedBytes, unchangedBytes, verified, checksum } = summaryOf(course)
    // A granule of it, and the head that was blanked meanwhile.
    expect(writtenBytes + zeroedBytes).toBeLessThanOrEqual(MiB + 300 * KiB)
    expect(writtenBytes + zeroedBytes).toBeGreaterThan(0)
    expect(unchangedBytes).toBeGreaterThan(2 * MiB)
    expect({ verified, checksum }).toEqual({ verified: true, checksum: crcHex(expanded) })
  })

  it('blanks both ends before it writes, and writes the first blocks last', async () => {
    const { machine, stick } = bench(by)
    stick.bytes[4 * MiB + 700 * KiB]! ^= 1
    stick.bytes[5 * MiB]! ^= 1
    await restore(machine)
    const { events } = stick
    const first = events.findIndex((event) => /^(write|zero|discard)/.test(event))
    expect(events.slice(first, first + 3)).toEqual([
      `zero 0+${MiB}`,
      `zero ${diskBytes - MiB}+${MiB}`,
      'flush',
    ])
    expect(changesTo(stick).slice(-2)).toEqual([`write 4096+${MiB - 4096}`, 'write 0+4096'])
    const inside = changesTo(stick).slice(2, -2)
    expect(inside.length).toBeGreaterThan(0)
    expect(inside.every((event) => Number(/ (\d+)\+/.exec(event)?.[1]) >= 4 * MiB)).toBe(true)
  })

  it('takes away what another system left at the end of the disk', async () => {
    const { machine, stick, expanded } = bench(by)
    stick.bytes.fill(0x45, diskBytes - 512)
    const { restoredBytes } = summaryOf(await restore(machine))
    expectImage(stick, expanded)
    expect(restoredBytes).toBe(expanded.length)
    stick.events.splice(0)
    await restore(machine)
    expect(changesTo(stick)).toEqual([])
  })

  it.each([
    ['in the last blocks', [3 * MiB, diskBytes - 1]],
    ['only before them', [3 * MiB]],
    ['only in the head', [5]],
    ['only at the end', [diskBytes - 1]],
  ])('writes an image that reaches into the last blocks of the disk, changed %s', async (_, changes) => {
    const whole: readonly FakeRun[] = [
      { kind: 'raw', bytes: noise(7 * MiB + 512 * KiB, 4) },
      { kind: 'ignore', lengthBytes: 256 * KiB },
      { kind: 'raw', bytes: noise(256 * KiB, 5) },
    ]
    const { machine, stick, expanded } = bench(by, whole)
    stick.bytes.set(expanded)
    for (const at of changes) stick.bytes[at]! ^= 1
    summaryOf(await restore(machine))
    expect(Buffer.compare(stick.bytes, expanded)).toBe(0)
  })

  it('looks at unused space only where it was told to clear it', async () => {
    const { machine, stick, expanded } = bench(by)
    summaryOf(await restore(machine, { clearUnused: true }))
    expect(Buffer.compare(stick.bytes.subarray(0, expanded.length), expanded)).toBe(0)
    stick.events.splice(0)
    const again = summaryOf(await restore(machine, { clearUnused: true }))
    expect(changesTo(stick)).toEqual([])
    expect(again).toMatchObject({ skippedBytes: 0, unchangedBytes: expanded.length })
  })

  it('puts the image on a disk that holds nothing of it', async () => {
    const { machine, stick, expanded } = bench(by)
    stick.bytes.fill(0x77)
    const summary = summaryOf(await restore(machine))
    expectImage(stick, expanded)
    expect(summary).toMatchObject({ unchangedBytes: 0, verified: true, checksum: crcHex(expanded) })
  })

  it('goes through the phases of asr, with progress that never goes back', async () => {
    const { machine, stick, expanded } = bench(by)
    stick.bytes.fill(0x77, 2 * MiB, 4 * MiB)
    const { states } = await restore(machine)
    const phases = states.at(-1)!.phases.map(({ phase, state }) => `${phase} ${state}`)
    expect(phases).toContain('erasing skipped')
    expect(phases).toContain('restoring done')
    expect(phases).toContain('verifying done')
    const done = states.flatMap(({ progress }) =>
      progress?.phase === 'restoring' ? [progress.doneBytes] : [],
    )
    expect(done.toSorted((a, b) => a - b)).toEqual(done)
    expect(done.at(-1)).toBe(expanded.length)
    const verifying = states.flatMap(({ progress }) =>
      progress?.phase === 'verifying' ? [progress.totalBytes ?? 0] : [],
    )
    // Only what was written is read again.
    expect(Math.max(...verifying)).toBeLessThan(expanded.length)
  })

  it('compares but reads nothing back when it is told not to verify', async () => {
    const { machine, stick, expanded } = bench(by)
    stick.bytes[2 * MiB]! ^= 1
    const course = await restore(machine, { verify: false })
    expectImage(stick, expanded)
    expect(summaryOf(course)).toMatchObject({ verified: false, checksum: null })
    expect(course.states.at(-1)!.phases.map(({ phase, state }) => `${phase} ${state}`)).toContain(
      'verifying skipped',
    )
    const copying = course.states.filter(({ progress }) => progress?.phase === 'restoring')
    const told = copying.map(({ phases }) => phases.find(({ phase }) => phase === 'verifying')?.state)
    expect([...new Set(told)]).toEqual(['skipped'])
  })

  it('finds a bit that flips on its way to the medium', async () => {
    const { machine, stick } = bench(by)
    stick.bytes[2 * MiB]! ^= 1
    stick.faults = {
      onFlush: (count) => {
        // After everything was written.
        if (count === 3) stick.bytes[2 * MiB + 7]! ^= 0x20
      },
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      kind: 'failed',
      target: 'empty',
      error: { code: 'E_VERIFY', details: { offset: 2 * MiB + 7, differingBlocks: 1 } },
    })
    // What lies wholly in unused space was never read, so it isn't told to be right.
    const parts = outcome.kind === 'failed' ? String(outcome.error.details['parts']) : ''
    expect(parts).toMatch(/^\.{19}[-x]{2} {2}\.{14} {7}\.{6}$/)
  })

  it.each([
    ['blanked last blocks', diskBytes - 300 * KiB],
    ['first blocks', 700 * KiB],
    ['blocks that were written', 3 * MiB + 9],
  ])('reads the %s back, too', async (_, at) => {
    const whole: readonly FakeRun[] = [
      { kind: 'raw', bytes: noise(7 * MiB + 512 * KiB, 4) },
      { kind: 'zero', lengthBytes: 512 * KiB },
    ]
    const { machine, stick, expanded } = bench(by, whole)
    stick.bytes.set(expanded)
    stick.bytes[3 * MiB]! ^= 1
    const { outcome } = await restore(machine, {}, ({ progress }) => {
      if (progress?.phase !== 'verifying') return
      stick.faults = {
        lie: (bytes, offset) => {
          if (at >= offset && at < offset + bytes.length) bytes[at - offset]! ^= 4
        },
      }
    })
    expect(outcome).toMatchObject({
      kind: 'failed',
      target: 'empty',
      error: { code: 'E_VERIFY', details: { offset: at } },
    })
  })

  it('leaves the disk empty when a write fails', async () => {
    const { machine, stick } = bench(by)
    stick.bytes[2 * MiB]! ^= 1
    stick.faults = {
      onWrite: ({ offset }) => {
        throw ioError('E_IO_WRITE', '/dev/sdb', offset)
      },
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({ kind: 'failed', target: 'empty', error: { code: 'E_IO_WRITE' } })
    expect(stick.bytes.subarray(0, MiB).every((byte) => byte === 0)).toBe(true)
  })

  it('leaves the disk alone when it fails before anything had to be written', async () => {
    const { machine, stick } = bench(by)
    const before = Uint8Array.from(stick.bytes)
    stick.faults = {
      onRead: ({ offset }) => {
        if (offset >= 2 * MiB) throw ioError('E_IO_READ', '/dev/sdb', offset)
      },
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched', error: { code: 'E_IO_READ' } })
    expect(Buffer.compare(stick.bytes, before)).toBe(0)
    expect(machine.calls.at(-1)).toBe('remount /dev/sdb: /media/old')
  })

  it('can be cancelled while it compares, and has touched nothing', async () => {
    const { machine, stick } = bench(by)
    const stop = { now: () => undefined as void }
    let reads = 0
    stick.faults = { onRead: () => (++reads === 3 ? stop.now() : undefined) }
    const { outcome } = await restore(machine, {}, (state, job) => {
      if (state.progress?.phase === 'restoring') stop.now = () => void job.cancel()
    })
    expect(outcome).toMatchObject({ kind: 'cancelled', target: 'untouched' })
    expect(changesTo(stick)).toEqual([])
  })

  it('leaves the disk empty when it is cancelled while it writes', async () => {
    const { machine, stick } = bench(by)
    stick.bytes.fill(0x77, 2 * MiB, 3 * MiB)
    const stop = { now: () => undefined as void }
    stick.faults = { onWrite: () => stop.now() }
    const { outcome } = await restore(machine, {}, (_, job) => {
      stop.now = () => void job.cancel()
    })
    expect(outcome).toMatchObject({ kind: 'cancelled', target: 'empty' })
  })

  it('brings a file up to date, unused space as zeros, and cuts what is too long', async () => {
    const { machine, expanded } = bench(by)
    const old = new Uint8Array(expanded.length + 12_345).fill(0x11)
    old.set(expanded)
    old.fill(0x22, ...secondUnused)
    machine.addFile('/tmp/disk.img', old)
    const course = await restore(machine, { target: '/tmp/disk.img' })
    expect(Buffer.compare(machine.files.get('/tmp/disk.img')!.bytes, expanded)).toBe(0)
    expect(summaryOf(course)).toMatchObject({ verified: true, checksum: crcHex(expanded), skippedBytes: 0 })
  })

  it('lets a file grow that is too short', async () => {
    const { machine, expanded } = bench(by)
    machine.addFile('/tmp/disk.img', expanded.slice(0, 3 * MiB + 5))
    summaryOf(await restore(machine, { target: '/tmp/disk.img' }))
    expect(Buffer.compare(machine.files.get('/tmp/disk.img')!.bytes, expanded)).toBe(0)
  })

  it('leaves a disk in a file its size, with zeros behind the image', async () => {
    const { machine, expanded } = bench(by)
    const sizeBytes = 7 * MiB
    machine.addDisk({ path: '/tmp/practice.img', sizeBytes, bus: 'file', practice: true })
    const old = new Uint8Array(sizeBytes)
    old.set(expanded)
    old[expanded.length + 5] = 1
    machine.addFile('/tmp/practice.img', old)
    const found = () => machine.files.get('/tmp/practice.img')!.bytes
    summaryOf(await restore(machine, { target: '/tmp/practice.img' }))
    expect(found()).toHaveLength(sizeBytes)
    expect(Buffer.compare(found().subarray(0, expanded.length), expanded)).toBe(0)
    expect(
      found()
        .subarray(expanded.length)
        .every((byte) => byte === 0),
    ).toBe(true)
    const again = summaryOf(await restore(machine, { target: '/tmp/practice.img' }))
    expect(again).toMatchObject({ writtenBytes: 0, zeroedBytes: 0 })
  })

  it('does not take what it read before for what a shorter file holds', async () => {
    const one = noise(MiB, 6)
    const { machine, expanded } = bench(by, [
      { kind: 'raw', bytes: Buffer.concat([one, one, one, one]) },
      { kind: 'raw', bytes: one },
    ])
    machine.addFile('/tmp/disk.img', expanded.slice(0, 2 * MiB + 5))
    summaryOf(await restore(machine, { target: '/tmp/disk.img' }))
    expect(Buffer.compare(machine.files.get('/tmp/disk.img')!.bytes, expanded)).toBe(0)
  })

  it('touches a file only where it has to', async () => {
    const { machine, expanded } = bench(by)
    const writes: number[] = []
    machine.onFileWrite = (offset) => void writes.push(offset)
    machine.addFile('/tmp/disk.img', expanded.slice())
    const course = await restore(machine, { target: '/tmp/disk.img' })
    expect(writes).toEqual([])
    expect(summaryOf(course).unchangedBytes).toBe(expanded.length)
  })

  it('writes everything into a file that is not there yet, and says so', async () => {
    const { machine, expanded } = bench(by)
    const course = await restore(machine, { target: '/tmp/new.img' })
    expect(course.plan.checks.find((check) => check.kind === 'changed-only')).toMatchObject({ by: 'nothing' })
    expect(Buffer.compare(machine.files.get('/tmp/new.img')!.bytes, expanded)).toBe(0)
    expect(summaryOf(course).unchangedBytes).toBe(0)
  })

  it('finds an image that contradicts its own checksums', async () => {
    const { machine, stick, file } = bench(by)
    // Its first blocks differ, which are written last.
    if (by === 'source') file.bytes[3000]! ^= 1
    else {
      const { layout } = file.image!
      if (layout.kind !== 'extents') throw new Error('extents')
      file.image = {
        ...file.image!,
        layout: { ...layout, checks: layout.checks.map((check) => ({ ...check, crc32: check.crc32 ^ 1 })) },
      }
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched', error: { code: 'E_SRC_CORRUPT' } })
    expect(changesTo(stick)).toEqual([])
  })
})

describe('changed blocks only', () => {
  it('does not read blocks of the disk that are unused as a whole', async () => {
    const { machine, stick } = bench('hashes')
    const reads: number[] = []
    stick.faults = { onRead: ({ offset }) => void reads.push(offset) }
    await restore(machine)
    const inside = (offset: number) =>
      offset >= secondUnused[0] + blockBytes && offset < secondUnused[1] - blockBytes
    expect(reads.length).toBeGreaterThan(0)
    expect(reads.filter(inside)).toEqual([])
  })

  it('reads nothing of the image for blocks that are right', async () => {
    const { machine, stick } = bench('hashes')
    await restore(machine)
    expect(machine.streams).toEqual([])
    stick.bytes[2 * MiB]! ^= 1
    const offsets: number[] = []
    machine.onItem = (offset) => void offsets.push(offset)
    await restore(machine)
    // The head and one block.
    expect(offsets.filter((offset) => offset >= 1.5 * MiB && offset < 2 * MiB)).toEqual([])
  })

  it('never writes a block that is not what its hash says', async () => {
    const { machine, stick, file } = bench('hashes')
    stick.bytes[2 * MiB]! ^= 1
    // The image was changed after the scan, where the disk differs, too.
    file.bytes[2 * MiB + 1]! ^= 1
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      kind: 'failed',
      target: 'untouched',
      error: { code: 'E_SRC_CORRUPT', details: { field: 'rpbh.hash', diskOffset: 2 * MiB } },
    })
    expect(changesTo(stick)).toEqual([])
  })

  it('refuses hashes that are not one for each block, before anything is touched', async () => {
    const { machine, file, expanded } = bench('hashes')
    file.hashes = hashesOf(expanded.subarray(0, MiB), blockBytes)
    const { plan, outcome } = await restore(machine)
    expect(plan.refusal).toMatchObject({ code: 'E_SRC_CORRUPT' })
    expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched' })
  })

  it('compares with the image itself when the hashed blocks are of no use', async () => {
    const { machine, file, expanded } = bench('hashes')
    file.hashes = hashesOf(expanded, 4096)
    const { plan } = await restore(machine)
    expect(plan.checks.find((check) => check.kind === 'changed-only')).toMatchObject({ by: 'source' })
  })

  it('compares with a compressed stream whose size nobody knows', async () => {
    const machine = new FakeMachine()
    machines.push(machine)
    const bytes = noise(3 * MiB + 512, 7)
    const stick = machine.addDisk({ path: '/dev/sdb', sizeBytes: diskBytes })
    stick.bytes.set(bytes)
    stick.bytes.fill(0, diskBytes - MiB)
    stick.bytes[2 * MiB]! ^= 1
    machine.addStreamImage(source, bytes)
    const summary = summaryOf(await restore(machine))
    expect(Buffer.compare(stick.bytes.subarray(0, bytes.length), bytes)).toBe(0)
    expect(summary).toMatchObject({ restoredBytes: bytes.length, verified: true, checksum: crcHex(bytes) })
    expect(summary.unchangedBytes).toBeGreaterThan(1.5 * MiB)
  })

  it('works from one disk to another', async () => {
    const { machine, stick } = bench('hashes')
    const from = machine.addDisk({ path: '/dev/sdc', sizeBytes: 4 * MiB })
    from.bytes.set(noise(4 * MiB, 9))
    stick.bytes.set(from.bytes)
    stick.bytes[3 * MiB]! ^= 1
    const summary = summaryOf(await restore(machine, { source: '/dev/sdc' }))
    expect(Buffer.compare(stick.bytes.subarray(0, 4 * MiB), from.bytes)).toBe(0)
    expect(summary.unchangedBytes).toBeGreaterThan(2 * MiB)
  })

  it.each([
    ['nothing', 'untouched', 4 * MiB],
    ['something', 'empty', 3 * MiB],
  ])(
    'tells a disk that changes while it is read, where %s had to be written',
    async (_, target, differsAt) => {
      const { machine, stick } = bench('hashes')
      const from = machine.addDisk({ path: '/dev/sdc', sizeBytes: 4 * MiB })
      from.bytes.set(noise(4 * MiB, 9))
      stick.bytes.set(from.bytes)
      stick.bytes.fill(0, 4 * MiB)
      if (differsAt < 4 * MiB) stick.bytes[differsAt]! ^= 1
      machine.onItem = (offset) => {
        if (offset >= 2 * MiB) from.bytes[MiB + 5] = 0
      }
      const { outcome } = await restore(machine, { source: '/dev/sdc' })
      expect(outcome).toMatchObject({ kind: 'failed', target, error: { code: 'E_SRC_CHANGED' } })
    },
  )
})
