/**
 * How receiving went, pass by pass: a mark for each fiftieth of the image. A pass ends when the stream's walk has come round to
 * where it was when we began to hear it. Knows nothing of symbols that were lost: a part is missed when the walk has gone by and
 * a block of it still isn't here.
 */
import type { SequentialLayout } from '#engine/multicast/layout'
import { partMarks } from '#shared/model'

export interface PassStrip {
  /** The newest symbol that came. */
  symbol(section: number, number: number): void
  /** The block is here, whole and right. */
  received(block: number): void
  /** It isn't any more. */
  lost(block: number): void
  /** See `StreamProgress.passes`. */
  passes(): string[]
  /** See `StreamProgress.passStart`. */
  start(): number | null
}

const keptPasses = 20

export function createPassStrip(layout: SequentialLayout): PassStrip {
  const { blocks, blockBytes, symbolBytes } = layout
  const streamBytes = blocks * blockBytes
  const here = new Uint8Array(blocks)
  const ended: string[] = []
  /** Where the walk was when we began, and how far it has come since, in bytes. */
  let startsAt: number | null = null
  let walked = 0
  /** Place of the section that the walk is in. */
  let at = { section: -1, offset: 0, sourceSymbols: 0 }

  const partOf = (mark: number) => {
    const first = Math.floor((mark * blocks) / partMarks)
    return { first, end: Math.max(first + 1, Math.floor(((mark + 1) * blocks) / partMarks)) }
  }
  const fromStart = (offset: number) => (offset - (startsAt ?? 0) + streamBytes) % streamBytes

  const markOf = (mark: number, pass: 'ended' | 'current') => {
    const { first, end } = partOf(mark)
    const received = here.subarray(first, end).reduce((sum, value) => sum + value, 0)
    if (received === end - first) return '.'
    if (pass === 'ended') return 'x'
    const from = fromStart(first * blockBytes)
    const to = fromStart(end * blockBytes) || streamBytes
    // What we began in the middle of is gone by only at the end of the pass.
    const isSplit = to <= from
    if (startsAt !== null && !isSplit && to <= walked) return 'x'
    const isBegun = startsAt !== null && (isSplit ? walked > 0 : from <= walked)
    return received > 0 || isBegun ? '-' : ' '
  }
  const strip = (pass: 'ended' | 'current') =>
    Array.from({ length: partMarks }, (_, mark) => markOf(mark, pass)).join('')

  return {
    symbol(section, number) {
      if (section !== at.section) {
        const { block, offset, sourceSymbols } = layout.placeOf(section)
        at = { section, offset: block * blockBytes + offset, sourceSymbols }
      }
      // Only the walk sends source symbols.
      if (number >= at.sourceSymbols) return
      const offset = at.offset + number * symbolBytes
      if (startsAt === null) {
        startsAt = offset
        return
      }
      const now = fromStart(offset)
      if (now <= walked) {
        ended.push(strip('ended'))
        if (ended.length >= keptPasses) ended.shift()
      }
      walked = now
    },
    received(block) {
      here[block] = 1
    },
    lost(block) {
      here[block] = 0
    },
    passes: () => [...ended, strip('current')],
    start() {
      if (startsAt === null) return null
      // One that we came in the middle of is the last one of the pass.
      for (let mark = 0; mark < partMarks; mark++)
        if (partOf(mark).first * blockBytes >= startsAt) return mark
      return 0
    },
  }
}
