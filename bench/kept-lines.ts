/**
 * The newest figures of each group, kept beside the data that they were measured with, so that a run of some groups
 * doesn't cost the report the others. Figures of another machine are worth nothing here and are forgotten.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Line } from './line.ts'
import { cacheFolder } from './real-data.ts'

export interface KeptGroup {
  /** Day of the measurement, `YYYY-MM-DD`. */
  readonly date: string
  readonly lines: readonly Line[]
  /** Largest resident size of our program's restores in this group; 0 when there was none. */
  readonly largestRssBytes: number
}

interface Kept {
  readonly machine: string
  readonly groups: Readonly<Record<string, KeptGroup>>
}

const path = join(cacheFolder, 'lines.json')

/** By group; none where nothing was kept for `machine`. */
export function keptGroups(machine: string): Readonly<Record<string, KeptGroup>> {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Kept
    return kept.machine === machine ? kept.groups : {}
  } catch {
    return {}
  }
}

export function keepGroup(machine: string, name: string, group: KeptGroup): void {
  mkdirSync(cacheFolder, { recursive: true })
  const kept: Kept = { machine, groups: { ...keptGroups(machine), [name]: group } }
  writeFileSync(`${path}.part`, JSON.stringify(kept))
  renameSync(`${path}.part`, path)
}
