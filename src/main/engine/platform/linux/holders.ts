/**
 * Who keeps a volume from being unmounted: programs with a folder or a file open there, programs in another mount
 * namespace (a container) that have it mounted, swap files and loop devices stored on it. Looks only at links and tables
 * in /proc; it never touches the file systems themselves, which may hang.
 */
import { basename } from 'node:path'
import { cleanText, type Machine } from '#engine/platform/system'
import { isWithin, parseMountinfo, type Mount } from './mounts.ts'
import type { LinuxSnapshot } from './snapshot.ts'

/** What is asked about. */
export interface Held {
  /** `major:minor` of the devices. */
  readonly numbers: readonly string[]
  /** Their nodes: a program may have the device itself open. */
  readonly nodes: readonly string[]
  readonly mounts: readonly Mount[]
}

const MOST = 10
const PATIENCE_MS = 3000

/** `name (pid)` for programs, in order of their number; at most ten, what was found within three seconds. */
export async function findHolders(
  system: Machine,
  snapshot: LinuxSnapshot,
  held: Held,
): Promise<readonly string[]> {
  const folders = held.mounts.map((mount) => mount.mountPoint)
  const inside = (path: string) => folders.some((folder) => isWithin(path, folder))
  const holders: string[] = []

  for (const mount of snapshot.mounts) {
    const above = !held.mounts.includes(mount) && inside(mount.mountPoint)
    if (above) holders.push(`what is mounted at ${mount.mountPoint}`)
  }
  for (const device of snapshot.devices)
    if (device.backingFile !== null && inside(device.backingFile)) holders.push(device.path)
  for (const swap of snapshot.swaps) if (inside(swap.path)) holders.push(`swap (${swap.path})`)

  const fileSystems = new Set([...held.numbers, ...held.mounts.map((mount) => mount.device)])
  const deadline = performance.now() + PATIENCE_MS
  const namespaces = new Map<string, boolean>()
  const own = await system.readLink('/proc/self/ns/mnt')
  if (own !== null) namespaces.set(own, false)

  let ourselves: string | null = null
  const processes = (await system.readFolder('/proc')).filter((name) => /^\d+$/.test(name))
  for (const process of processes.sort((a, b) => Number(a) - Number(b))) {
    if (holders.length >= MOST || performance.now() > deadline) break
    const folder = `/proc/${process}`
    const holds =
      (await holdsOpen(system, folder, inside, held.nodes)) ||
      (await mapsFrom(system, folder, fileSystems)) ||
      (await mountsElsewhere(system, folder, fileSystems, namespaces))
    if (!holds) continue
    const name = await programNameOf(system, folder)
    if (name === null) continue
    if (process === String(system.processId)) ourselves = `${name} (${process})`
    else holders.push(`${name} (${process})`)
  }
  // Whoever asks knows of this program; it is the answer only when there is no other.
  if (holders.length === 0 && ourselves !== null) return [ourselves]
  return holders.slice(0, MOST)
}

/** Of the program at `/proc/…`, as the kernel calls it; Node calls all of its programs `MainThread`, so then by what was started. */
export async function programNameOf(system: Machine, folder: string): Promise<string | null> {
  const name = (await system.readText(`${folder}/comm`))?.trim() ?? null
  if (name !== 'MainThread') return name
  const [program = '', ...args] = ((await system.readText(`${folder}/cmdline`)) ?? '').split('\0')
  const script = basename(program) === 'node' ? args.find((arg) => !arg.startsWith('-')) : undefined
  return cleanText(basename(script ?? program).replace(/\.[jt]s$/, '')) ?? name
}

async function holdsOpen(
  system: Machine,
  folder: string,
  inside: (path: string) => boolean,
  nodes: readonly string[],
): Promise<boolean> {
  const places = [`${folder}/cwd`, `${folder}/root`, `${folder}/exe`]
  const files = await system.readFolder(`${folder}/fd`)
  for (const link of [...places, ...files.map((fd) => `${folder}/fd/${fd}`)]) {
    const target = (await system.readLink(link))?.replace(/ \(deleted\)$/, '') ?? ''
    if (inside(target) || nodes.includes(target)) return true
  }
  return false
}

/** `address perms offset major:minor inode path`, with the numbers in hexadecimal (proc(5)). */
async function mapsFrom(system: Machine, folder: string, fileSystems: ReadonlySet<string>): Promise<boolean> {
  const maps = (await system.readText(`${folder}/maps`)) ?? ''
  for (const [, major = '', minor = ''] of maps.matchAll(/^\S+ \S+ \S+ ([0-9a-f]+):([0-9a-f]+) [1-9]/gm)) {
    if (fileSystems.has(`${parseInt(major, 16)}:${parseInt(minor, 16)}`)) return true
  }
  return false
}

/** The first program of each other mount namespace stands for it. */
async function mountsElsewhere(
  system: Machine,
  folder: string,
  fileSystems: ReadonlySet<string>,
  seen: Map<string, boolean>,
): Promise<boolean> {
  const namespace = await system.readLink(`${folder}/ns/mnt`)
  if (namespace === null || seen.has(namespace)) return false
  const mounts = parseMountinfo((await system.readText(`${folder}/mountinfo`)) ?? '')
  const there = mounts.some((mount) => fileSystems.has(mount.device))
  seen.set(namespace, there)
  return there
}
