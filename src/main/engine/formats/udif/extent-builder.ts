/**
 * Gathers the runs of all tables as columns and turns them into an `ExtentTable`: ascending, without overlap, gaps
 * filled with ignore rows. It works in place where it can, because an image may have millions of runs and the table is
 * then most of the memory the whole program uses.
 */
import { allocateExtentTable, kindIndex, type ExtentTable } from '#engine/formats/extents'
import { corrupt } from '#engine/formats/struct'
import { runKinds, type RunKind } from '#shared/model'

type Columns = Omit<ExtentTable, 'count'>
const columnNames = ['diskOffset', 'diskBytes', 'storedOffset', 'storedBytes', 'kind'] as const

export class ExtentBuilder {
  /** Rows added so far. */
  count = 0
  #capacity = 0
  #columns: Columns = allocateExtentTable(0)
  readonly #counts = new Uint32Array(runKinds.length)

  /**
   * Make room for `rows` more: call before adding them. As many again are set aside for gaps, which is what lets them be
   * filled in place; memory that is never touched costs nothing.
   */
  reserve(rows: number): void {
    const needed = this.count + rows
    if (needed > this.#capacity) this.#move(2 * needed + 1)
  }

  /** Bytes. `diskBytes` isn't zero; the sums are safe integers: the caller checked. */
  add(kind: number, diskOffset: number, diskBytes: number, storedOffset: number, storedBytes: number): void {
    if (this.count === this.#capacity) this.reserve(1)
    const row = this.count++
    const columns = this.#columns
    columns.kind[row] = kind
    columns.diskOffset[row] = diskOffset
    columns.diskBytes[row] = diskBytes
    columns.storedOffset[row] = storedOffset
    columns.storedBytes[row] = storedBytes
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1
  }

  /** How many runs of each kind were added; kinds that don't occur are left out. */
  runCounts(): { [kind in RunKind]?: number } {
    return Object.fromEntries(
      runKinds
        .map((kind, index) => [kind, this.#counts[index] ?? 0] as const)
        .filter(([, count]) => count > 0),
    )
  }

  /**
   * The table of a disk of `sizeBytes`. `fileOffset`: where the runs are listed in the file, for messages. Throws
   * `FormatError` when runs overlap. The builder is used up afterwards.
   */
  finish(sizeBytes: number, fileOffset: number): ExtentTable {
    this.#sort()
    this.#fillGaps(this.#checkedGaps(fileOffset, sizeBytes), sizeBytes)
    const { diskOffset, diskBytes, storedOffset, storedBytes, kind } = this.#columns
    const count = this.count
    return {
      count,
      diskOffset: diskOffset.subarray(0, count),
      diskBytes: diskBytes.subarray(0, count),
      storedOffset: storedOffset.subarray(0, count),
      storedBytes: storedBytes.subarray(0, count),
      kind: kind.subarray(0, count),
    }
  }

  #move(capacity: number): void {
    const larger = allocateExtentTable(capacity)
    for (const name of columnNames) larger[name].set(this.#columns[name].subarray(0, this.count))
    this.#columns = larger
    this.#capacity = capacity
  }

  /** By disk offset. Nearly every image lists its runs so; the others cost a sort of their offsets. */
  #sort(): void {
    const offsets = this.#columns.diskOffset
    let sorted = true
    for (let row = 1; row < this.count && sorted; row++)
      sorted = (offsets[row - 1] as number) < (offsets[row] as number)
    if (sorted) return

    this.#permute(rowsByOffset(offsets, this.count))
  }

  /** Put row `from[row]` at `row`, following the cycles of the permutation; `from` is used up. */
  #permute(from: Uint32Array): void {
    const { diskOffset, diskBytes, storedOffset, storedBytes, kind } = this.#columns
    for (let start = 0; start < this.count; start++) {
      if (from[start] === start) continue
      const held = [diskOffset[start], diskBytes[start], storedOffset[start], storedBytes[start], kind[start]]
      let row = start
      for (let source = from[row] as number; source !== start; source = from[row] as number) {
        diskOffset[row] = diskOffset[source] as number
        diskBytes[row] = diskBytes[source] as number
        storedOffset[row] = storedOffset[source] as number
        storedBytes[row] = storedBytes[source] as number
        kind[row] = kind[source] as number
        from[row] = row
        row = source
      }
      ;[diskOffset[row], diskBytes[row], storedOffset[row], storedBytes[row], kind[row]] = held as [
        number,
        number,
        number,
        number,
        number,
      ]
      from[row] = row
    }
  }

  /** The number of gaps. Throws when two rows overlap. */
  #checkedGaps(fileOffset: number, sizeBytes: number): number {
    const { diskOffset, diskBytes } = this.#columns
    let gaps = 0
    let end = 0
    for (let row = 0; row < this.count; row++) {
      const start = diskOffset[row] as number
      if (start < end) throw overlap(fileOffset, start, `${end} or more`)
      if (start > end) gaps++
      end = start + (diskBytes[row] as number)
    }
    return end < sizeBytes ? gaps + 1 : gaps
  }

  /** From the back, so that each row moves once and nothing is overwritten before it moved. */
  #fillGaps(gaps: number, sizeBytes: number): void {
    if (gaps === 0) return
    if (this.count + gaps > this.#capacity) this.#move(this.count + gaps)
    const { diskOffset, diskBytes, storedOffset, storedBytes, kind } = this.#columns
    let to = this.count + gaps - 1
    let nextStart = sizeBytes
    const gap = (start: number) => {
      kind[to] = kindIndex.ignore
      diskOffset[to] = start
      diskBytes[to] = nextStart - start
      storedOffset[to] = 0
      storedBytes[to] = 0
      to--
    }
    let row = this.count - 1
    for (; row >= 0; row--) {
      const start = diskOffset[row] as number
      const end = start + (diskBytes[row] as number)
      if (end < nextStart) gap(end)
      // No gap lies in front of this row: the rest is where it belongs.
      if (to === row) break
      kind[to] = kind[row] as number
      diskOffset[to] = start
      diskBytes[to] = end - start
      storedOffset[to] = storedOffset[row] as number
      storedBytes[to] = storedBytes[row] as number
      to--
      nextStart = start
    }
    if (row < 0 && to === 0) gap(0)
    this.count += gaps
  }
}

function overlap(fileOffset: number, start: number, expected: string) {
  return corrupt({
    format: 'udif',
    field: 'chunkRun.startSector',
    offset: fileOffset,
    found: `a run at ${start} of the disk that overlaps`,
    expected,
  })
}

const digitBits = 11
const digitValues = 2 ** digitBits

/**
 * The rows' indexes, ascending by their offsets: a radix sort, for comparing millions of rows by a function of ours
 * takes seconds. Rows with the same offset keep their order; they overlap anyway.
 */
function rowsByOffset(offsets: Float64Array, count: number): Uint32Array {
  let largest = 0
  for (let row = 0; row < count; row++) largest = Math.max(largest, offsets[row] as number)
  let order = new Uint32Array(count)
  for (let row = 0; row < count; row++) order[row] = row
  let next = new Uint32Array(count)
  const starts = new Uint32Array(digitValues)
  for (let unit = 1; unit <= largest; unit *= digitValues) {
    // Bitwise operators take a number modulo 2^32, whole: exact for every safe integer.
    const digit = (row: number) => ((offsets[row] as number) / unit) & (digitValues - 1)
    starts.fill(0)
    for (let row = 0; row < count; row++) {
      const value = digit(row)
      starts[value] = (starts[value] as number) + 1
    }
    let sum = 0
    for (let value = 0; value < digitValues; value++) {
      const own = starts[value] as number
      starts[value] = sum
      sum += own
    }
    for (let place = 0; place < count; place++) {
      const row = order[place] as number
      const value = digit(row)
      const to = starts[value] as number
      next[to] = row
      starts[value] = to + 1
    }
    const done = next
    next = order
    order = done
  }
  return order
}
