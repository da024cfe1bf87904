/**
 * Writes a UDIF image in one pass and bounded memory, as `hdiutil convert` lays it out (docs/formats/udif.md §9):
 *
 *     0                 data fork: the stored bytes of all runs, in the order of the disk, nothing between them
 *     its length        plist: a blkx table for each element of the partition map, and the plst that Apple adds
 *     - 512             koly: segment 1 of 1 with an ID of its own, CRC-32 of the data fork, master checksum
 *
 * Whoever calls tells tables one after another, and within each its runs one after another; runs are encoded already. Of
 * the disk's bytes only the checksum is needed, which the caller knows best: it sees zeros as stretches and leaves
 * ignored ones out. Kept until the end are 40 bytes a run: with runs of 1 MiB, 40 MB for a disk of 1 TiB.
 *
 * Must never: write before what it has written (the target may be a stream one day), or hold a run's bytes.
 */
import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { BlockSink } from '#engine/block-io'
import { invariant, UsageError } from '#shared/errors'
import type { RunKind } from '#shared/model'
import { checksumTypes } from './checksum.ts'
import { kolyBytes, kolyStruct } from './koly.ts'
import { listBytesOf, mostListBytes } from './list-size.ts'
import { masterChecksumOf } from './master-checksum.ts'
import { chunkRunStruct, mishStruct, runTypes, terminatorRun } from './mish.ts'
import type { PlannedTable } from './plan-tables.ts'
import { resourcePlist } from './write-resources.ts'

/** What hdiutil adds to the sectors of the largest run for the mish's buffersNeeded. */
const bufferSlackSectors = 8
const runsInPiece = 4096
const runBytes = chunkRunStruct.sizeBytes
/** Text of the plist is written in pieces of about this. */
const pieceBytes = 1024 * 1024

interface Table {
  readonly plan: PlannedTable
  readonly runs: RunList
  sectorCount: number
  largestRun: number
  checksum: Uint8Array
}

export interface UdifTarget extends Pick<BlockSink, 'write'> {
  /** Called when the data fork is complete: what follows is the list and the trailer. */
  endData?(): void
}

export class UdifWriter {
  readonly #file: UdifTarget
  readonly #tables: Table[] = []
  readonly #mostListBytes: number
  #runs = 0
  #dataBytes = 0
  #dataCrc = 0

  /** `file` is written from its byte 0 on, one write after another. `mostListBytes`: for tests; default: what is read. */
  constructor(file: UdifTarget, options: { readonly mostListBytes?: number } = {}) {
    this.#file = file
    this.#mostListBytes = options.mostListBytes ?? mostListBytes
  }

  /** The data fork so far. */
  get storedBytes(): number {
    return this.#dataBytes
  }

  beginTable(plan: PlannedTable): void {
    this.#tables.push({ plan, runs: new RunList(), sectorCount: 0, largestRun: 0, checksum: u32(0) })
  }

  /**
   * The table's next `sectors`. `stored` null for zero and ignore runs. Rejects with what writing throws; UsageError E_UNSUPPORTED for so
   * many runs that nobody could read their list.
   */
  async addRun(kind: RunKind, sectors: number, stored: Uint8Array | null): Promise<void> {
    const table = this.#table
    invariant((stored === null) === (kind === 'zero' || kind === 'ignore'), 'a run has bytes, or it has none')
    this.#runs += 1
    // Each table has one more at its end.
    const tables = this.#tables.length
    if (listBytesOf({ tables, runs: this.#runs + tables }) > this.#mostListBytes) throw tooManyRuns()
    table.runs.add({
      type: runTypes[kind],
      startSector: table.sectorCount,
      sectorCount: sectors,
      compOffset: this.#dataBytes,
      compLength: stored?.length ?? 0,
    })
    table.sectorCount += sectors
    if (stored === null) return
    if (kind !== 'raw') table.largestRun = Math.max(table.largestRun, sectors)
    this.#dataCrc = crc32(stored, this.#dataCrc)
    const at = this.#dataBytes
    this.#dataBytes += stored.length
    await this.#file.write(stored, at)
  }

  /**
   * The table is complete; `checksum` is the CRC-32 of its sectors, ignored ones left out. `endsDisk`: there is no more of the disk, and
   * the table may be shorter than planned.
   */
  endTable(checksum: number, { endsDisk = false } = {}): void {
    const table = this.#table
    const { sectorCount } = table.plan
    invariant(
      endsDisk || sectorCount === null || sectorCount === table.sectorCount,
      'a table got other sectors than planned',
    )
    table.checksum = u32(checksum)
    table.runs.add({
      type: terminatorRun,
      startSector: table.sectorCount,
      sectorCount: 0,
      compOffset: this.#dataBytes,
      compLength: 0,
    })
  }

  /** All tables are there: write plist and trailer. Resolves to the length of the file. */
  async finish({ hasPartitionMap }: { readonly hasPartitionMap: boolean }): Promise<number> {
    this.#file.endData?.()
    const xmlOffset = this.#dataBytes
    const xmlEnd = await this.#writePlist(xmlOffset)
    const master = u32(masterChecksumOf(this.#tables.map(({ checksum }) => ({ mish: { checksum } }))))
    const koly = kolyStruct.encode({
      signature: 'koly',
      version: 4,
      headerSize: kolyBytes,
      flags: 1,
      dataForkLength: this.#dataBytes,
      segmentNumber: 1,
      segmentCount: 1,
      segmentID: randomUUID(),
      dataChecksumType: checksumTypes.crc32,
      dataChecksumBits: 32,
      dataChecksum: u32(this.#dataCrc),
      xmlOffset,
      xmlLength: xmlEnd - xmlOffset,
      masterChecksumType: checksumTypes.crc32,
      masterChecksumBits: 32,
      masterChecksum: master,
      imageVariant: hasPartitionMap ? 1 : 2,
      sectorCount: this.#tables.reduce((sum, table) => sum + table.sectorCount, 0),
    })
    await this.#file.write(koly, xmlEnd)
    return xmlEnd + koly.length
  }

  async #writePlist(start: number): Promise<number> {
    const blkx = this.#tables.map((table) => ({
      type: 'blkx' as const,
      id: table.plan.id,
      name: table.plan.name,
      data: tableBytes(table),
    }))
    let at = start
    let text = ''
    const write = async () => {
      const bytes = Buffer.from(text)
      text = ''
      await this.#file.write(bytes, at)
      at += bytes.length
    }
    for (const piece of resourcePlist([...blkx, { type: 'plst', id: 0, name: '', data: [plst()] }])) {
      text += piece
      if (text.length >= pieceBytes) await write()
    }
    await write()
    return at
  }

  get #table(): Table {
    const table = this.#tables.at(-1)
    invariant(table !== undefined, 'a run belongs to a table')
    return table
  }
}

function* tableBytes({ plan, runs, sectorCount, largestRun, checksum }: Table): Generator<Uint8Array> {
  yield mishStruct.encode({
    signature: 'mish',
    version: 1,
    firstSector: plan.firstSector,
    sectorCount,
    buffersNeeded: largestRun === 0 ? 0 : largestRun + bufferSlackSectors,
    blockDescriptor: plan.descriptor,
    checksumType: checksumTypes.crc32,
    checksumBits: 32,
    checksum,
    chunkCount: runs.count,
  })
  yield* runs.pieces()
}

/** Runs as they will be stored, in pieces that grow by what is needed. */
class RunList {
  readonly #pieces: Uint8Array[] = []
  count = 0

  add(run: Parameters<typeof chunkRunStruct.encode>[0]): void {
    const place = this.count % runsInPiece
    // Most tables have a handful of runs.
    if (place === 0) this.#pieces.push(new Uint8Array((this.count === 0 ? 16 : runsInPiece) * runBytes))
    let piece = this.#pieces.at(-1) ?? new Uint8Array(0)
    if ((place + 1) * runBytes > piece.length) {
      const grown = new Uint8Array(runsInPiece * runBytes)
      grown.set(piece)
      this.#pieces[this.#pieces.length - 1] = grown
      piece = grown
    }
    piece.set(chunkRunStruct.encode(run), place * runBytes)
    this.count += 1
  }

  *pieces(): Generator<Uint8Array> {
    let left = this.count * runBytes
    for (const piece of this.#pieces) {
      yield piece.subarray(0, Math.min(left, piece.length))
      left -= piece.length
    }
  }
}

/** The partition list that Apple's tools add: 1032 bytes of which two are ones in every image seen. */
function plst(): Uint8Array {
  const bytes = new Uint8Array(1032)
  bytes[517] = 1
  bytes[519] = 1
  return bytes
}

function tooManyRuns(): UsageError {
  const problem = 'The disk has more data than a UDIF image can list.'
  const hint = 'Write a sparse bundle (UDSB) instead.'
  return new UsageError('E_UNSUPPORTED', problem, { details: { input: 'format', problem, hint } })
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
