/**
 * Recomputes an image's checksums from the bytes of the disk inside, told in ascending order: as they come out of the
 * decoders (is the source what it says?) or back from a device (is the device what the source says?).
 */
import { crc32 } from 'node:zlib'
import { kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { FormatError, invariant } from '#shared/errors'
import { publicLocator } from '#shared/model'
import { appendZeros, combineCrc32 } from './crc32-combine.ts'

/** A range whose bytes aren't what the image's checksum says. Offsets and sizes of the disk, in bytes. */
export interface BadRange {
  readonly name: string
  readonly diskOffset: number
  readonly diskBytes: number
  readonly expected: number
  readonly found: number
}

/**
 * Told the disk from 0 to its end without a gap. Each call returns the first range that ended within it and is wrong,
 * or null. What the image marks as ignored counts in no range, however it is told (docs/formats/udif.md §7: such runs are left
 * out of the checksums).
 */
export interface DiskChecker {
  /** `crc`: the CRC-32 of `bytes`, where the caller has it already. */
  data(offset: number, bytes: Uint8Array, crc?: number): BadRange | null
  zero(offset: number, lengthBytes: number): BadRange | null
  unused(offset: number, lengthBytes: number): BadRange | null
  /** After the last byte. The first wrong range of all. */
  finish(): BadRange | null
}

export function createDiskChecker(layout: ExtentLayout): DiskChecker {
  return new Checker(layout)
}

/** The error for a range in which an image contradicts itself. */
export function badRangeError(bad: BadRange, path: string): FormatError {
  const hex = (crc: number) => crc.toString(16).padStart(8, '0')
  const shown = publicLocator(path)
  return new FormatError('E_SRC_CORRUPT', `${shown}: checksum of ${bad.name} is wrong`, {
    details: {
      format: 'udif',
      field: 'checksum',
      offset: bad.diskOffset,
      expected: hex(bad.expected),
      found: hex(bad.found),
      table: bad.name,
      diskOffset: bad.diskOffset,
      diskBytes: bad.diskBytes,
      path: shown,
    },
  })
}

class Checker implements DiskChecker {
  readonly #layout: ExtentLayout
  #told = 0
  /** The range that is being told, or comes next. */
  #range = 0
  #crc = 0
  /** The row that holds the next byte, or one before it. */
  #row = 0
  #firstBad: BadRange | null = null

  constructor(layout: ExtentLayout) {
    this.#layout = layout
  }

  data(offset: number, bytes: Uint8Array, crc?: number): BadRange | null {
    return this.#tell(offset, bytes.length, (from, to) => {
      this.#crc =
        crc !== undefined && to - from === bytes.length
          ? combineCrc32(this.#crc, crc, bytes.length)
          : crc32(bytes.subarray(from - offset, to - offset), this.#crc)
    })
  }

  zero(offset: number, lengthBytes: number): BadRange | null {
    return this.#tell(offset, lengthBytes, (from, to) => {
      this.#crc = appendZeros(this.#crc, to - from)
    })
  }

  unused(offset: number, lengthBytes: number): BadRange | null {
    return this.#tell(offset, lengthBytes, () =>
      invariant(false, 'bytes with a checksum were told as unused'),
    )
  }

  finish(): BadRange | null {
    invariant(this.#told === this.#layout.sizeBytes, 'the disk was not told to its end')
    // Ranges without bytes.
    this.#endRanges()
    return this.#firstBad
  }

  /** `count` is called for the parts that checksums cover, in order, none across the end of a range. */
  #tell(offset: number, lengthBytes: number, count: (from: number, to: number) => void): BadRange | null {
    invariant(offset === this.#told, 'the disk is told in order')
    const end = offset + lengthBytes
    let bad: BadRange | null = null
    while (this.#told < end) {
      const ended = this.#endRanges()
      bad ??= ended
      const range = this.#layout.checks[this.#range]
      if (range === undefined || range.diskOffset >= end) {
        this.#told = end
        break
      }
      const from = Math.max(this.#told, range.diskOffset)
      const to = Math.min(end, range.diskOffset + range.diskBytes)
      this.#countRows(from, to, count)
      this.#told = to
    }
    const ended = this.#endRanges()
    return bad ?? ended
  }

  /** Compares the ranges that end here. */
  #endRanges(): BadRange | null {
    let bad: BadRange | null = null
    for (;;) {
      const range = this.#layout.checks[this.#range]
      if (range === undefined || range.diskOffset + range.diskBytes > this.#told) break
      const { name, diskOffset, diskBytes, crc32: expected } = range
      if (this.#crc !== expected) bad ??= { name, diskOffset, diskBytes, expected, found: this.#crc }
      this.#range += 1
      this.#crc = 0
    }
    this.#firstBad ??= bad
    return bad
  }

  /** Rows from `from` to `to`, ignored ones left out, neighbours as one. */
  #countRows(from: number, to: number, count: (from: number, to: number) => void): void {
    const { diskOffset, diskBytes, kind, count: rows } = this.#layout.extents
    const rowEnd = (row: number) => (diskOffset[row] ?? 0) + (diskBytes[row] ?? 0)
    while (this.#row < rows && rowEnd(this.#row) <= from) this.#row++
    let counted = from
    let at = from
    for (; at < to && this.#row < rows; this.#row++) {
      const end = Math.min(to, rowEnd(this.#row))
      if (kind[this.#row] === kindIndex.ignore) {
        if (at > counted) count(counted, at)
        counted = end
      }
      at = end
      // This row goes on after `to`: the next call begins with it.
      if (rowEnd(this.#row) > to) break
    }
    if (at > counted) count(counted, at)
  }
}
