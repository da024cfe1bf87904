/**
 * A disk in memory that fails where it is told to, spoken as NBD over a Unix socket. Runs as a worker thread of
 * faulty-disk.ts, so that a test that blocks its own thread doesn't block its disk. Nothing but Node in here: a worker
 * is started by Node itself, without the test runner's resolution.
 *
 * Protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md (fixed newstyle, simple replies).
 */
import { createServer, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

/** What goes wrong. Offsets in bytes of the disk. Requests are what the kernel sends: a big write may be several. */
export interface Faults {
  /** That many write requests succeed; each one after fails with EIO. */
  readonly failWritesAfter?: number
  /** Writes (and zeroing) that reach this offset or beyond fail with EIO. */
  readonly failWritesFrom?: number
  readonly failReadsFrom?: number
  /** Reads and writes that touch this byte fail with EIO. */
  readonly failAtOffset?: number
  /** Reads that touch one of these bytes fail with EIO; writes succeed. */
  readonly failReadsAt?: readonly number[]
  /** The byte here reads back with its lowest bit flipped: the medium lies. */
  readonly flipBitAt?: number
  /** Writes from here on are taken and forgotten: a stick that claims more than it has. */
  readonly forgetWritesFrom?: number
  /** Answer no request until the faults are set anew. */
  readonly stall?: boolean
}

export type ToServer = { readonly kind: 'faults'; readonly faults: Faults } | { readonly kind: 'vanish' }
export type FromServer =
  | { readonly kind: 'listening' | 'done' }
  | { readonly kind: 'counts'; readonly reads: number; readonly writes: number }

const { socketPath, sizeBytes } = workerData as {
  readonly socketPath: string
  readonly sizeBytes: number
}

const PAGE = 65_536
const EIO = 5
const pages = new Map<number, Buffer>()
let faults: Faults = {}
let gone = false
let reads = 0
let writes = 0
let stalled: (() => void)[] = []

const touches = (offset: number, length: number, byte: number | undefined) =>
  byte !== undefined && byte >= offset && byte < offset + length

function* pieces(offset: number, length: number) {
  for (let at = offset; at < offset + length;) {
    const inPage = at % PAGE
    const count = Math.min(PAGE - inPage, offset + length - at)
    yield { page: Math.floor(at / PAGE), inPage, count, done: at - offset }
    at += count
  }
}

function readDisk(offset: number, length: number): Buffer | null {
  reads += 1
  if (faults.failReadsFrom !== undefined && offset + length > faults.failReadsFrom) return null
  if (touches(offset, length, faults.failAtOffset)) return null
  if (faults.failReadsAt?.some((byte) => touches(offset, length, byte)) === true) return null
  const bytes = Buffer.alloc(length)
  for (const { page, inPage, count, done } of pieces(offset, length))
    pages.get(page)?.copy(bytes, done, inPage, inPage + count)
  const lie = faults.flipBitAt
  if (lie !== undefined && touches(offset, length, lie)) bytes[lie - offset] = (bytes[lie - offset] ?? 0) ^ 1
  return bytes
}

/** `bytes` null: zeros. */
function writeDisk(offset: number, length: number, bytes: Buffer | null): boolean {
  writes += 1
  if (faults.failWritesAfter !== undefined && writes > faults.failWritesAfter) return false
  if (faults.failWritesFrom !== undefined && offset + length > faults.failWritesFrom) return false
  if (touches(offset, length, faults.failAtOffset)) return false
  for (const { page, inPage, count, done } of pieces(offset, length)) {
    if (faults.forgetWritesFrom !== undefined && offset + done >= faults.forgetWritesFrom) break
    let target = pages.get(page)
    if (target === undefined) {
      if (bytes === null) continue
      target = Buffer.alloc(PAGE)
      pages.set(page, target)
    }
    if (bytes === null) target.fill(0, inPage, inPage + count)
    else bytes.copy(target, inPage, done, done + count)
  }
  return true
}

const u16 = (value: number) => Buffer.of(value >> 8, value & 255)
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

// HAS_FLAGS | SEND_FLUSH | SEND_TRIM | SEND_WRITE_ZEROES
const transmissionFlags = 1 | 4 | 32 | 64

async function* exactly(socket: Socket): AsyncGenerator<Buffer, void, number> {
  let held: Buffer = Buffer.alloc(0)
  let wanted = yield Buffer.alloc(0)
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.length >= wanted) {
      const bytes = held.subarray(0, wanted)
      held = held.subarray(wanted)
      wanted = yield bytes
    }
  }
}

async function serve(socket: Socket): Promise<void> {
  const input = exactly(socket)
  await input.next(0)
  const take = async (length: number): Promise<Buffer> => {
    if (length === 0) return Buffer.alloc(0)
    const next = await input.next(length)
    if (next.done === true) throw new Error('the client left')
    return next.value
  }
  socket.write(Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), u16(1 | 2)]))
  await take(4)
  for (let negotiating = true; negotiating;) {
    const header = await take(16)
    const option = header.readUInt32BE(8)
    await take(header.readUInt32BE(12))
    const reply = (type: number, data: Buffer) =>
      socket.write(Buffer.concat([u64(0x3e889045565a9n), u32(option), u32(type), u32(data.length), data]))
    const exportInfo = Buffer.concat([u64(BigInt(sizeBytes)), u16(transmissionFlags)])
    if (option === 1) {
      socket.write(exportInfo)
      negotiating = false
    } else if (option === 6 || option === 7) {
      reply(3, Buffer.concat([u16(0), exportInfo]))
      reply(1, Buffer.alloc(0))
      negotiating = option === 6
    } else if (option === 2) {
      reply(1, Buffer.alloc(0))
      return
    } else {
      reply(0x8000_0001, Buffer.alloc(0))
    }
  }
  for (;;) {
    const header = await take(28)
    const type = header.readUInt16BE(6)
    const cookie = header.subarray(8, 16)
    const offset = Number(header.readBigUInt64BE(16))
    const length = header.readUInt32BE(24)
    const data = type === 1 ? await take(length) : null
    if (type === 2) return
    if (faults.stall === true && !gone) await new Promise<void>((go) => stalled.push(go))
    const answer = (error: number, bytes: Buffer = Buffer.alloc(0)) =>
      socket.write(Buffer.concat([u32(0x67446698), u32(error), cookie, bytes]))
    if (gone) {
      answer(EIO)
    } else if (type === 0) {
      const bytes = readDisk(offset, length)
      if (bytes === null) answer(EIO)
      else answer(0, bytes)
    } else if (type === 1 || type === 4 || type === 6) {
      answer(writeDisk(offset, length, data) ? 0 : EIO)
    } else {
      answer(0)
    }
  }
}

const server = createServer((socket) => {
  socket.on('error', () => undefined)
  serve(socket)
    .catch(() => undefined)
    .finally(() => socket.destroy())
})

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origins
const tell = (message: FromServer) => parentPort?.postMessage(message)

function wake(): void {
  const waiting = stalled
  stalled = []
  for (const go of waiting) go()
}

parentPort?.on('message', (message: ToServer) => {
  const counts: FromServer = { kind: 'counts', reads, writes }
  if (message.kind === 'vanish') {
    // Not by closing the connection: what nbdfuse then says to the kernel differs from one request to the next.
    gone = true
    wake()
  } else {
    faults = message.faults
    reads = 0
    writes = 0
    if (faults.stall !== true) wake()
  }
  // Only now: the other thread may write as soon as it hears of it.
  tell(counts)
})
server.listen(socketPath, () => tell({ kind: 'listening' }))
