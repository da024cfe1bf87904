/**
 * A disk as a UDIF image: cut into tables and runs, compressed on all cores, written in order.
 *
 * Runs are filled into slots, compressed in any order, and written in the order of the disk. The slots are all there is
 * for them: when none is free, the oldest run is waited for and written, and that is what holds the source back.
 */
import { crc32 } from 'node:zlib'
import type { CompressedKind } from '#engine/formats/codecs'
import { UdifWriter, type PlannedTable, type UdifTarget } from '#engine/formats/udif'
import { appendZeros } from '#engine/pipeline'
import type { RunKind } from '#shared/model'
import { sectorBytes } from '#shared/units'
import type { DiskItem } from './disk-stream.ts'
import { EncoderPool } from './encoder-pool.ts'

/** What hdiutil writes today. Larger runs gain little and cost every reader memory. */
export const runBytes = 1024 * 1024
/**
 * What a thread takes with its slots: a JavaScript engine, the codec's tables, and for the codecs that are checked those
 * of the decoder. Measured, in MiB. All threads together stay within a budget, whatever the number of processors.
 */
const threadMiB: { readonly [kind in CompressedKind]: number } = {
  zlib: 27,
  adc: 36,
  lzma: 42,
  lzfse: 50,
  bzip2: 75,
}
const budgetMiB = 160

/** How many threads compress. */
export function countEncoders(kind: CompressedKind, cores: number): number {
  return Math.max(1, Math.min(cores, Math.floor(budgetMiB / threadMiB[kind])))
}

export interface UdifImageOptions {
  readonly tables: readonly PlannedTable[]
  readonly hasPartitionMap: boolean
  /** Null: runs are stored as they are. */
  readonly codec: { readonly kind: CompressedKind; readonly level: number } | null
  readonly cores: number
  readonly signal: AbortSignal
  /** Called with the bytes of the disk that are done. */
  readonly advance: (doneBytes: number) => void
}

/** Write `items`, the whole disk in order, into `file`. Resolves to the sizes of the disk and of the file. */
export async function writeUdifImage(
  items: AsyncIterable<DiskItem>,
  file: UdifTarget,
  options: UdifImageOptions,
): Promise<{ readonly sizeBytes: number; readonly storedBytes: number }> {
  const { codec, signal } = options
  await using pool =
    codec === null
      ? null
      : new EncoderPool({ ...codec, runBytes, signal, workers: countEncoders(codec.kind, options.cores) })
  const cutter = new Cutter(new UdifWriter(file), pool, options)
  for await (const item of items) {
    await cutter.add(item)
    options.advance(item.offset + item.lengthBytes)
    signal.throwIfAborted()
  }
  return await cutter.finish()
}

/** Things to write, in order; the first may have to be waited for. */
type Step = () => Promise<void>

class Cutter {
  readonly #writer: UdifWriter
  readonly #pool: EncoderPool | null
  readonly #options: UdifImageOptions
  readonly #steps: Step[] = []
  readonly #free: Slot[]
  readonly #kind: RunKind
  /** The run that is being filled. */
  #slot: Slot | null = null
  #filled = 0
  #at = 0
  #table = -1
  #tableEnd = 0
  #tableCrc = 0

  constructor(writer: UdifWriter, pool: EncoderPool | null, options: UdifImageOptions) {
    this.#writer = writer
    this.#pool = pool
    this.#options = options
    this.#kind = options.codec?.kind ?? 'raw'
    this.#free =
      pool === null
        ? [{ index: 0, room: new Uint8Array(runBytes) }]
        : Array.from({ length: pool.slots }, (_, index) => ({ index, room: pool.room(index) }))
  }

  async add({ kind, bytes, lengthBytes }: DiskItem): Promise<void> {
    for (let done = 0; done < lengthBytes;) {
      if (this.#at === this.#tableEnd) this.#nextTable()
      const count = Math.min(lengthBytes - done, this.#tableEnd - this.#at)
      if (bytes === null) this.#addHole(kind === 'unused' ? 'ignore' : 'zero', count)
      else await this.#addData(bytes.subarray(done, done + count))
      done += count
    }
  }

  async finish(): Promise<{ sizeBytes: number; storedBytes: number }> {
    // A compressed stream may end inside a sector.
    const missing = (sectorBytes - (this.#at % sectorBytes)) % sectorBytes
    if (missing > 0) await this.#addData(new Uint8Array(missing))
    if (this.#table === -1) this.#nextTable()
    // The map of a disc that ends before its last partition does is the disc's own affair.
    this.#endTable({ endsDisk: true })
    while (this.#steps.length > 0) await this.#writeOldest()
    const { hasPartitionMap } = this.#options
    return { sizeBytes: this.#at, storedBytes: await this.#writer.finish({ hasPartitionMap }) }
  }

  #addHole(kind: 'zero' | 'ignore', lengthBytes: number): void {
    this.#endRun()
    if (kind === 'zero') this.#tableCrc = appendZeros(this.#tableCrc, lengthBytes)
    this.#at += lengthBytes
    this.#steps.push(() => this.#writer.addRun(kind, lengthBytes / sectorBytes, null))
  }

  async #addData(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      while (this.#slot === null) {
        this.#slot = this.#free.pop() ?? null
        if (this.#slot === null) await this.#writeOldest()
      }
      const part = bytes.subarray(done, done + runBytes - this.#filled)
      this.#slot.room.set(part, this.#filled)
      this.#filled += part.length
      this.#at += part.length
      done += part.length
      if (this.#filled === runBytes) this.#endRun()
    }
  }

  /** The run that is being filled is complete: have it compressed, and written when its turn comes. */
  #endRun(): void {
    const slot = this.#slot
    if (slot === null || this.#filled === 0) return
    const run = slot.room.subarray(0, this.#filled)
    const sectors = run.length / sectorBytes
    this.#slot = null
    this.#filled = 0
    this.#tableCrc = crc32(run, this.#tableCrc)
    if (isZero(run)) {
      this.#free.push(slot)
      this.#steps.push(() => this.#writer.addRun('zero', sectors, null))
      return
    }
    const encoding = this.#pool?.encode(slot.index, run.length) ?? Promise.resolve(null)
    // Its turn comes later, or never when something before it fails.
    encoding.catch(() => undefined)
    this.#steps.push(async () => {
      const stored = await encoding
      await this.#writer.addRun(stored === null ? 'raw' : this.#kind, sectors, stored ?? run)
      this.#free.push(slot)
    })
  }

  #nextTable(): void {
    this.#endTable()
    this.#table += 1
    const plan = this.#options.tables[this.#table]
    if (plan === undefined) throw new RangeError('the tables end before the disk does')
    this.#tableEnd =
      plan.sectorCount === null ? Infinity : (plan.firstSector + plan.sectorCount) * sectorBytes
    this.#steps.push(async () => this.#writer.beginTable(plan))
  }

  #endTable({ endsDisk = false } = {}): void {
    this.#endRun()
    if (this.#table === -1) return
    const checksum = this.#tableCrc
    this.#tableCrc = 0
    this.#steps.push(async () => this.#writer.endTable(checksum, { endsDisk }))
  }

  async #writeOldest(): Promise<void> {
    await this.#steps.shift()?.()
  }
}

interface Slot {
  readonly index: number
  readonly room: Uint8Array
}

const zeros = Buffer.alloc(runBytes)

/** Data that is all zeros comes where it is too short to be told as a hole. */
function isZero(run: Uint8Array): boolean {
  return zeros.compare(run, 0, run.length, 0, run.length) === 0
}
