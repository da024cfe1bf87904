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
    this.#sort(fileOffset)
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
  #sort(fileOffset: number): void {
    const offsets = this.#columns.diskOffset
    let sorted = true
    for (let row = 1; row < this.count && sorted; row++)
      sorted = (offsets[row - 1] as number) < (offsets[row] as number)
    if (sorted) return

    // Sorting numbers without a comparator is native and fast; each row then finds its place by its offset.
    const keys = new Float64Array(offsets.subarray(0, this.count)).sort()
    for (let row = 1; row < this.count; row++)
      if (keys[row - 1] === keys[row]) throw overlap(fileOffset, keys[row] as number, 'another run')
    const place = new Uint32Array(this.count)
    for (let row = 0; row < this.count; row++) place[row] = indexIn(keys, offsets[row] as number)
    this.#permute(place)
  }

  /** Move each row to `place[row]`, following the cycles of the permutation; `place` is used up. */
  #permute(place: Uint32Array): void {
    const columns = columnNames.map((name) => this.#columns[name])
    for (let start = 0; start < this.count; start++) {
      let target = place[start] as number
      while (target !== start) {
        for (const column of columns) {
          const held = column[target] as number
          column[target] = column[start] as number
          column[start] = held
        }
        place[start] = place[target] as number
        place[target] = target
        target = place[start] as number
      }
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

/** Place of `value` in ascending `values`, which hold it. */
function indexIn(values: Float64Array, value: number): number {
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
