/**
 * What a client lacks, as the list a report carries: of sections in the making those whose symbols have stopped coming, and of
 * those of which nothing came yet as many as are to be told. Neighbours that lack the same are one entry.
 */
import type { SequentialLayout } from '#engine/multicast/layout'
import { lacksAll, maxNeeds, type Need } from '#engine/multicast/wire'
import type { Assembly } from './assembly.ts'
import { settleMs } from './settled-serial.ts'

export interface NeedsOptions {
  readonly layout: SequentialLayout
  /** By section: 0 nothing of it came, 1 in the making, 2 whole. */
  readonly sections: Uint8Array
  readonly makings: ReadonlyMap<number, Assembly>
  readonly nowMs: number
  /** Of which nothing came: every section, none, or those of blocks in the making and of these. */
  readonly untouched: 'all' | 'none' | readonly number[]
}

export function collectNeeds(options: NeedsOptions): Need[] {
  const { layout, sections, makings, nowMs, untouched } = options
  const needs: { first: number; count: number; lack: number }[] = []

  const add = (section: number, lack: number) => {
    const last = needs.at(-1)
    if (last !== undefined && last.lack === lack && last.first + last.count === section) last.count += 1
    else if (needs.length < maxNeeds) needs.push({ first: section, count: 1, lack })
  }
  const addMaking = (making: Assembly) => {
    for (const { section, lack, touchedMs } of making.lacking())
      if (touchedMs === null) {
        if (untouched !== 'none') add(section, lacksAll)
      } else if (touchedMs <= nowMs - settleMs) add(section, lack)
  }

  const addBlock = (block: number) => {
    const making = makings.get(block)
    if (making !== undefined) return addMaking(making)
    const first = layout.firstSectionOf(block)
    for (let section = first; section < first + layout.sectionsOf(block); section++) add(section, lacksAll)
  }

  if (untouched !== 'all') {
    const blocks = [...makings.keys(), ...(untouched === 'none' ? [] : untouched)]
    for (const block of blocks.sort((a, b) => a - b)) addBlock(block)
    return needs
  }
  for (let section = 0; section < sections.length && needs.length < maxNeeds; section++) {
    if (sections[section] === 2) continue
    const block = layout.blockOf(section)
    const making = makings.get(block)
    if (making === undefined) {
      if (sections[section] === 0) add(section, lacksAll)
      continue
    }
    addMaking(making)
    section = layout.firstSectionOf(block) + layout.sectionsOf(block) - 1
  }
  return needs
}
