/**
 * Reads one blkx table (a mish and its runs) that arrives in pieces, and hands every run, checked, to the extent
 * builder. Nothing of a table is kept but its header: a table may be 80 MB.
 */
import { kindIndex } from '#engine/formats/extents'
import { corrupt, type FormatProblem } from '#engine/formats/struct'
import { BugError } from '#shared/errors'
import type { RunKind } from '#shared/model'
import { sectorBytes } from '#shared/units'
import { parseChecksum, type StoredChecksum } from './checksum.ts'
import type { ExtentBuilder } from './extent-builder.ts'
import { chunkRunStruct, commentRun, mishStruct, runTypes, terminatorRun, type Mish } from './mish.ts'

/** Largest number of sectors whose bytes are a safe integer. */
const maxSectors = 2 ** 44 - 1
/** No writer makes compressed runs larger than 1 MiB; a decoder must hold one whole. */
const maxCompressedRunBytes = 64 * 1024 * 1024
/** Data that doesn't compress grows a little; more is absurd. */
const maxStoredRunBytes = maxCompressedRunBytes + 1024 * 1024

/** Where a table is in the file, and what its runs must fit into. */
export interface TablePlace {
  /** Its place among the blkx entries, for messages. */
  readonly index: number
  /** Bytes of the file, for messages. */
  readonly fileOffset: number
  /** The table can't be longer than this: what is left of the plist or fork that holds it. */
  readonly atMostBytes: number
  /** Length of the stored stream that runs point into. */
  readonly streamBytes: number
}

export interface Table {
  readonly mish: Mish
  readonly checksum: StoredChecksum
  /** Runs that stand for sectors. */
  readonly runCount: number
  readonly fileOffset: number
}

const runBytes = chunkRunStruct.sizeBytes
const at = {
  type: chunkRunStruct.offsetOf('type'),
  startSector: chunkRunStruct.offsetOf('startSector'),
  sectorCount: chunkRunStruct.offsetOf('sectorCount'),
  compOffset: chunkRunStruct.offsetOf('compOffset'),
  compLength: chunkRunStruct.offsetOf('compLength'),
}
const kindOfType = new Map(
  Object.entries(runTypes).map(([kind, type]) => [type, kindIndex[kind as RunKind]] as const),
)

/** Larger than any safe integer, and a plain number: this runs millions of times. */
const u64 = (view: DataView, offset: number) =>
  view.getUint32(offset) * 0x1_0000_0000 + view.getUint32(offset + 4)

export class TableReader {
  readonly #place: TablePlace
  readonly #builder: ExtentBuilder
  readonly #partial = new Uint8Array(mishStruct.sizeBytes)
  #partialBytes = 0
  #mish: Mish | null = null
  #checksum: StoredChecksum = { shown: null, crc32: null }
  #runsRead = 0
  #runCount = 0
  #terminated = false
  #surplusBytes = 0

  constructor(place: TablePlace, builder: ExtentBuilder) {
    this.#place = place
    this.#builder = builder
  }

  /** The table's next bytes. Throws `FormatError`. */
  push(bytes: Uint8Array): void {
    let from = 0
    while (from < bytes.length) {
      const unit = this.#mish === null ? mishStruct.sizeBytes : runBytes
      if (this.#mish !== null && this.#runsRead === this.#mish.chunkCount) {
        this.#surplusBytes += bytes.length - from
        return
      }
      if (this.#mish !== null && this.#partialBytes === 0) {
        const whole = Math.min(
          Math.floor((bytes.length - from) / runBytes),
          this.#mish.chunkCount - this.#runsRead,
        )
        if (whole > 0) {
          this.#readRuns(this.#mish, bytes.subarray(from, from + whole * runBytes))
          from += whole * runBytes
          continue
        }
      }
      const piece = bytes.subarray(from, from + unit - this.#partialBytes)
      this.#partial.set(piece, this.#partialBytes)
      this.#partialBytes += piece.length
      from += piece.length
      if (this.#partialBytes < unit) return
      this.#partialBytes = 0
      if (this.#mish === null) this.#readMish()
      else this.#readRuns(this.#mish, this.#partial.subarray(0, runBytes))
    }
  }

  /** The table is complete. Throws `FormatError` when it isn't. */
  end(): Table {
    const mish = this.#mish
    if (mish === null) {
      // Throws, naming the first field that isn't there.
      mishStruct.parse(this.#partial.subarray(0, this.#partialBytes), this.#place.fileOffset)
      throw new BugError('E_BUG', 'a mish that is too short was parsed', { details: {} })
    }
    if (this.#runsRead < mish.chunkCount)
      throw this.#problem({
        field: 'mish.chunkCount',
        found: mish.chunkCount,
        expected: `at most ${this.#runsRead}`,
      })
    // A count that is too small would silently leave sectors out. Behind a terminator, nothing can be left out.
    if (this.#surplusBytes > 0 && !this.#terminated)
      throw this.#problem({
        field: 'mish.chunkCount',
        found: mish.chunkCount,
        expected: `runs for ${this.#surplusBytes} more bytes`,
      })
    return { mish, checksum: this.#checksum, runCount: this.#runCount, fileOffset: this.#place.fileOffset }
  }

  #readMish(): void {
    const mish = mishStruct.parse(this.#partial, this.#place.fileOffset)
    const complain = (field: keyof Mish, expected: string | number) =>
      this.#problem({ field: `mish.${field}`, found: mish[field] as string | number, expected })
    if (mish.signature !== 'mish') throw complain('signature', 'mish')
    if (mish.version !== 1) throw complain('version', 1)
    if (mish.firstSector > maxSectors) throw complain('firstSector', `at most ${maxSectors}`)
    if (mish.sectorCount > maxSectors - mish.firstSector)
      throw complain('sectorCount', `at most ${maxSectors - mish.firstSector}`)
    const room = Math.max(0, Math.floor((this.#place.atMostBytes - mishStruct.sizeBytes) / runBytes))
    if (mish.chunkCount > room) throw complain('chunkCount', `at most ${room}`)
    this.#checksum = parseChecksum(
      { type: mish.checksumType, bits: mish.checksumBits, bytes: mish.checksum },
      { field: `blkx[${this.#place.index}] mish.checksumBits`, offset: this.#place.fileOffset },
    )
    this.#builder.reserve(mish.chunkCount)
    this.#mish = mish
  }

  #readRuns(mish: Mish, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const builder = this.#builder
    const { streamBytes } = this.#place
    const { firstSector, sectorCount: tableSectors, dataOffset } = mish
    for (let run = 0; run < bytes.length; run += runBytes, this.#runsRead++) {
      const type = view.getUint32(run + at.type)
      if (type === terminatorRun) {
        this.#terminated = true
        continue
      }
      if (this.#terminated) throw this.#badRun('type', type, 'nothing behind the terminator')
      if (type === commentRun) continue
      const kind = kindOfType.get(type)
      if (kind === undefined) throw this.#badRun('type', `0x${type.toString(16)}`, 'a known type')
      const startSector = u64(view, run + at.startSector)
      const sectors = u64(view, run + at.sectorCount)
      if (startSector > tableSectors)
        throw this.#badRun('startSector', startSector, `at most ${tableSectors}`)
      if (sectors > tableSectors - startSector)
        throw this.#badRun('sectorCount', sectors, `at most ${tableSectors - startSector}`)
      if (sectors === 0) continue
      const diskOffset = (firstSector + startSector) * sectorBytes
      const diskBytes = sectors * sectorBytes
      this.#runCount++
      if (kind === kindIndex.zero || kind === kindIndex.ignore) {
        builder.add(kind, diskOffset, diskBytes, 0, 0)
        continue
      }
      const compOffset = u64(view, run + at.compOffset)
      const compLength = u64(view, run + at.compLength)
      if (kind === kindIndex.raw) {
        if (compLength !== diskBytes) throw this.#badRun('compLength', compLength, diskBytes)
      } else {
        if (diskBytes > maxCompressedRunBytes)
          throw this.#badRun('sectorCount', sectors, `at most ${maxCompressedRunBytes / sectorBytes}`)
        if (compLength === 0 || compLength > maxStoredRunBytes)
          throw this.#badRun('compLength', compLength, `1 to ${maxStoredRunBytes}`)
      }
      const storedOffset = dataOffset + compOffset
      if (storedOffset > streamBytes) throw this.#badRun('compOffset', storedOffset, `at most ${streamBytes}`)
      if (compLength > streamBytes - storedOffset)
        throw this.#badRun('compLength', compLength, `at most ${streamBytes - storedOffset}`)
      builder.add(kind, diskOffset, diskBytes, storedOffset, compLength)
    }
  }

  #problem(problem: Omit<FormatProblem, 'format' | 'offset'> & { readonly field: string }) {
    const { index, fileOffset } = this.#place
    return corrupt({
      ...problem,
      format: 'udif',
      field: `blkx[${index}] ${problem.field}`,
      offset: fileOffset,
    })
  }

  #badRun(field: string, found: number | string, expected: number | string) {
    return this.#problem({ field: `chunkRun[${this.#runsRead}].${field}`, found, expected })
  }
}
