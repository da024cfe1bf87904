/**
 * Programs that have a device open for writing without asking for it alone, as virtual machines and programs that show
 * another system's volumes do. Opening it exclusively isn't refused for their sake, and both would write to it.
 */
import { programNameOf } from './linux-holders.ts'
import type { Machine } from './machine.ts'

const patienceMs = 3000

/** No disks, and every program has some of them. */
const common = /^\/dev\/(null|zero|tty|console|ptmx|u?random|(pts|shm|input|dri|snd|fuse|net)\b)/

/** `name (pid)` of other programs, the youngest first; what was found within three seconds. `numbers`: `major:minor`. */
export async function findWriters(system: Machine, numbers: readonly string[]): Promise<readonly string[]> {
  const deadline = performance.now() + patienceMs
  const writers: string[] = []
  const processes = (await system.readFolder('/proc'))
    .filter((name) => /^\d+$/.test(name) && name !== String(system.processId))
    .sort((a, b) => Number(b) - Number(a))
  for (const process of processes) {
    if (performance.now() > deadline) break
    const folder = `/proc/${process}`
    if (!(await writesTo(system, folder, { numbers, deadline }))) continue
    const name = await programNameOf(system, folder)
    if (name !== null) writers.push(`${name} (${process})`)
  }
  return writers
}

async function writesTo(
  system: Machine,
  folder: string,
  { numbers, deadline }: { readonly numbers: readonly string[]; readonly deadline: number },
): Promise<boolean> {
  for (const fd of await system.readFolder(`${folder}/fd`)) {
    if (performance.now() > deadline) return false
    // Only nodes are looked at: asking for a file elsewhere may take for ever.
    const link = await system.readLink(`${folder}/fd/${fd}`)
    if (link?.startsWith('/dev/') !== true || common.test(link)) continue
    const facts = await system.stat(`${folder}/fd/${fd}`).catch(() => null)
    if (facts?.kind !== 'block' || !numbers.includes(facts.node)) continue
    // `flags:	0100002`, in octal: the last two bits are 0 for reading only (proc(5)).
    const flags = /^flags:\s*([0-7]+)$/m.exec((await system.readText(`${folder}/fdinfo/${fd}`)) ?? '')?.[1]
    if (flags !== undefined && (parseInt(flags, 8) & 3) !== 0) return true
  }
  return false
}
