/**
 * Programs that have a device open without asking for it alone: for writing, as virtual machines and programs that show another
 * system's volumes do, or for reading, as another restore does. Opening it exclusively isn't refused for their sake.
 */
import { setImmediate as breath } from 'node:timers/promises'
import type { Machine, OpenedHow, Openers } from '#engine/platform/system'
import { programNameOf } from './holders.ts'

/** Of a machine with ten thousand open files this takes a tenth of a second. */
const patienceMs = 15_000
/** The kernel's answers come at once: whoever waits for something else is let in between. */
const stretchMs = 5

/** No disks, as `nullb0` is one, and every program has some of them. */
const common =
  /^\/dev\/(tty|vhost|nvidia|hidraw|video\d|media\d|(null|zero|console|ptmx|u?random|kmsg|kvm|kfd|rfkill|pts|shm|input|dri|snd|fuse|net)\b)/

export interface OpenersOptions {
  /** `major:minor` of the devices. */
  readonly numbers: readonly string[]
  readonly how: OpenedHow
  /** Milliseconds. Default: the process's clock. */
  readonly now?: () => number
  readonly signal?: AbortSignal | undefined
}

/** Throws the signal's reason. */
export async function findOpeners(
  system: Machine,
  { numbers, how, now = () => performance.now(), signal }: OpenersOptions,
): Promise<Openers> {
  const deadline = now() + patienceMs
  let breathedAt = now()
  /** False when time is up. */
  const goOn = async () => {
    signal?.throwIfAborted()
    const at = now()
    if (at > deadline) return false
    if (at - breathedAt > stretchMs) {
      await breath()
      breathedAt = now()
    }
    return true
  }
  const hasOpen = async (folder: string): Promise<boolean | 'unknown'> => {
    const nodes: string[] = []
    for (const fd of await system.readFolder(`${folder}/fd`)) {
      if (!(await goOn())) return 'unknown'
      if (await isNode(system, `${folder}/fd/${fd}`)) nodes.push(fd)
    }
    // At once: each of them may have to wait until a slow disk has taken a write of ours.
    const found = await Promise.all(nodes.map((fd) => isOpenAs(system, folder, fd, { numbers, how })))
    return found.includes(true)
  }
  const programs: string[] = []
  const processes = (await system.readFolder('/proc'))
    .filter((name) => /^\d+$/.test(name) && name !== String(system.processId))
    .sort((a, b) => Number(b) - Number(a))
  for (const process of processes) {
    const folder = `/proc/${process}`
    const has = (await goOn()) ? await hasOpen(folder) : 'unknown'
    if (has === 'unknown') return { programs, isComplete: false }
    if (!has) continue
    const name = await programNameOf(system, folder)
    if (name !== null) programs.push(`${name} (${process})`)
  }
  return { programs, isComplete: true }
}

/** Only nodes are looked at: asking for a file elsewhere may take for ever. */
async function isNode(system: Machine, path: string): Promise<boolean> {
  const link = await system.readLink(path)
  return link?.startsWith('/dev/') === true && !common.test(link)
}

async function isOpenAs(
  system: Machine,
  folder: string,
  fd: string,
  { numbers, how }: OpenersOptions,
): Promise<boolean> {
  const facts = await system.stat(`${folder}/fd/${fd}`).catch(() => null)
  if (facts?.kind !== 'block' || !numbers.includes(facts.node)) return false
  if (how === 'in any way') return true
  // `flags:	0100002`, in octal: the last two bits are 0 for reading only (proc(5)).
  const flags = /^flags:\s*([0-7]+)$/m.exec((await system.readText(`${folder}/fdinfo/${fd}`)) ?? '')?.[1]
  return flags !== undefined && ((parseInt(flags, 8) & 3) !== 0) === (how === 'for writing')
}
