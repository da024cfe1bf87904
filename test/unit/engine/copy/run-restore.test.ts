import { crc32 } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { planRestore, runRestore, type RestoreDeps } from '#engine/copy'
import { startJob, type Job } from '#engine/job'
import { DeviceError } from '#shared/errors'
import { createLogger, type LogLine } from '#shared/log'
import type { JobOutcome, JobPhase, JobState, RestoreRequest } from '#shared/model'
import { ioError, makeVolume, type FakeDisk } from '#test/fake-disk'
import { FakeMachine, type FakeRun } from '#test/fake-platform'

const KiB = 1024
const MiB = 1024 * KiB
const source = '/images/a.dmg'
const small = { buffers: 4, bufferBytes: 64 * KiB, csumBuffers: null, csumBufferBytes: 64 * KiB }

const noises = new Map<string, Uint8Array>()

function noise(lengthBytes: number, seed = 1): Uint8Array {
  const known = noises.get(`${lengthBytes} ${seed}`)
  if (known !== undefined) return Uint8Array.from(known)
  const bytes = new Uint8Array(lengthBytes)
  let state = seed
  for (let index = 0; index < lengthBytes; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = (state >>> 16) | 1
  }
  noises.set(`${lengthBytes} ${seed}`, bytes)
  return Uint8Array.from(bytes)
}

/** (Comparing millions of elements one by one is what makes a test slow.) */
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

/** 3 MiB with everything in it: data, zeros, unused space, data. */
const mixed = (): readonly FakeRun[] => [
  { kind: 'raw', bytes: noise(MiB + 512 * KiB) },
  { kind: 'zero', lengthBytes: 512 * KiB },
  { kind: 'ignore', lengthBytes: 512 * KiB },
  { kind: 'raw', bytes: noise(512 * KiB, 2) },
]

const machines: FakeMachine[] = []
afterEach(() => {
  for (const machine of machines.splice(0)) {
    expect(machine.disks.every((disk) => !disk.isOpen)).toBe(true)
    // Every buffer that was handed out came back.
    expect(machine.streams.map((stream) => stream.held()).filter((held) => held > 0)).toEqual([])
  }
})

function bench(runs: readonly FakeRun[] = mixed()) {
  const machine = new FakeMachine()
  machines.push(machine)
  const stick = machine.addDisk({
    path: '/dev/sdb',
    sizeBytes: 4 * MiB,
    partitionMap: 'mbr',
    volumes: [makeVolume({ path: '/dev/sdb1', label: 'OLD', mountPoints: ['/media/old'] })],
  })
  const image = machine.addImage(source, runs)
  return { machine, stick, ...image }
}

interface Course {
  readonly outcome: JobOutcome
  readonly states: readonly JobState[]
  readonly lines: readonly LogLine[]
}

/** Plan, confirm and run. `between`: after the plan, before the run. `during`: while it runs. */
async function restore(
  machine: FakeMachine,
  change: Partial<RestoreRequest> = {},
  hooks: {
    readonly between?: () => void
    readonly during?: (job: Job, state: JobState) => void
    readonly deps?: Partial<RestoreDeps>
  } = {},
): Promise<Course> {
  const deps: RestoreDeps = { platform: machine.platform, io: machine.io, ...hooks.deps }
  const request: RestoreRequest = {
    source,
    target: '/dev/sdb',
    erase: true,
    verify: true,
    clearUnused: false,
    changedOnly: false,
    afterwards: 'remount',
    timeoutMs: 0,
    form: 'contents',
    buffering: small,
    ...change,
  }
  const plan = await planRestore(request, deps)
  hooks.between?.()
  const lines: LogLine[] = []
  const log = createLogger((line) => lines.push(line), Date.now)
  const job = startJob(
    { jobId: 'j', kind: 'restore', title: 't', plan },
    (context) => runRestore(plan, deps, context),
    {
      log,
    },
  )
  const states: JobState[] = []
  job.subscribe((state) => {
    states.push(state)
    hooks.during?.(job, state)
  })
  const { outcome } = await job.ended
  return { outcome: outcome!, states, lines }
}

/** What closing a file says whose network file system went away. */
const notConnected = (path: string) =>
  Object.assign(new Error(`ENOTCONN: ${path}`), { code: 'ENOTCONN', syscall: 'close', errno: -107 })
const failure = (code: string, target: string) => ({ kind: 'failed', target, error: { code } })
const phasesOf = ({ states }: Course) => states.at(-1)!.phases.map((entry) => `${entry.phase} ${entry.state}`)
/** The disk as it has to be: the image, with old contents left in unused space. */
function expectImage(disk: FakeDisk, expanded: Uint8Array, unused: readonly [number, number][] = []): void {
  const found = Uint8Array.from(disk.bytes.subarray(0, expanded.length))
  for (const [from, to] of unused) found.fill(0, from, to)
  expect(Buffer.compare(found, expanded)).toBe(0)
}

describe('a restore that goes well', () => {
  it('puts the image on the disk and tells what it did', async () => {
    const { machine, stick, expanded } = bench()
    const course = await restore(machine)
    expect(course.outcome).toMatchObject({
      kind: 'done',
      summary: {
        restoredBytes: 3 * MiB,
        writtenBytes: 2 * MiB,
        zeroedBytes: 512 * KiB,
        skippedBytes: 512 * KiB,
        unchangedBytes: 0,
        verified: true,
        mountPoints: ['/media/old'],
        ejected: false,
        remounted: true,
        warnings: [],
      },
    })
    expectImage(stick, expanded, [[2 * MiB, 2 * MiB + 512 * KiB]])
    expect(phasesOf(course).every((phase) => phase.endsWith('done'))).toBe(true)
  })

  it('tells what this computer cannot read, which is no reason to warn', async () => {
    const unread = (filesystem: string) => {
      const { machine } = bench()
      const details = { path: '/media/old', left: 'mount', why: 'unreadable', filesystem }
      const platform: RestoreDeps['platform'] = {
        ...machine.platform,
        remount: async () => ({
          mountPoints: [],
          errors: [new DeviceError('E_DEVICE_TOOL', 'no', { details })],
        }),
      }
      machine.unreadable = ['hfsplus']
      return restore(machine, {}, { deps: { platform } })
    }
    const summary = { mountPoints: [], remounted: true, warnings: [] }
    expect((await unread('hfsplus')).outcome).toMatchObject({
      summary: { ...summary, unreadable: ['hfsplus'] },
    })
    expect((await unread('apfs')).outcome).toMatchObject({
      summary: { ...summary, unreadable: ['apfs', 'hfsplus'] },
    })
  })

  it('is done even where nobody can say what this computer reads', async () => {
    const { machine } = bench()
    const platform = { ...machine.platform, unreadable: () => Promise.reject(new Error('no')) }
    const { outcome } = await restore(machine, {}, { deps: { platform } })
    expect(outcome).toMatchObject({ kind: 'done', summary: { remounted: true, warnings: [] } })
    expect(outcome).not.toHaveProperty('summary.unreadable')
  })

  it('goes through the phases of asr in order', async () => {
    const { machine } = bench()
    const { states } = await restore(machine)
    const seen = states.map((state) => state.progress?.phase).filter((phase) => phase !== undefined)
    expect([...new Set(seen)]).toEqual([
      'validating-target',
      'validating-source',
      'validating-sizes',
      'unmounting',
      'erasing',
      'restoring',
      'verifying',
      'remounting',
    ] satisfies JobPhase[])
  })

  it('unmounts, opens, closes, has the map read again, and remounts', async () => {
    const { machine } = bench()
    await restore(machine)
    expect(machine.calls).toEqual([
      'unmount /dev/sdb',
      'open /dev/sdb',
      'identify /dev/sdb',
      // Before the first write, after the last one, and before it is mounted again.
      'identify /dev/sdb',
      'identify /dev/sdb',
      'identify /dev/sdb',
      'reread /dev/sdb',
      'remount /dev/sdb: /media/old',
    ])
  })

  it('blanks both ends first, and writes the first blocks last, the very first at the end', async () => {
    const { machine, stick } = bench()
    await restore(machine)
    const { events } = stick
    expect(events.slice(0, 4)).toEqual(['open', `zero 0+${MiB}`, `zero ${3 * MiB}+${MiB}`, 'flush'])
    const writes = events.filter((event) => event.startsWith('write'))
    const inHead = (event: string) => Number(/ (\d+)\+/.exec(event)?.[1]) < MiB
    expect(writes.slice(0, -2).some(inHead)).toBe(false)
    expect(events.slice(-6)).toEqual([
      'flush',
      `write 4096+${MiB - 4096}`,
      'flush',
      'write 0+4096',
      'flush',
      'close',
    ])
  })

  it('does not verify when it is told not to', async () => {
    const { machine } = bench()
    const course = await restore(machine, { verify: false })
    expect(course.outcome).toMatchObject({ kind: 'done', summary: { verified: false, checksum: null } })
    expect(phasesOf(course)).toContain('verifying skipped')
  })

  it.each([
    [true, 'pending'],
    [false, 'skipped'],
  ] as const)('says while it copies whether it will verify: %s', async (verify, state) => {
    const { states } = await restore(bench().machine, { verify })
    const copying = states.filter(({ progress }) => progress?.phase === 'restoring')
    const told = copying.map(({ phases }) => phases.find(({ phase }) => phase === 'verifying')?.state)
    expect([...new Set(told)]).toEqual([state])
  })

  it('tells the CRC-32 of the whole image, unused space as zeros', async () => {
    const bytes = noise(MiB + 512 * KiB)
    const { machine } = bench([
      { kind: 'raw', bytes: Buffer.from('123456789'.padEnd(512, '\0')) },
      { kind: 'ignore', lengthBytes: MiB },
      { kind: 'zero', lengthBytes: MiB },
      { kind: 'raw', bytes },
    ])
    const { outcome } = await restore(machine)
    const first = crc32(Buffer.from('123456789'.padEnd(512, '\0')))
    const all = crc32(bytes, crc32(new Uint8Array(2 * MiB), first))
    expect(outcome).toMatchObject({ summary: { checksum: all.toString(16).padStart(8, '0') } })
  })

  it('clears unused space when it is told to', async () => {
    const { machine, stick, expanded } = bench()
    const { outcome } = await restore(machine, { clearUnused: true })
    expect(outcome).toMatchObject({ kind: 'done', summary: { skippedBytes: 0, zeroedBytes: MiB } })
    expectImage(stick, expanded)
  })

  it('ejects instead, when that was chosen', async () => {
    const { machine } = bench()
    const { outcome } = await restore(machine, { afterwards: 'eject' })
    expect(outcome).toMatchObject({ kind: 'done', summary: { ejected: true, mountPoints: [] } })
    expect(machine.calls.at(-1)).toBe('eject /dev/sdb')
  })

  it('is done, not ejected, when the eject fails: a warning', async () => {
    const { machine } = bench()
    machine.onEject = (path) => {
      throw new DeviceError('E_DST_BUSY', 'busy', { details: { path } })
    }
    const { outcome } = await restore(machine, { afterwards: 'eject' })
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: { ejected: false, warnings: [{ code: 'E_DST_BUSY', details: { left: 'eject' } }] },
    })
    expect(machine.calls.at(-1)).toBe('reread /dev/sdb')
  })

  it('is done when the remount or the new partition map fails: warnings', async () => {
    const { machine } = bench()
    const fails = (path: string) => {
      throw new DeviceError('E_DEVICE_TOOL', 'no', { details: { path } })
    }
    machine.onReread = fails
    machine.onRemount = fails
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: {
        remounted: false,
        warnings: [{ code: 'E_DEVICE_TOOL' }, { code: 'E_DEVICE_TOOL' }],
        mountPoints: [],
      },
    })
  })

  it('stays restored when the image’s file system is away at the end, and closing it fails', async () => {
    const { machine, stick, expanded } = bench()
    machine.onClose = (path) => {
      throw notConnected(path)
    }
    const { outcome, lines } = await restore(machine)
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true } })
    expect(machine.calls.join()).not.toContain('make-empty')
    expectImage(stick, expanded, [[2 * MiB, 2 * MiB + 512 * KiB]])
    expect(lines.map(({ message }) => message)).toContain('closing failed')
  })

  it('never erases again what is restored, whatever goes wrong afterwards', async () => {
    const { machine, stick, expanded } = bench()
    const fails = () => {
      throw new TypeError('a mistake of ours')
    }
    machine.onReread = fails
    machine.onRemount = fails
    const { outcome } = await restore(machine)
    expect(machine.calls.join()).not.toContain('make-empty')
    expectImage(stick, expanded, [[2 * MiB, 2 * MiB + 512 * KiB]])
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: { verified: true, warnings: [{ code: 'E_BUG' }, { code: 'E_BUG' }] },
    })
  })

  it('restores an image that ends inside a block of the disk', async () => {
    const { machine, stick, expanded } = bench([{ kind: 'raw', bytes: noise(MiB + 1000) }])
    const { outcome } = await restore(machine)
    expect(outcome.kind).toBe('done')
    expectImage(stick, expanded)
    // The rest of that block is zeros, what comes after is as it was.
    expect(stick.bytes.subarray(MiB + 1000, MiB + 1024).every((byte) => byte === 0)).toBe(true)
    expect(stick.bytes[MiB + 1024]).toBe(0xee)
  })

  it('restores an image smaller than the head, and one that ends with zeros or unused space', async () => {
    for (const runs of [
      [{ kind: 'raw', bytes: noise(700) }],
      [
        { kind: 'raw', bytes: noise(512) },
        { kind: 'zero', lengthBytes: 2 * MiB + 100 },
      ],
      [
        { kind: 'zero', lengthBytes: 512 },
        { kind: 'ignore', lengthBytes: 2 * MiB + 100 },
      ],
      [{ kind: 'ignore', lengthBytes: 512 }],
    ] satisfies readonly (readonly FakeRun[])[]) {
      const { machine, stick, layout, expanded } = bench(runs)
      const { outcome } = await restore(machine)
      expect(outcome).toMatchObject({ kind: 'done', summary: { restoredBytes: layout.sizeBytes } })
      const unusedFrom = runs.at(-1)!.kind === 'ignore' ? 512 : Infinity
      expectImage(stick, expanded, [[Math.min(unusedFrom, expanded.length), expanded.length]])
    }
  })

  it('works with a single buffer, and with a single buffer to check', async () => {
    const { machine, stick, expanded } = bench()
    const { outcome } = await restore(machine, {
      buffering: { buffers: 1, bufferBytes: 4096, csumBuffers: 1, csumBufferBytes: 12_288 },
    })
    expect(outcome.kind).toBe('done')
    expectImage(stick, expanded, [[2 * MiB, 2 * MiB + 512 * KiB]])
  })

  it('takes a compressed stream whose size nobody knew', async () => {
    const { machine, stick } = bench()
    const bytes = noise(2 * MiB + 512)
    machine.addStreamImage('/images/a.img.gz', bytes)
    const { outcome, states } = await restore(machine, { source: '/images/a.img.gz' })
    expect(outcome).toMatchObject({ kind: 'done', summary: { restoredBytes: bytes.length, verified: true } })
    expectImage(stick, bytes)
    const restoring = states.find((state) => state.progress?.phase === 'restoring')
    expect(restoring?.progress?.percent).toBeNull()
  })
})

describe('a partition as the target', () => {
  it('gets the file system at its start, and nothing outside of it changes', async () => {
    const { machine, stick, expanded } = bench([{ kind: 'raw', bytes: noise(MiB + 512 * KiB) }])
    const { outcome } = await restore(machine, { target: '/dev/sdb1' })
    expect(outcome.kind).toBe('done')
    expect(Buffer.compare(stick.bytes.subarray(MiB, MiB + expanded.length), expanded)).toBe(0)
    expect(stick.bytes.subarray(0, MiB).every((byte) => byte === 0xee)).toBe(true)
    expect(stick.bytes.subarray(3 * MiB).every((byte) => byte === 0xee)).toBe(true)
    expect(machine.calls).not.toContain('reread /dev/sdb1')
  })

  it.each([
    ['ext4', 'empty'],
    [null, 'wiped'],
  ] as const)('is told truly when it failed: one of %s is %s', async (filesystem, target) => {
    const { machine, stick } = bench([{ kind: 'raw', bytes: noise(MiB + 512 * KiB) }])
    const [volume] = stick.disk.volumes
    stick.disk = { ...stick.disk, volumes: [{ ...volume!, filesystem }] }
    stick.faults = {
      onWrite: ({ offset, count }) => {
        if (count > 4) throw ioError('E_IO_WRITE', '/dev/sdb1', offset)
      },
    }
    const { outcome } = await restore(machine, { target: '/dev/sdb1' })
    expect(outcome).toMatchObject(failure('E_IO_WRITE', target))
  })

  describe('and an image with a partition map as the source', () => {
    const lab = {
      index: 2,
      name: null,
      type: 'Linux filesystem',
      offset: 512 * KiB,
      sizeBytes: 2 * MiB,
      filesystem: 'ext4',
      label: 'Lab',
    }
    const mapped = () => {
      const made = bench()
      const info = { partitionMap: 'gpt', partitions: [lab] } as const
      const { file, layout, expanded } = made.machine.addImage(source, mixed(), { info })
      const inside = expanded.subarray(lab.offset, lab.offset + lab.sizeBytes)
      const check = (name: string, diskOffset: number, diskBytes: number) => ({
        name,
        diskOffset,
        diskBytes,
        crc32: crc32(expanded.subarray(diskOffset, diskOffset + diskBytes)),
      })
      const checks = [check('map', 0, lab.offset), check('Lab', lab.offset, MiB + 512 * KiB)]
      const setChecks = (to: typeof checks) => {
        file.image = { info: file.image!.info, layout: { ...layout, checks: to } }
      }
      setChecks(checks)
      return { ...made, file, inside, checks, setChecks }
    }
    /** In the image's 512 KiB that say nothing. */
    const unused: readonly [number, number][] = [[MiB + 512 * KiB, 2 * MiB]]

    it.each([false, true])(
      'gets the volume alone, and is verified (changed only: %s)',
      async (changedOnly) => {
        const { machine, stick, inside } = mapped()
        const { outcome } = await restore(machine, { target: '/dev/sdb1', changedOnly })
        expect(outcome).toMatchObject({
          kind: 'done',
          summary: { restoredBytes: lab.sizeBytes, verified: true },
        })
        const found = Uint8Array.from(stick.bytes.subarray(MiB, 3 * MiB))
        for (const [from, to] of unused) found.fill(0, from, to)
        expect(same(found, inside)).toBe(true)
        expect(stick.bytes.subarray(0, MiB).every((byte) => byte === 0xee)).toBe(true)
        expect(stick.bytes.subarray(3 * MiB).every((byte) => byte === 0xee)).toBe(true)
      },
    )

    it("doesn't take a scan's hashes for it, which are of the whole disk: from a web server neither", async () => {
      const { machine, stick, inside } = mapped()
      const address = 'https://images.example/lab.dmg'
      const info = { partitionMap: 'gpt', partitions: [lab] } as const
      machine.addImage(address, mixed(), { info, checks: 'none', hashedBlockBytes: 64 * KiB })
      for (const changedOnly of [false, true]) {
        const { outcome } = await restore(machine, { source: address, target: '/dev/sdb1', changedOnly })
        expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true } })
        expect(same(stick.bytes.subarray(MiB, 2 * MiB), inside.subarray(0, MiB))).toBe(true)
      }
    })

    it('compares it with the checksums that lie in it, and with no other', async () => {
      const { machine, checks, setChecks } = mapped()
      const [map, own] = checks as [(typeof checks)[0], (typeof checks)[0]]
      setChecks([{ ...map, crc32: 1 }, own])
      expect((await restore(machine, { target: '/dev/sdb1' })).outcome.kind).toBe('done')
      setChecks([map, { ...own, crc32: 1 }])
      const { outcome } = await restore(machine, { target: '/dev/sdb1' })
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'E_SRC_CORRUPT' } })
    })

    it('touches nothing where the map says something else by now', async () => {
      const { machine, stick, file } = mapped()
      const before = Uint8Array.from(stick.bytes)
      const between = () => {
        const { info, layout } = file.image!
        file.image = { info: { ...info, partitions: [{ ...lab, offset: MiB }] }, layout }
      }
      const { outcome } = await restore(machine, { target: '/dev/sdb1' }, { between })
      expect(outcome).toMatchObject(failure('E_SRC_CHANGED', 'untouched'))
      expect(same(stick.bytes, before)).toBe(true)
    })
  })

  /** The same partition by name and size, half a MiB further on: something else. */
  const move = (stick: FakeDisk) => {
    const volumes = stick.disk.volumes.map((volume) => ({ ...volume, offset: MiB + 512 * KiB }))
    stick.disk = { ...stick.disk, volumes }
  }

  it.each(['after the plan', 'while it is unmounted'])(
    'is another one when it was moved %s',
    async (when) => {
      const { machine, stick } = bench([{ kind: 'raw', bytes: noise(MiB) }])
      const before = Uint8Array.from(stick.bytes)
      if (when === 'while it is unmounted') machine.onUnmount = () => move(stick)
      const between = () => (when === 'after the plan' ? move(stick) : undefined)
      const { outcome } = await restore(machine, { target: '/dev/sdb1' }, { between })
      expect(outcome).toMatchObject(failure('E_DST_CHANGED', 'untouched'))
      expect(same(stick.bytes, before)).toBe(true)
    },
  )

  it('is not emptied after a failure when another one has its name by then', async () => {
    const { machine, stick } = bench([{ kind: 'raw', bytes: noise(MiB) }])
    stick.faults = { onWrite: failAtWrite(1) }
    machine.onItem = () => move(stick)
    const { outcome } = await restore(machine, { target: '/dev/sdb1' })
    expect(outcome).toMatchObject(failure('E_IO_WRITE', 'incomplete'))
    expect(machine.calls.filter((call) => call.startsWith('make-empty'))).toEqual([])
  })

  it('is not ejected while other volumes of the disk are in use', async () => {
    const { machine, stick } = bench([{ kind: 'raw', bytes: noise(MiB) }])
    stick.disk = {
      ...stick.disk,
      volumes: [
        ...stick.disk.volumes,
        makeVolume({
          path: '/dev/sdb2',
          index: 2,
          offset: 3 * MiB,
          sizeBytes: MiB,
          mountPoints: ['/media/two'],
        }),
      ],
    }
    const { outcome } = await restore(machine, { target: '/dev/sdb1', afterwards: 'eject' })
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: { ejected: false, warnings: [{ code: 'E_DST_BUSY', details: { holders: ['/media/two'] } }] },
    })
    expect(machine.calls).not.toContain('eject /dev/sdb')
  })

  it.each([
    [
      'another volume of the disk was mounted meanwhile',
      'E_DST_BUSY',
      (stick: FakeDisk) => {
        const two = {
          path: '/dev/sdb2',
          index: 2,
          offset: 3 * MiB,
          sizeBytes: MiB,
          mountPoints: ['/media/two'],
        }
        stick.disk = { ...stick.disk, volumes: [...stick.disk.volumes, makeVolume(two)] }
      },
    ],
    ['it was pulled out', 'E_DST_GONE', (stick: FakeDisk) => stick.vanish()],
    [
      'another took its place',
      'E_DST_GONE',
      (stick: FakeDisk) => {
        stick.disk = { ...stick.disk, identity: 'the next one' }
      },
    ],
  ])('is not ejected when %s', async (_, code, change) => {
    const { machine, stick } = bench([{ kind: 'raw', bytes: noise(MiB) }])
    let isDone = false
    const during = (_job: Job, { progress }: JobState) => {
      if (isDone || progress?.phase !== 'remounting') return
      isDone = true
      change(stick)
    }
    const request = { target: '/dev/sdb1', afterwards: 'eject' } as const
    const { outcome } = await restore(machine, request, { during })
    expect(outcome).toMatchObject({ kind: 'done', summary: { ejected: false, warnings: [{ code }] } })
    expect(machine.calls).not.toContain('eject /dev/sdb')
  })

  it('is left with an empty file system of its kind after a failure', async () => {
    const { machine, stick } = bench([{ kind: 'raw', bytes: noise(2 * MiB) }])
    stick.faults = { onWrite: failAtWrite(3) }
    const { outcome } = await restore(machine, { target: '/dev/sdb1' })
    expect(outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
    expect(machine.calls).toContain('make-empty /dev/sdb1 ext4')
  })
})

const failAtWrite =
  (count: number) =>
  ({ offset, count: at }: { offset: number; count: number }) => {
    if (at === count) throw ioError('E_IO_WRITE', '/dev/sdb', offset)
  }

describe('a device as the source', () => {
  function benchDevices() {
    const { machine, stick } = bench()
    const disk = machine.addDisk({
      path: '/dev/sdc',
      sizeBytes: 3 * MiB,
      volumes: [makeVolume({ path: '/dev/sdc1', label: 'SRC', mountPoints: ['/media/src'] })],
    })
    disk.bytes.set(noise(3 * MiB))
    return { machine, stick, disk }
  }

  it('is unmounted, copied, compared byte for byte, and mounted again', async () => {
    const { machine, stick, disk } = benchDevices()
    const { outcome } = await restore(machine, { source: '/dev/sdc' })
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true, restoredBytes: 3 * MiB } })
    expectImage(stick, disk.bytes)
    expect(machine.calls.indexOf('unmount /dev/sdc')).toBeLessThan(machine.calls.indexOf('open /dev/sdb'))
    expect(machine.calls).toContain('remount /dev/sdc: /media/src')
    expect(machine.streams).toHaveLength(2)
  })

  it('that cannot be mounted again is a warning, and the destination is remounted all the same', async () => {
    const { machine } = benchDevices()
    machine.onRemount = (path) => {
      if (path === '/dev/sdc') throw new DeviceError('E_DEVICE_TOOL', 'no', { details: { path } })
    }
    const { outcome } = await restore(machine, { source: '/dev/sdc' })
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: { remounted: true, warnings: [{ code: 'E_DEVICE_TOOL', details: { path: '/dev/sdc' } }] },
    })
  })

  it('beside the destination on one disk is mounted again before that is ejected', async () => {
    const { machine } = bench()
    const part = (index: number) =>
      makeVolume({
        path: `/dev/sdd${index}`,
        index,
        offset: (2 * index - 1) * MiB,
        mountPoints: [`/media/${index}`],
      })
    machine.addDisk({ path: '/dev/sdd', sizeBytes: 8 * MiB, volumes: [part(1), part(2)] })
    const { outcome } = await restore(machine, {
      source: '/dev/sdd1',
      target: '/dev/sdd2',
      afterwards: 'eject',
    })
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: { ejected: false, warnings: [{ code: 'E_DST_BUSY', details: { holders: ['/media/1'] } }] },
    })
    expect(machine.calls.filter((call) => /^(eject|remount) /.test(call))).toEqual([
      'remount /dev/sdd1: /media/1',
    ])
  })

  it('may be a volume: its file system goes to the start of the disk', async () => {
    const { machine, stick, disk } = benchDevices()
    const { outcome } = await restore(machine, { source: '/media/src' })
    expect(outcome).toMatchObject({ kind: 'done', summary: { restoredBytes: 2 * MiB } })
    expectImage(stick, disk.bytes.slice(MiB, 3 * MiB))
  })

  it.each([
    ['disk', { source: '/dev/sdc' }],
    ['volume', { source: '/dev/sdc1' }],
  ])('is looked at once more with the handle in hand: another %s', async (what, request) => {
    const { machine, stick, disk } = benchDevices()
    machine.onUnmount = (path) => {
      if (!path.startsWith('/dev/sdb')) return
      const [volume] = disk.disk.volumes
      if (what === 'disk') disk.disk = { ...disk.disk, identity: 'swapped while unmounting' }
      else if (volume !== undefined)
        disk.disk = { ...disk.disk, volumes: [{ ...volume, offset: volume.offset + 512 }] }
    }
    const { outcome } = await restore(machine, request)
    expect(outcome).toMatchObject(failure('E_SRC_CHANGED', 'untouched'))
    expect(stick.events).toEqual([])
  })

  it('that another job writes to is in use, and one that is only read is not', async () => {
    const { machine, stick, disk } = benchDevices()
    disk.disk = { ...disk.disk, busy: true }
    const { outcome } = await restore(machine, { source: '/dev/sdc' })
    expect(outcome).toMatchObject({
      ...failure('E_SRC_IN_USE', 'untouched'),
      error: { code: 'E_SRC_IN_USE', details: { path: '/dev/sdc', holders: ['Reprise'] } },
    })
    expect(stick.events).toEqual([])
    disk.disk = { ...disk.disk, onlyRead: true }
    expect((await restore(machine, { source: '/dev/sdc' })).outcome.kind).toBe('done')
  })

  it('that changes while it is copied is told, and not blamed on the target', async () => {
    const { machine, disk } = benchDevices()
    const { outcome } = await restore(
      machine,
      { source: '/dev/sdc' },
      {
        during: (_, state) => {
          if (state.progress?.phase === 'verifying') disk.bytes[2 * MiB + 5] = 0
        },
      },
    )
    expect(outcome).toMatchObject({
      ...failure('E_SRC_CHANGED', 'empty'),
      error: { code: 'E_SRC_CHANGED', details: { path: '/dev/sdc', when: 'reading' } },
    })
  })

  it('that cannot be unmounted is in use, and nothing was touched', async () => {
    const { machine, stick } = benchDevices()
    machine.onUnmount = (path) => {
      throw new DeviceError('E_DST_BUSY', 'busy', { details: { path, holders: ['bash (12)'] } })
    }
    const { outcome } = await restore(machine, { source: '/dev/sdc' })
    expect(outcome).toMatchObject({
      ...failure('E_SRC_IN_USE', 'untouched'),
      error: { code: 'E_SRC_IN_USE', details: { path: '/dev/sdc', holders: ['bash (12)'] } },
    })
    expect(stick.events).toEqual([])
  })

  it.each([
    ['source', '/dev/sdc'],
    ['destination', '/dev/sdb'],
  ])('is told when the %s could not be unmounted, and stays unmounted in part', async (_, stuck) => {
    const { machine } = benchDevices()
    machine.onUnmount = (path, left) => {
      if (path !== stuck) return
      left([new DeviceError('E_DEVICE_TOOL', 'no', { details: { path: `${path}1` } })])
      throw new DeviceError('E_DST_BUSY', 'busy', { details: { path } })
    }
    const { outcome } = await restore(machine, { source: '/dev/sdc' })
    expect(outcome).toMatchObject({
      target: 'untouched',
      warnings: [{ code: 'E_DEVICE_TOOL', details: { path: `${stuck}1` } }],
    })
  })

  it('is mounted again after a failure and after Cancel, too', async () => {
    for (const how of ['fail', 'cancel'] as const) {
      const { machine, stick } = benchDevices()
      if (how === 'fail') stick.faults = { onWrite: failAtWrite(3) }
      await restore(
        machine,
        { source: '/dev/sdc' },
        {
          during: (job, state) => {
            if (how === 'cancel' && state.progress?.phase === 'restoring') void job.cancel()
          },
        },
      )
      expect(machine.calls).toContain('remount /dev/sdc: /media/src')
    }
  })
})

describe('a file as the target', () => {
  it('is created with the size of the image, unused space as zeros', async () => {
    const { machine, expanded } = bench()
    const course = await restore(machine, { target: '/tmp/new.img', erase: false })
    expect(course.outcome).toMatchObject({ kind: 'done', summary: { verified: true } })
    expect(Buffer.compare(machine.files.get('/tmp/new.img')!.bytes, expanded)).toBe(0)
    expect(phasesOf(course)).toEqual([
      'validating-target done',
      'validating-source done',
      'validating-sizes done',
      'unmounting skipped',
      'erasing skipped',
      'restoring done',
      'verifying done',
      'remounting skipped',
    ])
  })

  it('is overwritten, and cut to the size of the image', async () => {
    const { machine, expanded } = bench()
    machine.addFile('/tmp/old.img', noise(10 * MiB, 9))
    const { outcome } = await restore(machine, { target: '/tmp/old.img' })
    expect(outcome.kind).toBe('done')
    expect(Buffer.compare(machine.files.get('/tmp/old.img')!.bytes, expanded)).toBe(0)
  })

  it('may lie in the memory that is mounted in /dev, and nowhere else there', async () => {
    const { machine, expanded } = bench()
    const { outcome } = await restore(machine, { target: '/dev/shm/lab/new.img' })
    expect(outcome.kind).toBe('done')
    expect(same(machine.files.get('/dev/shm/lab/new.img')!.bytes, expanded)).toBe(true)
    for (const target of ['/dev/sdz', '/dev/disk/by-id/usb', '/dev/shm'])
      expect((await restore(machine, { target })).outcome).toMatchObject(failure('E_NOT_FOUND', 'untouched'))
  })

  it('is gone again after a failure when we made it', async () => {
    const { machine } = bench()
    machine.onFileWrite = (offset) => {
      throw new DeviceError('E_DST_FULL', 'full', { details: { path: '/tmp/new.img', offset } })
    }
    const { outcome } = await restore(machine, { target: '/tmp/new.img' })
    expect(outcome).toMatchObject(failure('E_DST_FULL', 'empty'))
    expect(machine.files.has('/tmp/new.img')).toBe(false)
  })

  it('is left with nothing in it after a failure when it was there before', async () => {
    const { machine } = bench()
    machine.addFile('/tmp/old.img', noise(MiB, 9))
    machine.onFileWrite = (offset) => {
      throw ioError('E_IO_WRITE', '/tmp/old.img', offset)
    }
    const { outcome } = await restore(machine, { target: '/tmp/old.img' })
    expect(outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
    expect(machine.files.get('/tmp/old.img')!.bytes).toHaveLength(0)
  })

  it('is untouched when another file took its place since the plan', async () => {
    const { machine } = bench()
    machine.addFile('/tmp/old.img', noise(MiB, 9))
    const { outcome } = await restore(
      machine,
      { target: '/tmp/old.img' },
      {
        between: () => void machine.addFile('/tmp/old.img', noise(MiB, 10)),
      },
    )
    expect(outcome).toMatchObject(failure('E_DST_CHANGED', 'untouched'))
    expect(same(machine.files.get('/tmp/old.img')!.bytes, noise(MiB, 10))).toBe(true)
  })

  it('is untouched when another file took its place at the last moment', async () => {
    const { machine } = bench()
    machine.addFile('/tmp/old.img', noise(MiB, 9))
    const io = {
      ...machine.io,
      openFileSink: (path: string, mode: 'create' | 'overwrite') => {
        machine.addFile('/tmp/old.img', noise(MiB, 10))
        return machine.io.openFileSink(path, mode)
      },
    }
    const { outcome } = await restore(machine, { target: '/tmp/old.img' }, { deps: { io } })
    expect(outcome).toMatchObject(failure('E_DST_CHANGED', 'untouched'))
    expect(same(machine.files.get('/tmp/old.img')!.bytes, noise(MiB, 10))).toBe(true)
  })

  it.each([
    ['deleted', () => undefined],
    ['replaced', (machine: FakeMachine) => void machine.addFile('/tmp/old.img', noise(MiB, 10))],
  ])('is not called restored when it was %s while it was written', async (_, replace) => {
    const { machine } = bench()
    machine.addFile('/tmp/old.img', noise(MiB, 9))
    let isDone = false
    const during = (_job: Job, { progress }: JobState) => {
      if (isDone || progress?.phase !== 'verifying') return
      isDone = true
      machine.files.delete('/tmp/old.img')
      replace(machine)
    }
    const { outcome } = await restore(machine, { target: '/tmp/old.img' }, { during })
    expect(outcome).toMatchObject(failure('E_DST_CHANGED', 'empty'))
    // What took its place is somebody else's.
    expect(machine.calls.filter((call) => /^(remove|truncate)/.test(call))).toEqual([])
  })

  it('is not called restored when somebody cut it shorter', async () => {
    const { machine } = bench()
    machine.addFile('/tmp/old.img', noise(MiB, 9))
    const io: RestoreDeps['io'] = {
      ...machine.io,
      async openFileSink(path, mode) {
        const sink = await machine.io.openFileSink(path, mode)
        const cut = async () => {
          const file = machine.files.get(path)!
          file.bytes = file.bytes.slice(0, -512)
        }
        return { ...sink, flush: cut }
      },
    }
    const request = { target: '/tmp/old.img', verify: false }
    const { outcome } = await restore(machine, request, { deps: { io } })
    expect(outcome).toMatchObject({
      ...failure('E_DST_CHANGED', 'empty'),
      error: { details: { when: 'writing', what: 'size' } },
    })
  })

  it('is not overwritten when it appeared since the plan', async () => {
    const { machine } = bench()
    const { outcome } = await restore(
      machine,
      { target: '/tmp/new.img' },
      {
        between: () => void machine.addFile('/tmp/new.img', noise(MiB, 10)),
      },
    )
    expect(outcome).toMatchObject(failure('E_DST_CHANGED', 'untouched'))
    expect(same(machine.files.get('/tmp/new.img')!.bytes, noise(MiB, 10))).toBe(true)
  })
})

describe('a disk in a file with a size of its own', () => {
  const practice = {
    path: '/tmp/practice.disk',
    bus: 'file',
    practice: true,
    internal: true,
    sizeBytes: 4 * MiB,
  } as const

  it('is a disk to the preflight: needs Erase, tells its volumes, and can be busy', async () => {
    const { machine } = bench()
    const disk = machine.addDisk({
      ...practice,
      volumes: [makeVolume({ path: practice.path, label: 'TRIED' })],
    })
    machine.addFile(practice.path, noise(4 * MiB, 3))
    const plan = (erase: boolean) =>
      planRestore(
        {
          source,
          target: practice.path,
          erase,
          verify: true,
          clearUnused: false,
          changedOnly: false,
          afterwards: 'remount',
          timeoutMs: 0,
          form: 'contents',
          buffering: small,
        },
        machine,
      )
    expect((await plan(false)).refusal?.code).toBe('E_NEEDS_ERASE')
    const made = await plan(true)
    expect(made).toMatchObject({
      refusal: null,
      losses: [{ kind: 'volume', name: 'TRIED' }],
      confirmation: { kind: 'plain' },
      target: { kind: 'file', name: 'Fake Stick', sizeBytes: 4 * MiB },
    })
    disk.disk = { ...disk.disk, busy: true }
    expect((await plan(true)).refusal?.code).toBe('E_DST_BUSY')
  })

  it('is confirmed plainly, filled, and keeps its size', async () => {
    const { machine, expanded } = bench()
    machine.addDisk(practice)
    machine.addFile(practice.path, noise(4 * MiB, 3))
    const { outcome } = await restore(machine, { target: practice.path })
    expect(outcome.kind).toBe('done')
    const { bytes } = machine.files.get(practice.path)!
    expect(bytes).toHaveLength(4 * MiB)
    expect(Buffer.compare(bytes.subarray(0, expanded.length), expanded)).toBe(0)
    expect(bytes.subarray(expanded.length).every((byte) => byte === 0)).toBe(true)
  })

  it('is too small for what is larger, known beforehand or not', async () => {
    const { machine } = bench()
    machine.addDisk({ ...practice, sizeBytes: 2 * MiB })
    machine.addFile(practice.path, new Uint8Array(2 * MiB))
    const known = await restore(machine, { target: practice.path })
    expect(known.outcome).toMatchObject(failure('E_DST_SMALL', 'untouched'))
    machine.addStreamImage('/images/a.img.gz', noise(3 * MiB))
    const unknown = await restore(machine, { source: '/images/a.img.gz', target: practice.path })
    expect(unknown.outcome).toMatchObject(failure('E_DST_SMALL', 'empty'))
    // Left blank, with its size.
    expect(same(machine.files.get(practice.path)!.bytes, new Uint8Array(2 * MiB))).toBe(true)
  })
})

describe('before the first write', () => {
  it.each([
    [
      'another disk came to the path',
      'E_DST_CHANGED',
      (_: FakeMachine, stick: FakeDisk) => {
        stick.disk = { ...stick.disk, identity: 'another' }
      },
    ],
    [
      'the disk was partitioned anew',
      'E_DST_CHANGED',
      (_: FakeMachine, stick: FakeDisk) => {
        stick.disk = { ...stick.disk, volumes: [makeVolume({ path: '/dev/sdb1', label: 'NEW' })] }
      },
    ],
    ['the disk was unplugged', 'E_NOT_FOUND', (_: FakeMachine, stick: FakeDisk) => stick.vanish()],
    [
      'the disk became the system disk',
      'E_DST_SYSTEM',
      (_: FakeMachine, stick: FakeDisk) => {
        stick.disk = { ...stick.disk, protection: { kind: 'system', mountPoint: '/home' } }
      },
    ],
    [
      'the image was written to',
      'E_SRC_CHANGED',
      (machine: FakeMachine) => {
        machine.files.get(source)!.modifiedMs += 1
      },
    ],
    [
      'another image took its name',
      'E_SRC_CHANGED',
      (machine: FakeMachine) => {
        machine.files.get(source)!.inode += 1
      },
    ],
    [
      'the image was deleted',
      'E_NOT_FOUND',
      (machine: FakeMachine) => {
        machine.files.delete(source)
      },
    ],
  ])('it stops when %s', async (_, code, change) => {
    const { machine, stick } = bench()
    const before = Uint8Array.from(stick.bytes)
    const { outcome } = await restore(machine, {}, { between: () => change(machine, stick) })
    expect(outcome).toMatchObject(failure(code, 'untouched'))
    expect(same(stick.bytes, before)).toBe(true)
    expect(stick.events).toEqual([])
  })

  it('it looks at the identity once more with the handle in hand', async () => {
    const { machine, stick } = bench()
    machine.onUnmount = () => {
      stick.disk = { ...stick.disk, identity: 'swapped while unmounting' }
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_DST_CHANGED', 'untouched'))
    expect(stick.events).toEqual(['open', 'close'])
    // What is there now was mounted by somebody else, if at all.
    expect(machine.calls.join()).not.toContain('remount')
  })

  it('it looks again, and leaves a card alone that came while it waited', async () => {
    const { machine, stick } = bench()
    const { platform } = machine
    let looks = 0
    const identify = async (path: string) => {
      const identity = await platform.identify(path)
      looks += 1
      // With the handle in hand it was the right one.
      if (looks === 1) stick.disk = { ...stick.disk, identity: 'another card' }
      return identity
    }
    const deps = { platform: { ...platform, identify } }
    const { outcome } = await restore(machine, {}, { deps })
    expect(outcome).toMatchObject(failure('E_DST_CHANGED', 'untouched'))
    expect(stick.events).toEqual(['open', 'close'])
  })

  it('it opens the very files that were examined', async () => {
    const { machine, stick } = bench()
    machine.onUnmount = () => {
      machine.files.get(source)!.inode += 1
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_SRC_CHANGED', 'untouched'))
    expect(stick.events).toEqual([])
  })

  it('a disk that cannot be unmounted is busy, and nothing was touched', async () => {
    const { machine, stick } = bench()
    machine.onUnmount = (path) => {
      throw new DeviceError('E_DST_BUSY', 'busy', { details: { path, holders: ['vi (7)'] } })
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_DST_BUSY', 'untouched'))
    expect(stick.events).toEqual([])
  })

  it('tells when it was verified against what this computer still had in memory', async () => {
    const { machine } = bench()
    const tool = new DeviceError('E_DEVICE_TOOL', 'no dd', { details: { path: '/d.img', left: 'cache' } })
    const io: RestoreDeps['io'] = {
      ...machine.io,
      async openDeviceSink(path, warn) {
        warn?.(tool)
        return await machine.io.openDeviceSink(path)
      },
    }
    const { outcome } = await restore(machine, {}, { deps: { io } })
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: { verified: true, remounted: true, warnings: [{ code: 'E_DEVICE_TOOL' }] },
    })
  })

  it('a volume that a desktop mounts again in between is unmounted again', async () => {
    const { machine, stick } = bench()
    let unmounts = 0
    const platform = {
      ...machine.platform,
      unmount: async (path: string, signal?: AbortSignal) => {
        const before = await machine.platform.unmount(path, signal)
        const volumes = stick.disk.volumes.map((volume) => ({ ...volume, mountPoints: ['/media/again'] }))
        if (unmounts++ === 0) stick.disk = { ...stick.disk, volumes }
        return before
      },
    }
    const { outcome } = await restore(machine, {}, { deps: { platform } })
    expect(outcome).toMatchObject({ kind: 'done', summary: { mountPoints: ['/media/old'] } })
    expect(unmounts).toBe(2)
  })

  it('a volume that was mounted only in between is mounted again', async () => {
    const { machine, stick } = bench()
    stick.disk = {
      ...stick.disk,
      volumes: stick.disk.volumes.map((volume) => ({ ...volume, mountPoints: [] })),
    }
    let unmounts = 0
    const platform = {
      ...machine.platform,
      unmount: async (path: string, signal?: AbortSignal) => {
        const before = await machine.platform.unmount(path, signal)
        const volumes = stick.disk.volumes.map((volume) => ({ ...volume, mountPoints: ['/media/between'] }))
        if (unmounts++ === 0) stick.disk = { ...stick.disk, volumes }
        return before
      },
    }
    const { outcome } = await restore(machine, {}, { deps: { platform } })
    expect(outcome).toMatchObject({ kind: 'done', summary: { mountPoints: ['/media/between'] } })
    expect(unmounts).toBe(2)
  })

  it('a disk that somebody else holds is busy, and not fought for', async () => {
    const { machine, stick } = bench()
    stick.disk = { ...stick.disk, volumes: [] }
    stick.isOpen = true
    const { outcome } = await restore(machine)
    stick.isOpen = false
    expect(outcome).toMatchObject(failure('E_DST_BUSY', 'untouched'))
    expect(machine.calls.filter((call) => call.startsWith('open'))).toHaveLength(1)
  })

  it('a plan that was refused is not carried out, even if nothing stands against it any more', async () => {
    const { machine, stick } = bench()
    stick.disk = { ...stick.disk, readOnly: true }
    const { outcome } = await restore(
      machine,
      {},
      {
        between: () => {
          stick.disk = { ...stick.disk, readOnly: false }
        },
      },
    )
    expect(outcome).toMatchObject(failure('E_DST_READONLY', 'untouched'))
  })
})

describe('a failure after writing began', () => {
  it.each([
    ['the first block fails', 0],
    ['block 7 fails', 7],
    ['the first blocks, written last, fail', 16],
    ['the very first block, written at the end, fails', 17],
  ])('leaves the disk empty when %s', async (_, count) => {
    const { machine, stick } = bench()
    stick.faults = { onWrite: failAtWrite(count) }
    const { outcome, lines } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
    expect(machine.calls.at(-1)).toBe('make-empty /dev/sdb null')
    expect(stick.events.slice(-2)).toEqual(['close', 'make-empty'])
    expect(stick.disk.volumes.every((volume) => volume.mountPoints.length === 0)).toBe(true)
    expect(lines.map((line) => line.message)).toContain('the destination was left empty')
  })

  it('leaves the disk empty, and tells it, when the system keeps its old partitions', async () => {
    const { machine, stick } = bench()
    stick.faults = { onWrite: failAtWrite(7) }
    machine.onMakeEmpty = (path) => {
      throw new DeviceError('E_DST_BUSY', 'busy', { details: { path, left: 'reread' } })
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      ...failure('E_IO_WRITE', 'empty'),
      warnings: [{ code: 'E_DST_BUSY', details: { left: 'reread' } }],
    })
  })

  it('never lets the old or the new partition map be seen meanwhile', async () => {
    const { machine, stick } = bench()
    let seen: Uint8Array | null = null
    stick.faults = {
      onWrite: ({ offset, count }) => {
        if (count !== 10) return
        seen = Uint8Array.from(stick.bytes.subarray(0, MiB))
        throw ioError('E_IO_WRITE', '/dev/sdb', offset)
      },
    }
    await restore(machine)
    expect(same(seen ?? new Uint8Array(0), new Uint8Array(MiB))).toBe(true)
  })

  it('says that the disk was disconnected when it was, and that it is incomplete', async () => {
    const { machine, stick } = bench()
    stick.faults = {
      onWrite: ({ offset, count }) => {
        if (count < 5) return
        stick.vanish()
        // What a kernel says of a disk that is no more.
        throw ioError('E_IO_WRITE', '/dev/sdb', offset)
      },
    }
    const { outcome, lines } = await restore(machine)
    expect(outcome).toMatchObject({
      ...failure('E_DST_GONE', 'incomplete'),
      error: { details: { phase: 'restoring', percent: expect.any(Number) } },
    })
    expect(lines.find((line) => line.level === 'error')?.message).toContain('could not be left empty')
  })

  it('never empties another disk that came to the path meanwhile', async () => {
    const { machine, stick } = bench()
    stick.faults = {
      onWrite: ({ offset, count }) => {
        if (count < 5) return
        stick.disk = { ...stick.disk, identity: 'another stick' }
        throw ioError('E_IO_WRITE', '/dev/sdb', offset)
      },
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_DST_GONE', 'incomplete'))
    expect(stick.events).not.toContain('make-empty')
  })

  it('never ends well, and blanks nothing, when another card came into the slot and took the rest', async () => {
    const { machine, stick } = bench()
    let exchanged = 0
    stick.faults = {
      onWrite: ({ count }) => {
        if (count !== 5) return
        stick.disk = { ...stick.disk, identity: 'another card' }
        exchanged = stick.events.length
      },
    }
    const { outcome } = await restore(machine, { verify: false })
    expect(outcome).toMatchObject(failure('E_DST_CHANGED', 'incomplete'))
    expect(exchanged).toBeGreaterThan(0)
    const since = stick.events.slice(exchanged)
    expect(since.filter((event) => /^(zero 0|make-empty)/.test(event))).toEqual([])
    expect(machine.calls.join()).not.toMatch(/remount|reread|make-empty/)
  })

  it('never empties or removes another file that took the place meanwhile', async () => {
    for (const present of [true, false]) {
      const { machine } = bench()
      if (present) machine.addFile('/tmp/out.img', noise(MiB, 9))
      machine.onFileWrite = (offset) => {
        machine.addFile('/tmp/out.img', noise(MiB, 10))
        throw ioError('E_IO_WRITE', '/tmp/out.img', offset)
      }
      const { outcome } = await restore(machine, { target: '/tmp/out.img' })
      expect(outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
      expect(same(machine.files.get('/tmp/out.img')!.bytes, noise(MiB, 10))).toBe(true)
    }
  })

  it('is a failure when the cache fails late, at the flush', async () => {
    for (const flush of [0, 1, 2, 3]) {
      const { machine, stick } = bench()
      stick.faults = {
        onFlush: (count) => {
          if (count === flush) throw new DeviceError('E_IO_WRITE', 'late', { details: { path: '/dev/sdb' } })
        },
      }
      const { outcome } = await restore(machine)
      expect(outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
    }
  })

  it.each([
    ['the verify finds something wrong', 'failed'],
    ['it is cancelled while it verifies', 'cancelled'],
  ] as const)('leaves nothing that looks whole to whoever comes first when %s', async (_, kind) => {
    const { machine, stick } = bench()
    stick.faults = {
      lie: (bytes, offset) => {
        if (kind === 'failed' && offset === MiB) bytes[9]! ^= 1
      },
    }
    let atClose: Uint8Array | null = null
    const io = {
      ...machine.io,
      openDeviceSink: async (path: string) => {
        const sink = await machine.io.openDeviceSink(path)
        return {
          ...sink,
          [Symbol.asyncDispose]: async () => {
            atClose = Uint8Array.from(stick.bytes)
            await sink[Symbol.asyncDispose]()
          },
        }
      },
    }
    const during = (job: Job, { progress, outcome: end }: JobState) => {
      if (kind === 'cancelled' && progress?.phase === 'verifying' && end === null) void job.cancel()
    }
    const { outcome } = await restore(machine, {}, { during, deps: { io } })
    expect(outcome).toMatchObject({ kind, target: 'empty' })
    const seen = atClose ?? new Uint8Array(0)
    expect(same(seen.subarray(0, MiB), new Uint8Array(MiB))).toBe(true)
    expect(same(seen.subarray(3 * MiB), new Uint8Array(MiB))).toBe(true)
  })

  it('empties the disk although a desktop mounts it again in between', async () => {
    const { machine, stick } = bench()
    stick.faults = { onWrite: failAtWrite(3) }
    let tries = 0
    machine.onMakeEmpty = (path) => {
      if (tries++ > 0) return
      const volumes = stick.disk.volumes.map((volume) => ({ ...volume, mountPoints: ['/media/again'] }))
      stick.disk = { ...stick.disk, volumes }
      throw new DeviceError('E_DST_BUSY', 'busy', { details: { path } })
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
    expect(machine.calls.filter((call) => call.startsWith('unmount'))).toHaveLength(2)
    expect(stick.disk.volumes[0]?.mountPoints).toEqual([])
  })

  it('is incomplete, and why is logged, when it cannot even be emptied', async () => {
    const { machine, stick } = bench()
    stick.faults = { onWrite: failAtWrite(3) }
    machine.onMakeEmpty = (path) => {
      throw new DeviceError('E_DST_READONLY', 'it locked itself', { details: { path } })
    }
    const { outcome, lines } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_IO_WRITE', 'incomplete'))
    expect(lines.find((line) => line.level === 'error')?.fields).toMatchObject({
      error: { code: 'E_DST_READONLY' },
    })
  })

  it('tells what went wrong first, and a stop as a stop, where closing fails as well', async () => {
    const { machine, stick } = bench()
    machine.onClose = (path) => {
      throw notConnected(path)
    }
    stick.faults = { onWrite: failAtWrite(3) }
    expect((await restore(machine)).outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
    stick.faults = {}
    const stopped = await restore(
      machine,
      {},
      {
        during: (job, { progress }) => {
          if (progress?.phase === 'restoring') void job.cancel()
        },
      },
    )
    expect(stopped.outcome).toMatchObject({ kind: 'cancelled', target: 'empty' })
  })

  it('is noticed although the source is slow', async () => {
    const { machine, stick } = bench()
    stick.faults = { onWrite: failAtWrite(0) }
    machine.onItem = (offset) => (offset > 2 * MiB ? new Promise(() => undefined) : undefined)
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
  })

  it('tells damage in the image by its checksum', async () => {
    const { machine, file } = bench()
    const { outcome } = await restore(
      machine,
      {},
      {
        between: () => {
          file.bytes[MiB + 77]! ^= 1
        },
      },
    )
    expect(outcome).toMatchObject(failure('E_SRC_CORRUPT', 'empty'))
  })

  it('tells an image from a web server that contradicts itself, when it is verified: its blocks were right as they came', async () => {
    const { machine } = bench()
    const locator = 'http://lab/a.dmg'
    const { file, layout } = machine.addImage(locator, mixed(), { hashedBlockBytes: 64 * KiB })
    expect((await restore(machine, { source: locator })).outcome.kind).toBe('done')
    const checks = layout.checks.map((check) => ({ ...check, crc32: check.crc32 ^ 1 }))
    file.image = { ...file.image!, layout: { ...layout, checks } }
    const course = await restore(machine, { source: locator })
    expect(course.outcome).toMatchObject(failure('E_SRC_CORRUPT', 'empty'))
    expect(phasesOf(course)).toContain('verifying failed')
    // Nobody would tell it afterwards.
    const unverified = await restore(machine, { source: locator, verify: false })
    expect(unverified.outcome).toMatchObject(failure('E_SRC_CORRUPT', 'empty'))
  })

  it("loses nothing when a web server can't give the image's hashes", async () => {
    const { machine, stick } = bench()
    const locator = 'http://lab/a.dmg'
    const { file } = machine.addImage(locator, mixed(), { hashedBlockBytes: 64 * KiB })
    const before = Uint8Array.from(stick.bytes)
    const { outcome } = await restore(
      machine,
      { source: locator },
      {
        between: () => {
          file.hashes = { blockBytes: 64 * KiB, hashes: new Uint8Array(32) }
        },
      },
    )
    expect(outcome).toMatchObject(failure('E_SRC_CORRUPT', 'untouched'))
    expect(same(stick.bytes, before)).toBe(true)
  })

  it('tells a source that is larger than the disk when it gets there', async () => {
    const { machine } = bench()
    machine.addStreamImage('/images/exact.img.gz', noise(4 * MiB))
    expect((await restore(machine, { source: '/images/exact.img.gz' })).outcome.kind).toBe('done')
    machine.addStreamImage('/images/a.img.gz', noise(4 * MiB + 512))
    const { outcome } = await restore(machine, { source: '/images/a.img.gz' })
    expect(outcome).toMatchObject({
      ...failure('E_DST_SMALL', 'empty'),
      error: { code: 'E_DST_SMALL', details: { neededBytes: 4 * MiB + 512, availableBytes: 4 * MiB } },
    })
  })

  it('tells an image with checksums of a part of it that was written to while it was read', async () => {
    const { machine, file, layout } = bench()
    const [first] = layout.extents.diskBytes
    const bytes = noise(MiB + 512 * KiB)
    expect(first).toBe(bytes.length)
    const checks = [{ name: 'first', diskOffset: 0, diskBytes: bytes.length, crc32: crc32(bytes) }]
    file.image = { info: file.image!.info, layout: { ...layout, checks } }
    machine.onItem = (offset) => {
      // Behind what is checked.
      if (offset > 2 * MiB) file.modifiedMs = 5_000
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      ...failure('E_SRC_CHANGED', 'empty'),
      error: { code: 'E_SRC_CHANGED', details: { path: source, when: 'reading' } },
    })
  })

  it('tells an image without checksums that was written to while it was read', async () => {
    const { machine } = bench()
    machine.addImage('/images/raw.img', mixed(), { checks: 'none' })
    machine.onItem = (offset) => {
      if (offset > 2 * MiB) machine.files.get('/images/raw.img')!.modifiedMs = 5_000
    }
    const { outcome } = await restore(machine, { source: '/images/raw.img' })
    expect(outcome).toMatchObject({
      ...failure('E_SRC_CHANGED', 'empty'),
      error: { code: 'E_SRC_CHANGED', details: { path: '/images/raw.img', when: 'reading' } },
    })
  })
})

describe('the verify', () => {
  it('finds one byte that differs, and tells where, what was expected and what is there', async () => {
    const { machine, stick, expanded } = bench()
    const at = MiB + 300 * KiB + 7
    stick.faults = {
      lie: (bytes, offset) => {
        if (at >= offset && at < offset + bytes.length) bytes[at - offset]! ^= 0x10
      },
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      ...failure('E_VERIFY', 'empty'),
      error: {
        code: 'E_VERIFY',
        details: {
          offset: at,
          differingBlocks: 1,
          blockBytes: 64 * KiB,
          expected: Buffer.from(expanded.subarray(at, at + 16)).toString('hex'),
        },
      },
    })
    const found = (outcome as Extract<JobOutcome, { kind: 'failed' }>).error.details['found'] as string
    expect(parseInt(found.slice(0, 2), 16)).toBe(expanded[at]! ^ 0x10)
  })

  it('goes on to the end and counts the blocks that differ', async () => {
    const { machine, stick } = bench()
    stick.faults = {
      lie: (bytes, offset) => {
        const inZeros = offset >= MiB + 512 * KiB && offset < 2 * MiB
        if ((offset >= MiB && offset < MiB + 128 * KiB) || inZeros) bytes[10]! ^= 1
      },
    }
    const { outcome } = await restore(machine)
    // Two blocks of data and eight of zeros.
    expect(outcome).toMatchObject({
      ...failure('E_VERIFY', 'empty'),
      error: { code: 'E_VERIFY', details: { differingBlocks: 10, offset: MiB + 10 } },
    })
  })

  it('does not mind what unused space holds', async () => {
    const { machine, stick } = bench()
    stick.faults = {
      lie: (bytes, offset) => {
        if (offset >= 2 * MiB && offset < 2 * MiB + 512 * KiB) bytes.fill(0x99)
      },
    }
    expect((await restore(machine)).outcome.kind).toBe('done')
  })

  it('looks at unused space that was to be cleared', async () => {
    const { machine, stick } = bench()
    stick.faults = {
      lie: (bytes, offset) => {
        if (offset === 2 * MiB) bytes[3] = 1
      },
    }
    const { outcome } = await restore(machine, { clearUnused: true })
    expect(outcome).toMatchObject({
      ...failure('E_VERIFY', 'empty'),
      error: { code: 'E_VERIFY', details: { offset: 2 * MiB + 3 } },
    })
  })

  it('tells the block and its checksums when the byte is right at the second look', async () => {
    const { machine, stick } = bench()
    let lies = 1
    stick.faults = {
      lie: (bytes, offset) => {
        if (offset === MiB && lies-- > 0) bytes[9]! ^= 1
      },
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      ...failure('E_VERIFY', 'empty'),
      error: {
        code: 'E_VERIFY',
        details: {
          offset: MiB,
          expected: expect.stringMatching(/^crc32 /),
          found: expect.stringMatching(/^crc32 /),
        },
      },
    })
  })

  it('fails on a block that cannot be read back', async () => {
    const { machine, stick } = bench()
    stick.faults = {
      onRead: ({ offset }) => {
        if (offset >= 2 * MiB) throw ioError('E_IO_READ', '/dev/sdb', offset)
      },
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject(failure('E_IO_READ', 'empty'))
  })

  it('reads through the handle that wrote', async () => {
    const { machine, stick } = bench()
    await restore(machine)
    expect(stick.events.filter((event) => event === 'open' || event === 'close')).toEqual(['open', 'close'])
    expect(machine.calls.filter((call) => call === 'open /dev/sdb')).toHaveLength(1)
  })
})

describe('Cancel', () => {
  it.each([
    ['validating-target', 'untouched'],
    ['validating-source', 'untouched'],
    ['validating-sizes', 'untouched'],
    ['unmounting', 'untouched'],
    ['erasing', 'empty'],
    ['restoring', 'empty'],
    ['verifying', 'empty'],
  ] as const)('in %s leaves the disk %s', async (phase, target) => {
    const { machine, stick } = bench()
    const before = Uint8Array.from(stick.bytes)
    const { outcome } = await restore(
      machine,
      {},
      {
        during: (job, state) => {
          if (state.progress?.phase === phase && state.outcome === null) void job.cancel()
        },
      },
    )
    expect(outcome).toMatchObject({ kind: 'cancelled', target })
    const left = { ended: stick.events.slice(-2), mounted: stick.disk.volumes[0]?.mountPoints }
    const isAsBefore = Buffer.compare(stick.bytes, before) === 0
    expect({ ...left, isAsBefore }).toEqual(
      target === 'untouched'
        ? { ended: left.ended, mounted: ['/media/old'], isAsBefore: true }
        : { ended: ['close', 'make-empty'], mounted: [], isAsBefore: false },
    )
    expect(left.ended.includes('make-empty')).toBe(target === 'empty')
  })

  it('tells which volumes could not be mounted again, of either disk', async () => {
    const { machine } = bench()
    const disk = machine.addDisk({
      path: '/dev/sdc',
      sizeBytes: 3 * MiB,
      volumes: [makeVolume({ path: '/dev/sdc1', label: 'SRC', mountPoints: ['/media/src'] })],
    })
    const unmountable = (path: string) => {
      throw new DeviceError('E_DEVICE_TOOL', 'mount ended with 32', { details: { path, tool: 'mount' } })
    }
    machine.onRemount = unmountable
    let job: Job | null = null
    machine.onUnmount = (path) => {
      if (path === '/dev/sdb') void job?.cancel()
    }
    const during = (running: Job) => {
      job = running
    }
    const { outcome } = await restore(machine, { source: disk.disk.path }, { during })
    expect(outcome).toMatchObject({
      kind: 'cancelled',
      target: 'untouched',
      warnings: [
        { code: 'E_DEVICE_TOOL', details: { path: '/dev/sdb' } },
        { code: 'E_DEVICE_TOOL', details: { path: '/dev/sdc' } },
      ],
    })
  })

  it('comes too late once it is verified', async () => {
    const { machine } = bench()
    const { outcome } = await restore(
      machine,
      {},
      {
        during: (job, state) => {
          if (state.progress?.phase === 'remounting') void job.cancel()
        },
      },
    )
    expect(outcome.kind).toBe('done')
  })

  it('is heard while what comes after takes long, and what is left is told', async () => {
    const { machine } = bench()
    machine.onReread = (_, signal) =>
      new Promise((_done, fail) => {
        signal?.addEventListener('abort', () => fail(signal.reason as Error))
      })
    let askedMs = 0
    const { outcome } = await restore(
      machine,
      {},
      {
        during: (job, state) => {
          if (state.progress?.phase !== 'remounting' || askedMs > 0) return
          askedMs = performance.now()
          void job.cancel()
        },
      },
    )
    expect(performance.now() - askedMs).toBeLessThan(1000)
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: {
        warnings: [{ code: 'E_DEVICE_TOOL', details: { path: '/dev/sdb', left: 'reread', why: 'stopped' } }],
      },
    })
  })

  it('answers although the source hangs', async () => {
    const { machine } = bench()
    machine.onItem = (offset) => (offset < MiB ? undefined : new Promise(() => undefined))
    const { outcome } = await restore(
      machine,
      {},
      {
        during: (job, state) => {
          if (state.progress?.phase === 'restoring') setTimeout(() => void job.cancel(), 50)
        },
      },
    )
    expect(outcome).toMatchObject({ kind: 'cancelled', target: 'empty' })
  })

  it('waits for a write that is under way, and says meanwhile that it is stopping', async () => {
    const { machine, stick } = bench()
    let release: () => void = () => undefined
    stick.faults = {
      onWrite: ({ count }) => (count === 2 ? new Promise<void>((resolve) => (release = resolve)) : undefined),
    }
    let openWhileStopping: boolean | null = null
    const { outcome } = await restore(
      machine,
      {},
      {
        during: (job, state) => {
          if (state.progress?.phase === 'restoring' && !state.stopping && state.outcome === null)
            setTimeout(() => void job.cancel(), 20)
          if (state.stopping && openWhileStopping === null) {
            openWhileStopping = stick.isOpen
            setTimeout(release, 50)
          }
        },
      },
    )
    expect(openWhileStopping).toBe(true)
    expect(outcome).toMatchObject({ kind: 'cancelled', target: 'empty' })
  })

  it('does not hide a disk that fails at the same moment', async () => {
    const { machine, stick } = bench()
    stick.faults = {
      onWrite: async ({ offset, count }) => {
        if (count !== 4) return
        await new Promise((resolve) => setTimeout(resolve, 50))
        throw ioError('E_IO_WRITE', '/dev/sdb', offset)
      },
    }
    const { outcome } = await restore(machine, { verify: false }, { during: () => undefined })
    expect(outcome).toMatchObject(failure('E_IO_WRITE', 'empty'))
  })
})

describe('a disk that stops moving', () => {
  /** The third write takes 400 ms; a stall is 100 ms. */
  function benchStall() {
    const { machine, stick } = bench()
    stick.faults = {
      onWrite: ({ count }) =>
        count === 2 ? new Promise<void>((resolve) => setTimeout(resolve, 400)) : undefined,
    }
    return machine
  }

  it('is logged once, and waited for', async () => {
    const { outcome, lines } = await restore(benchStall(), {}, { deps: { stallMs: 100 } })
    expect(outcome.kind).toBe('done')
    expect(lines.filter((line) => line.message.includes('nothing has moved'))).toHaveLength(1)
  })

  it('is not what a slow unmount is', async () => {
    const { machine } = bench()
    machine.onUnmount = () => new Promise((resolve) => setTimeout(resolve, 300))
    const { outcome, lines } = await restore(machine, {}, { deps: { stallMs: 100, onStall: 'fail' } })
    expect(outcome.kind).toBe('done')
    expect(lines.filter((line) => line.message.includes('nothing has moved'))).toEqual([])
  })

  it('is a failure where that was asked for', async () => {
    const { outcome } = await restore(benchStall(), {}, { deps: { stallMs: 100, onStall: 'fail' } })
    expect(outcome).toMatchObject({
      ...failure('E_STALL', 'empty'),
      error: { code: 'E_STALL', details: { phase: 'restoring' } },
    })
  })
})
