/**
 * What a client lacks, in few bytes: stretches of sections of which it lacks the same number of symbols, any symbols. On the
 * wire each is a varint with the gap to the end of the one before, a varint with its length less one, and one byte.
 */
import { streamBounds } from '#engine/multicast/layout'
import type { ByteCursor, ByteWriter } from './byte-cursor.ts'

/** Sections `first` … `first + count - 1` lack `lack` symbols each: 1–254, or `lacksAll`. */
export interface Need {
  readonly first: number
  readonly count: number
  readonly lack: number
}

/** Everything of the section, however many symbols that is. */
export const lacksAll = 255

/** In one report; a client that has more to say says it in the next. */
export const maxNeeds = 4096

export function writeNeeds(out: ByteWriter, needs: readonly Need[]): void {
  out.uint(2, needs.length)
  let end = 0
  for (const { first, count, lack } of needs) {
    out.varint(first - end)
    out.varint(count - 1)
    out.uint(1, lack)
    end = first + count
  }
}

/** Ascending, without overlaps, within the largest stream there can be. Throws `FormatError`. */
export function readNeeds(cursor: ByteCursor): Need[] {
  const length = cursor.uint(2, 'report.needs')
  if (length > maxNeeds) cursor.refuse('report.needs', length, `at most ${maxNeeds}`)
  let end = 0
  return Array.from({ length }, () => {
    const first = end + cursor.varint('report.needs.gap')
    const count = cursor.varint('report.needs.count') + 1
    const lack = cursor.uint(1, 'report.needs.lack')
    end = first + count
    if (end > streamBounds.maxSections)
      cursor.refuse('report.needs', end, `at most ${streamBounds.maxSections} sections`)
    if (lack === 0) cursor.refuse('report.needs.lack', 0, '1 to 255')
    return { first, count, lack }
  })
}
