/**
 * Programs that have a device open for writing without asking for it alone, as virtual machines and programs that show
 * another system's volumes do. Opening it exclusively isn't refused for their sake, and both would write to it.
 */
import { programNameOf } from './linux-holders.ts'
import type { Machine } from './machine.ts'

const patienceMs = 3000

/** `name (pid)` of other programs, in order of their number; what was found within three seconds. `numbers`: `major:minor`. */
export async function findWriters(system: Machine, numbers: readonly string[]): Promise<readonly string[]> {
  const deadline = performance.now() + patienceMs
  const writers: string[] = []
  const processes = (await system.readFolder('/proc'))
    .filter((name) => /^\d+$/.test(name) && name !== String(system.processId))
    .sort((a, b) => Number(a) - Number(b))
  for (const process of processes) {
    if (performance.now() > deadline) break
    const folder = `/proc/${process}`
    if (!(await writesTo(system, folder, numbers))) continue
    const name = await programNameOf(system, folder)
    if (name !== null) writers.push(`${name} (${process})`)
  }
  return writers
}

async function writesTo(system: Machine, folder: string, numbers: readonly string[]): Promise<boolean> {
  for (const fd of await system.readFolder(`${folder}/fd`)) {
    // Only nodes are looked at: asking for a file elsewhere may take for ever.
    if ((await system.readLink(`${folder}/fd/${fd}`))?.startsWith('/dev/') !== true) continue
    const facts = await system.stat(`${folder}/fd/${fd}`).catch(() => null)
    if (facts?.kind !== 'block' || !numbers.includes(facts.node)) continue
    // `flags:	0100002`, in octal: the last two bits are 0 for reading only (proc(5)).
    const flags = /^flags:\s*([0-7]+)$/m.exec((await system.readText(`${folder}/fdinfo/${fd}`)) ?? '')?.[1]
    if (flags !== undefined && (parseInt(flags, 8) & 3) !== 0) return true
  }
  return false
}
