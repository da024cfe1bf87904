/**
 * Where in a stream the runs of an image lie, block by block: the map from what comes to what can be decoded and written.
 * Compressed runs are decoded whole, so one that reaches over the end of a block waits for the next; raw ones are written
 * as they come.
 */
import { kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { FormatError } from '#shared/errors'

/** Stored bytes that become bytes of the disk: a compressed run, or a part of a raw one. */
export interface StoredPiece {
  /** Index into `runKinds`. */
  readonly kind: number
  /** In the stream. */
  readonly at: number
  /** Of a raw piece at the end of a disk, fewer than `diskBytes`: the rest is zeros. */
  readonly storedBytes: number
  readonly diskOffset: number
  readonly diskBytes: number
}

/** What the pipeline takes, too. */
const runLimitBytes = 64 * 1024 * 1024
const storedLimitBytes = runLimitBytes + 1024 * 1024

export interface StreamShape {
  readonly sizeBytes: number
  readonly blockBytes: number
}

export class StreamRuns {
  readonly blocks: number
  readonly blockBytes: number
  /** Rows that hold something, by their place in the stream. */
  readonly count: number
  /** Of the largest compressed run, on the disk and in the stream; 0 where there is none. */
  readonly largestRun: number = 0
  readonly largestStored: number = 0
  /** Bytes of the disk that come with the stream. */
  readonly dataBytes: number = 0
  readonly #layout: ExtentLayout
  readonly #rows: Uint32Array
  /** What is added to a row's stored offset to get its place in the stream. */
  readonly #shift: number

  /**
   * Throws FormatError E_SRC_CORRUPT for runs that lie outside the stream, over one another, or are larger than any memory for
   * them.
   */
  constructor(layout: ExtentLayout, { sizeBytes, blockBytes }: StreamShape, path: string) {
    const [part, another] = layout.parts
    const { extents } = layout
    this.#layout = layout
    this.blockBytes = blockBytes
    this.blocks = Math.ceil(sizeBytes / blockBytes)
    this.#shift = part === undefined ? 0 : part.fileOffset - part.streamOffset
    const problem = (row: number, field: string, found: number, expected: string) =>
      new FormatError('E_SRC_CORRUPT', `${path}: a run can't be received: ${field} ${found}`, {
        details: {
          format: 'udif',
          field,
          offset: extents.storedOffset[row] ?? 0,
          found,
          expected,
          diskOffset: extents.diskOffset[row] ?? 0,
          path,
        },
      })
    if (another !== undefined) throw problem(0, 'koly.segmentCount', layout.parts.length, 'one file')

    this.#rows = rowsInOrder(layout)
    this.count = this.#rows.length
    let end = 0
    for (const row of this.#rows) {
      const stored = extents.storedBytes[row] ?? 0
      const disk = extents.diskBytes[row] ?? 0
      const start = (extents.storedOffset[row] ?? 0) + this.#shift
      if (part === undefined || stored === 0) throw problem(row, 'compLength', stored, 'stored bytes')
      if (start < end) throw problem(row, 'compOffset', start, 'bytes that no other run has')
      end = start + stored
      if (end > sizeBytes) throw problem(row, 'compLength', end, `at most ${sizeBytes}`)
      this.dataBytes += disk
      if (extents.kind[row] === kindIndex.raw) continue
      if (disk > runLimitBytes) throw problem(row, 'sectorCount', disk, `at most ${runLimitBytes}`)
      if (stored > storedLimitBytes) throw problem(row, 'compLength', stored, `at most ${storedLimitBytes}`)
      this.largestRun = Math.max(this.largestRun, disk)
      this.largestStored = Math.max(this.largestStored, stored)
    }
  }

  startOf(block: number): number {
    return block * this.blockBytes
  }

  /** All of run `index`. */
  run(index: number): StoredPiece {
    const { extents } = this.#layout
    const row = this.#rows[index] ?? 0
    return {
      kind: extents.kind[row] ?? 0,
      at: (extents.storedOffset[row] ?? 0) + this.#shift,
      storedBytes: extents.storedBytes[row] ?? 0,
      diskOffset: extents.diskOffset[row] ?? 0,
      diskBytes: extents.diskBytes[row] ?? 0,
    }
  }

  /** The runs, by index, that have a byte in `block`: from the first to before the second. */
  within(block: number): readonly [number, number] {
    const from = this.startOf(block)
    const first = this.#firstEndingAfter(from)
    let end = first
    while (end < this.count && this.run(end).at < from + this.blockBytes) end++
    return [first, end]
  }

  /** Blocks that hold a byte of run `index`: the first and the last. */
  span(index: number): readonly [number, number] {
    return this.#blocksOf(this.run(index))
  }

  /** It has to be decoded, and begins in a block before the one it ends in. */
  isSpanning(index: number): boolean {
    const run = this.run(index)
    const [first, last] = this.#blocksOf(run)
    return run.kind !== kindIndex.raw && first < last
  }

  /** The part of raw run `index` that `block` brings. */
  rawPart(index: number, block: number): StoredPiece {
    const run = this.run(index)
    const from = Math.max(run.at, this.startOf(block))
    const to = Math.min(run.at + run.storedBytes, this.startOf(block) + this.blockBytes)
    const skipped = from - run.at
    const isLast = to === run.at + run.storedBytes
    return {
      kind: run.kind,
      at: from,
      storedBytes: to - from,
      diskOffset: run.diskOffset + skipped,
      diskBytes: isLast ? run.diskBytes - skipped : to - from,
    }
  }

  /** Blocks with something of the first `headBytes` of the disk: a byte each, 1 where it is so. */
  blocksOfHead(headBytes: number): Uint8Array {
    const marked = new Uint8Array(this.blocks)
    for (let index = 0; index < this.count; index++) {
      const run = this.run(index)
      if (run.diskOffset >= headBytes) continue
      const storedBytes =
        run.kind === kindIndex.raw ? Math.min(run.storedBytes, headBytes - run.diskOffset) : run.storedBytes
      const [first, last] = this.#blocksOf({ at: run.at, storedBytes })
      marked.fill(1, first, last + 1)
    }
    return marked
  }

  #blocksOf({ at, storedBytes }: Pick<StoredPiece, 'at' | 'storedBytes'>): readonly [number, number] {
    return [Math.floor(at / this.blockBytes), Math.floor((at + storedBytes - 1) / this.blockBytes)]
  }

  #firstEndingAfter(offset: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const { at, storedBytes } = this.run(middle)
      if (at + storedBytes > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Rows with stored bytes, by where these lie. Nearly always that is the order of the disk. */
function rowsInOrder({ extents }: ExtentLayout): Uint32Array {
  const { count, kind, storedOffset } = extents
  const rows = new Uint32Array(count)
  let held = 0
  let isSorted = true
  let before = -1
  for (let row = 0; row < count; row++) {
    if (kind[row] === kindIndex.zero || kind[row] === kindIndex.ignore) continue
    rows[held++] = row
    isSorted &&= (storedOffset[row] ?? 0) > before
    before = storedOffset[row] ?? 0
  }
  const inOrder = rows.subarray(0, held)
  if (!isSorted) inOrder.sort((a, b) => (storedOffset[a] ?? 0) - (storedOffset[b] ?? 0))
  return inOrder
}
