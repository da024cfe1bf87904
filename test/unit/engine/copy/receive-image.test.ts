import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { BlockSink } from '#engine/block-io'
import { planRestore, readStreamImage, runRestore, type RestoreDeps, type RestoreIo } from '#engine/copy'
import { Interruption } from '#engine/job'
import type { ReceiveOptions } from '#engine/stream-connection'
import { NetworkError, type NetworkCode } from '#shared/errors'
import { silentLogger } from '#shared/log'
import { parseStreamLocator, type JobOutcome, type RestoreRequest, type StreamLocator } from '#shared/model'
import type { RunSpec } from '#test/build-udif'
import { ioError, makeVolume } from '#test/fake-disk'
import { FakeMachine } from '#test/fake-platform'
import { fakeStreamServer, type FakeStream } from '#test/fake-stream-connection'
import { hashedUdif } from '#test/hashed-udif'
import { quietContext } from '#test/quiet-context'
import { noBuffering, restoreRequest } from '#test/restore-request'
import { seededBytes, seededRandom } from '#test/seeded'

const KiB = 1024
const MiB = 1024 * KiB

const noise = (seed: number, lengthBytes: number) => seededBytes(seededRandom(seed), lengthBytes)

/** 3.5 MiB: data that doesn't compress, zeros, unused space, data. */
const runs: readonly RunSpec[] = [
  { kind: 'zlib', sectors: 700, data: noise(1, 700 * 512) },
  { kind: 'zlib', sectors: 700, data: noise(2, 700 * 512) },
  { kind: 'raw', sectors: 1900, data: noise(3, 1900 * 512) },
  { kind: 'zero', sectors: 1000 },
  { kind: 'ignore', sectors: 1500 },
  { kind: 'zlib', sectors: 1368, data: noise(4, 1368 * 512) },
]
const image = hashedUdif({ tables: [{ runs }] })

const machines: FakeMachine[] = []
afterEach(() => {
  for (const machine of machines.splice(0))
    expect(machine.disks.map((disk) => disk.isOpen)).toEqual(machine.disks.map(() => false))
})

function bench(change: Partial<FakeStream> = {}, diskBytes = 4 * MiB) {
  const machine = new FakeMachine()
  machines.push(machine)
  const stick = machine.addDisk({
    path: '/dev/sdb',
    sizeBytes: diskBytes,
    partitionMap: 'mbr',
    volumes: [makeVolume({ path: '/dev/sdb1', label: 'OLD', mountPoints: ['/media/old'] })],
  })
  // Blocks of the stream end within sectors of raw runs.
  stick.takesUnaligned = true
  const server = fakeStreamServer({
    bytes: image.bytes,
    blockBytes: 64 * KiB,
    imageName: 'lab.dmg',
    imageFormat: 'UDZO',
    seed: 1,
    order: 'late',
    ...change,
  })
  machine.connectStream = (locator, options) =>
    server.connect(locator, { ...options, password: null, clientId: new Uint8Array(16) })
  return { machine, stick, server }
}

/** A machine whose disk an earlier run left like this: nothing is seen on it. */
function benchWith(left: Uint8Array, change: Partial<FakeStream> = {}) {
  const machine = bench(change)
  const { stick } = machine
  stick.disk = { ...stick.disk, partitionMap: 'none', volumes: [] }
  stick.bytes.set(left)
  return machine
}

const isImage = ({ bytes }: { readonly bytes: Uint8Array }) =>
  Buffer.compare(bytes.subarray(0, 4300 * 512), image.disk.subarray(0, 4300 * 512)) === 0

/** From the `nth` time on, so many connections fail: the first is the plan's. */
function failingFrom(
  machine: FakeMachine,
  { nth, times, code }: { readonly nth: number; readonly times: number; readonly code: NetworkCode },
) {
  const connect = machine.connectStream
  const calls = { count: 0 }
  machine.connectStream = async (...asked) => {
    calls.count += 1
    if (calls.count >= nth && calls.count < nth + times)
      throw new NetworkError(code, 'not now', {
        details: { address: 'lab', phase: 'control' },
        transient: code === 'E_NET',
      })
    if (connect === null) throw new Error('no streams')
    return await connect(...asked)
  }
  return calls
}

/** Blocks that the newer copy of the journal knows. */
const journalled = (disk: Uint8Array) =>
  Math.max(
    ...[128 * KiB, 576 * KiB].map((copy) =>
      disk
        .subarray(copy + 88, copy + 96)
        .reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0),
    ),
  )

/** The disk of a run that was killed when most of it was there, and a journal that said so. */
async function killedDisk(
  change: Partial<FakeStream> = {},
  request: Partial<RestoreRequest> = {},
): Promise<Uint8Array> {
  let left = new Uint8Array(0)
  const blocks = Math.ceil((change.bytes ?? image.bytes).length / (64 * KiB))
  const killed = bench({
    order: 'ascending',
    onTurn: async (handedOut) => {
      if (handedOut !== blocks - 4) return
      // All of the long raw run that lies behind the head; the last run isn't whole yet.
      await expect.poll(() => journalled(killed.stick.bytes)).toBe(8)
      left = Uint8Array.from(killed.stick.bytes)
    },
    ...change,
  })
  await restore(killed.machine, request, { journalMs: 5 })
  return left
}

const asked = (change: Partial<RestoreRequest> = {}): RestoreRequest =>
  restoreRequest({ source: 'asr://lab/spring', target: '/dev/sdb', ...change })

async function restore(
  machine: FakeMachine,
  change: Partial<RestoreRequest> = {},
  deps: Partial<RestoreDeps> = {},
  signal?: AbortSignal,
) {
  const all = Object.assign(machine, deps)
  const plan = await planRestore(asked(change), all)
  const context = quietContext(signal)
  const outcome = await runRestore(plan, all, context)
  return { plan, outcome, told: context.told, streams: context.streams }
}

const failure = (outcome: JobOutcome) =>
  outcome.kind === 'failed' ? { code: outcome.error.code, target: outcome.target } : outcome.kind

const problemsOf = async (machine: FakeMachine, change: Partial<RestoreRequest> = {}) => {
  const plan = await planRestore(asked(change), machine)
  return plan.checks.flatMap((check) => (check.kind === 'error' ? [check.error.code] : []))
}

describe('the plan of a restore from a stream', () => {
  it('tells what the stream brings, without joining it', async () => {
    const { machine, server } = bench()
    const plan = await planRestore(asked(), machine)
    expect(plan.refusal).toBeNull()
    expect(plan.source).toMatchObject({
      kind: 'stream',
      name: 'lab.dmg',
      locator: 'asr://lab/spring',
      image: { format: 'UDZO', sizeBytes: image.disk.length },
      stream: { session: 'lab', streamBytes: image.bytes.length },
    })
    expect(plan.checks).toContainEqual(
      expect.objectContaining({ kind: 'fits', neededBytes: image.disk.length, availableBytes: 4 * MiB }),
    )
    expect(plan.losses.map(({ name }) => name)).toEqual(['OLD', 'mbr'])
    expect(server.told).toEqual([])
    expect(server.fetched.length).toBeGreaterThan(0)
  })

  it('refuses a destination that is too small', async () => {
    expect(await problemsOf(bench({}, 3 * MiB).machine)).toEqual(['E_DST_SMALL'])
  })

  it('refuses to compare first, which would need the image to be here', async () => {
    expect(await problemsOf(bench().machine, { changedOnly: true })).toEqual(['E_UNSUPPORTED'])
  })

  it('refuses to verify what was never scanned, and restores it without', async () => {
    const unscanned = bench({ bytes: hashedUdif({ tables: [{ runs }] }, 32 * KiB).bytes })
    expect(await problemsOf(unscanned.machine)).toEqual(['E_SRC_NOSCAN'])
    expect(await problemsOf(unscanned.machine, { verify: false })).toEqual([])
  })

  it('says why there is no stream', async () => {
    const { machine } = bench()
    machine.connectStream = async () => {
      throw new NetworkError('E_MC_NOSESSION', 'no such session', {
        details: { address: 'lab', phase: 'control' },
      })
    }
    expect(await problemsOf(machine)).toEqual(['E_MC_NOSESSION'])
    expect(await problemsOf(machine, { source: 'asr://lab:99999/x' })).toEqual(['E_USAGE'])
  })

  it('refuses an interface to receive on that is none, before the question and again at the start', async () => {
    const { machine, server } = bench()
    const looked: (string | null | undefined)[] = []
    machine.connectStream = async (locator, options) => {
      looked.push(options.interface)
      if (looked.length === 2)
        throw new NetworkError('E_MC_IFACE', 'no such interface', {
          details: { address: 'nosuch0', phase: 'interface' },
        })
      return await server.connect(locator, { ...options, password: null, clientId: new Uint8Array(16) })
    }
    const plan = await planRestore(asked({ interface: 'nosuch0' }), machine)
    expect(plan.refusal).toBeNull()
    expect(failure(await runRestore(plan, machine, quietContext()))).toEqual({
      code: 'E_MC_IFACE',
      target: 'untouched',
    })
    expect(looked).toEqual(['nosuch0', 'nosuch0'])
    expect(machine.calls.filter((call) => call.startsWith('unmount'))).toEqual([])
  })

  it('is told of the image also where it is saved as it is; not of what is no image', async () => {
    const read = async ({ server }: ReturnType<typeof bench>) => {
      const signal = new AbortController().signal
      await using connection = await server.connect(parseStreamLocator('asr://lab')!, {
        password: null,
        clientId: new Uint8Array(16),
        log: silentLogger,
        signal,
      })
      return await readStreamImage(connection, 'asr://lab', signal)
    }
    expect(await read(bench())).toMatchObject({ name: 'lab.dmg', sizeBytes: image.disk.length })
    expect(await read(bench({ imageFormat: 'raw', bytes: image.disk }))).toMatchObject({
      format: 'raw',
      mapBlockBytes: 512,
    })
    expect(await read(bench({ bytes: noise(9, 300 * KiB) }))).toBeNull()
  })

  it('refuses a stream that is no image', async () => {
    expect(await problemsOf(bench({ bytes: noise(9, 300 * KiB) }).machine)).toEqual(['E_SRC_FORMAT'])
  })
})

describe('a restore from a stream', () => {
  it('ends as any other: verified, remounted, and the server is told', async () => {
    const { machine, stick, server } = bench()
    const { outcome, told } = await restore(machine)
    expect(outcome).toMatchObject({
      kind: 'done',
      summary: { restoredBytes: image.disk.length, verified: true, unchangedBytes: 0, warnings: [] },
    })
    expect(Buffer.compare(stick.bytes.subarray(0, 4300 * 512), image.disk.subarray(0, 4300 * 512))).toBe(0)
    expect(server.told.slice(-2)).toEqual(['verifying', 'done'])
    expect(told.filter((each) => typeof each === 'string')).toEqual([
      'validating-target ?',
      'validating-source ?',
      'validating-sizes ?',
      'unmounting ?',
      'skip erasing',
      `restoring ${image.disk.length}`,
      `verifying ${image.disk.length}`,
      'remounting ?',
    ])
  })

  it('holds as much as the buffers it was told have room for, and reads back with as many as it was told', async () => {
    const { machine, stick, server } = bench()
    const held: number[] = []
    const { io } = machine
    let [reads, most] = [0, 0]
    const deps = {
      io: {
        ...io,
        connectStream: async (locator: StreamLocator, options: Parameters<RestoreIo['connectStream']>[1]) => {
          const connection = await server.connect(locator, {
            ...options,
            password: null,
            clientId: new Uint8Array(16),
          })
          return {
            ...connection,
            receive(how: ReceiveOptions) {
              held.push(how.holdBytes)
              return connection.receive(how)
            },
          }
        },
        openDeviceSink: async (path: string) => {
          const sink = await io.openDeviceSink(path)
          const read: BlockSink['read'] = async (into, offset) => {
            most = Math.max(most, ++reads)
            await sink.read(into, offset)
            reads -= 1
          }
          return Object.assign(Object.create(sink) as BlockSink, { read })
        },
      },
    }
    const buffering = { ...noBuffering, buffers: 4, bufferBytes: 128 * KiB, csumBuffers: 1 }
    const { outcome } = await restore(machine, { buffering }, deps)
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true } })
    expect(isImage(stick)).toBe(true)
    expect(held).toEqual([512 * KiB])
    expect(most).toBe(1)
  })

  it('says before it receives that nothing will be verified', async () => {
    const { outcome, told } = await restore(bench().machine, { verify: false })
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: false } })
    expect(told.filter((each) => typeof each === 'string').slice(-4)).toEqual([
      'skip erasing',
      'skip verifying',
      `restoring ${image.disk.length}`,
      'remounting ?',
    ])
  })

  it('writes the head of the disk last, when all else was read back', async () => {
    const { machine, stick } = bench()
    await restore(machine)
    const writes = stick.events.filter((event) => event.startsWith('write '))
    // Whole but for its first block, and that last of all.
    expect(writes.slice(-2)).toEqual([`write 4096+${MiB - 4096}`, 'write 0+4096'])
    const before = writes.slice(0, -2).map((event) => Number(/\d+/.exec(event)?.[0]))
    expect(Math.min(...before)).toBeGreaterThanOrEqual(64 * KiB)
  })

  it('has touched nothing as long as the stream waits for its start', async () => {
    const { machine, stick } = bench({ started: new Promise(() => undefined) })
    const stop = new AbortController()
    const running = restore(machine, {}, {}, stop.signal)
    await expect.poll(() => stick.isOpen).toBe(true)
    stop.abort()
    const { outcome } = await running
    expect(outcome).toMatchObject({ kind: 'cancelled', target: 'untouched' })
    expect(stick.bytes.every((byte) => byte === 0xee)).toBe(true)
    expect(machine.calls).toContain('remount /dev/sdb: /media/old')
  })

  it('goes on where it was killed, and has the rest sent only', async () => {
    const { machine, stick, server } = benchWith(await killedDisk())
    const { outcome } = await restore(machine)
    expect(outcome.kind).toBe('done')
    const have = Number(/^have (\d+)$/.exec(server.told[1] ?? '')?.[1] ?? 0)
    expect(have).toBeGreaterThan(3)
    const written = server.told.filter((each) => each.startsWith('written'))
    expect(written).toHaveLength(Math.ceil(image.bytes.length / (64 * KiB)) - have)
    expect(isImage(stick)).toBe(true)
  })

  it('reads back what a killed run left even with --noverify: the disk may have been used since', async () => {
    const left = await killedDisk()
    // Somebody made partitions, used them, and wiped the map: the first MiB looks as it was.
    left.fill(0x55, MiB + 256 * KiB, MiB + 260 * KiB)
    const { machine, stick } = benchWith(left)
    const { outcome } = await restore(machine, { verify: false })
    expect(failure(outcome)).toEqual({ code: 'E_VERIFY', target: 'empty' })
    expect(stick.bytes.subarray(0, MiB).every((byte) => byte === 0)).toBe(true)
    const whole = benchWith(await killedDisk())
    expect((await restore(whole.machine, { verify: false })).outcome).toMatchObject({
      kind: 'done',
      summary: { verified: true },
    })
    expect(isImage(whole.stick)).toBe(true)
  })

  it('begins anew with --noverify where nothing could tell whether what a killed run left is right', async () => {
    const { bytes } = hashedUdif({ tables: [{ runs }] }, 32 * KiB)
    const left = await killedDisk({ bytes }, { verify: false })
    left.fill(0x55, MiB + 256 * KiB, MiB + 260 * KiB)
    const { machine, stick, server } = benchWith(left, { bytes })
    const { outcome } = await restore(machine, { verify: false })
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: false } })
    expect(server.told.filter((each) => each.startsWith('have'))).toEqual([])
    expect(isImage(stick)).toBe(true)
  })

  it('begins anew on a disk of which something was mounted since', async () => {
    const { machine, stick, server } = bench()
    stick.bytes.set(await killedDisk())
    const { outcome } = await restore(machine)
    expect(machine.calls).toContain('unmount /dev/sdb')
    expect(outcome.kind).toBe('done')
    expect(server.told.filter((each) => each.startsWith('have'))).toEqual([])
    expect(isImage(stick)).toBe(true)
  })

  it('begins anew in a file that was cut since', async () => {
    const { machine, server } = bench()
    const left = (await killedDisk()).slice(0, 2 * MiB)
    machine.addFile('/tmp/out.img', left)
    const { outcome } = await restore(machine, { target: '/tmp/out.img' })
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true } })
    expect(server.told.filter((each) => each.startsWith('have'))).toEqual([])
    expect(Buffer.compare(machine.files.get('/tmp/out.img')!.bytes, image.disk)).toBe(0)
  })

  it('leaves the disk empty when a write fails, and tells the server', async () => {
    const { machine, stick, server } = bench()
    stick.faults = {
      onWrite: ({ offset, count }) => {
        if (count === 6) throw ioError('E_IO_WRITE', '/dev/sdb', offset)
      },
    }
    const { outcome } = await restore(machine)
    expect(failure(outcome)).toEqual({ code: 'E_IO_WRITE', target: 'empty' })
    expect(server.told.at(-1)).toBe('failed E_IO_WRITE')
    expect(machine.calls.at(-1)).toContain('empty /dev/sdb')
  })

  it('lets go of the disk only when the journal is off it, however slow that is', async () => {
    const { machine, stick } = bench()
    const seen: boolean[] = []
    stick.faults = {
      onWrite: async ({ offset, count }) => {
        if (count === 6) throw ioError('E_IO_WRITE', '/dev/sdb', offset)
        // Nothing else is written there in this run.
        if (offset !== 128 * KiB) return
        await delay(600)
        seen.push(stick.isOpen)
      },
    }
    const { outcome } = await restore(machine, {}, { journalMs: 1e9 })
    expect(failure(outcome)).toEqual({ code: 'E_IO_WRITE', target: 'empty' })
    expect(seen).toEqual([true])
    expect(stick.events.filter((event) => event.startsWith('write ')).slice(-2)).toEqual([
      'write 131072+4096',
      'write 589824+4096',
    ])
    expect(stick.events.slice(-3)).toEqual(['flush', 'close', 'make-empty'])
  })

  it('lets go of the disk only when nothing is zeroed any more', async () => {
    const { machine, stick } = bench()
    const failed = Promise.withResolvers<void>()
    const seen: boolean[] = []
    stick.faults = {
      onWrite: ({ offset }) => {
        if (offset < MiB) return
        failed.resolve()
        throw ioError('E_IO_WRITE', '/dev/sdb', offset)
      },
      onZero: async ({ offset }) => {
        if (offset !== 3300 * 512) return
        await failed.promise
        await delay(600)
        seen.push(stick.isOpen)
      },
    }
    const { outcome } = await restore(machine)
    expect(failure(outcome)).toEqual({ code: 'E_IO_WRITE', target: 'empty' })
    expect(seen).toEqual([true])
  })

  it.each([
    ['its second look', 2, 'E_NET'],
    ['the last connection before it joins', 3, 'E_MC_NOSESSION'],
  ] as const)('waits for a server that restarts after the plan: %s', async (_, nth, code) => {
    const { machine, stick } = bench()
    failingFrom(machine, { nth, times: 2, code })
    const { outcome, streams } = await restore(machine)
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true } })
    // Whoever waits is told why.
    expect(streams.slice(0, 3)).toMatchObject([
      { state: 'connecting', blocks: 0 },
      { state: 'connecting', blocks: 0 },
      null,
    ])
    expect(isImage(stick)).toBe(true)
  })

  it('waits for such a server no longer than it may be without payload, and not to be refused', async () => {
    const late = bench()
    failingFrom(late.machine, { nth: 2, times: 1e6, code: 'E_NET' })
    const { outcome } = await restore(late.machine, { timeoutMs: 600 })
    expect(failure(outcome)).toEqual({ code: 'E_NET', target: 'untouched' })
    const refused = bench()
    const calls = failingFrom(refused.machine, { nth: 2, times: 1e6, code: 'E_MC_PASSWORD' })
    expect(failure((await restore(refused.machine)).outcome)).toEqual({
      code: 'E_MC_PASSWORD',
      target: 'untouched',
    })
    expect(calls.count).toBe(2)
  })

  it('is cancelled while it waits for a server that restarts', async () => {
    const { machine } = bench()
    const calls = failingFrom(machine, { nth: 3, times: 1e6, code: 'E_NET' })
    const stop = new AbortController()
    const running = restore(machine, {}, {}, stop.signal)
    await expect.poll(() => calls.count).toBeGreaterThan(2)
    stop.abort()
    expect((await running).outcome).toMatchObject({ kind: 'cancelled', target: 'untouched' })
    expect(machine.calls).toContain('remount /dev/sdb: /media/old')
  })

  it('keeps what came when the server is gone for good, and goes on with it later', async () => {
    const lost = new NetworkError('E_MC_TIMEOUT', 'silence', {
      details: { address: 'lab', phase: 'receiving' },
    })
    const first = bench({
      order: 'ascending',
      onTurn: async (handedOut) => {
        if (handedOut !== 33) return
        await expect.poll(() => journalled(first.stick.bytes)).toBe(8)
        throw lost
      },
    })
    const { outcome } = await restore(first.machine, {}, { journalMs: 5 })
    expect(failure(outcome)).toEqual({ code: 'E_MC_TIMEOUT', target: 'kept' })
    expect(first.machine.calls.join()).not.toContain('make-empty')
    expect(first.stick.bytes.subarray(0, 64 * KiB).every((byte) => byte === 0)).toBe(true)
    // Nobody can mount what was on it before.
    expect(first.machine.calls.at(-1)).toBe('reread /dev/sdb')
    const second = benchWith(first.stick.bytes)
    expect((await restore(second.machine)).outcome.kind).toBe('done')
    expect(second.server.told[1]).toMatch(/^have \d+$/)
  })

  it.each([
    ['keeps what came when the computer goes down, and goes on with it later', new Interruption(), 'kept'],
    ['leaves the disk empty when a person stops it', undefined, 'empty'],
  ] as const)('%s', async (_, reason, target) => {
    const stop = new AbortController()
    const first = bench({
      order: 'ascending',
      onTurn: async (handedOut) => {
        if (handedOut !== 33) return
        await expect.poll(() => journalled(first.stick.bytes)).toBe(8)
        stop.abort(reason)
      },
    })
    const { outcome } = await restore(first.machine, {}, { journalMs: 5 }, stop.signal)
    expect(outcome).toMatchObject({ kind: 'cancelled', target })
    const second = benchWith(first.stick.bytes)
    expect((await restore(second.machine)).outcome.kind).toBe('done')
    expect(second.server.told.some((each) => each.startsWith('have'))).toBe(target === 'kept')
  })

  it('keeps nothing that nothing could tell of later', async () => {
    const stop = new AbortController()
    const first = bench({
      order: 'ascending',
      bytes: hashedUdif({ tables: [{ runs }] }, 32 * KiB).bytes,
      onTurn: async (handedOut) => {
        if (handedOut !== 33) return
        await expect.poll(() => journalled(first.stick.bytes)).toBe(8)
        stop.abort(new Interruption())
      },
    })
    const { outcome } = await restore(first.machine, { verify: false }, { journalMs: 5 }, stop.signal)
    expect(outcome).toMatchObject({ kind: 'cancelled', target: 'empty' })
  })

  it('fails the verify of a disk that lies, and says where', async () => {
    const { machine, stick, server } = bench()
    const at = 2 * MiB - 700 * KiB
    stick.faults = {
      lie: (bytes, offset) => {
        if (at >= offset && at < offset + bytes.length) bytes[at - offset]! ^= 1
      },
    }
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      kind: 'failed',
      target: 'empty',
      error: {
        code: 'E_VERIFY',
        details: { differingBlocks: 1, blockBytes: 64 * KiB, offset: at - (at % (64 * KiB)) },
      },
    })
    // 2150 to 2900 of 3584 KiB are unused: that was never read.
    const parts = outcome.kind === 'failed' ? String(outcome.error.details['parts']) : ''
    expect(parts).toMatch(/^[.x-]{30} {10}\.{10}$/)
    expect(server.told.at(-1)).toBe('failed E_VERIFY')
  })

  it('is another matter when the server streams another image by the time it starts', async () => {
    const { machine, stick } = bench()
    const plan = await planRestore(asked(), machine)
    const other = fakeStreamServer({
      bytes: hashedUdif({ tables: [{ runs: runs.slice(1) }] }).bytes,
      blockBytes: 64 * KiB,
      imageName: 'lab.dmg',
      imageFormat: 'UDZO',
      seed: 1,
      order: 'late',
    })
    machine.connectStream = (locator, options) =>
      other.connect(locator, { ...options, password: null, clientId: new Uint8Array(16) })
    const outcome = await runRestore(plan, machine, quietContext())
    expect(failure(outcome)).toEqual({ code: 'E_SRC_CHANGED', target: 'untouched' })
    expect(stick.bytes.every((byte) => byte === 0xee)).toBe(true)
  })

  it('refuses a run that is not what its codec says, though its block’s hash is right', async () => {
    const damaged = noise(7, 200 * KiB)
    const bad = hashedUdif({
      tables: [
        { runs: [...runs.slice(0, 2), { kind: 'zlib', sectors: 900, stored: damaged }, ...runs.slice(2, 3)] },
      ],
    })
    const { machine } = bench({ bytes: bad.bytes })
    const { outcome } = await restore(machine)
    expect(outcome).toMatchObject({
      kind: 'failed',
      target: 'empty',
      error: { code: 'E_SRC_CORRUPT', details: { diskOffset: 1400 * 512 } },
    })
  })

  it('restores a raw stream into a file, with holes for zeros', async () => {
    const { machine } = bench({ bytes: image.disk, imageFormat: 'raw', imageName: 'sda', order: 'shuffled' })
    const { outcome } = await restore(machine, { target: '/tmp/out.img' })
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true } })
    expect(Buffer.compare(machine.files.get('/tmp/out.img')!.bytes, image.disk)).toBe(0)
  })
})
