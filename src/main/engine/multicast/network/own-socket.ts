/**
 * What Linux knows of this process's own UDP sockets: in /proc/net/udp their inode and how many datagrams it threw away because
 * a buffer was full (the last column), in /proc/self/fd the descriptor of each inode. Other systems don't say.
 */
import { readFile, readlink, readdir } from 'node:fs/promises'

export interface OwnSocket {
  readonly inode: number
  readonly descriptor: number
}

/** By inode of the socket: what was dropped. Of those bound to this address and port. Pure. */
export function parseDrops(text: string, address: string, port: number): Map<number, number> {
  const found = new Map<number, number>()
  const wanted = localAddress(address, port)
  for (const line of text.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/)
    if (columns[1] !== wanted) continue
    const [inode, drops] = [Number(columns[9]), Number(columns[12])]
    if (Number.isSafeInteger(inode) && Number.isSafeInteger(drops)) found.set(inode, drops)
  }
  return found
}

/** As the kernel of a little-endian machine prints it: `010000EF:1E78` for 239.0.0.1:7800. */
function localAddress(address: string, port: number): string {
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0')
  const bytes = address.split('.').map((part) => hex(Number(part), 2))
  return `${bytes.toReversed().join('')}:${hex(port, 4)}`
}

/** Null where the system doesn't tell. */
export async function readDrops(address: string, port: number): Promise<Map<number, number> | null> {
  try {
    return parseDrops(await readFile('/proc/net/udp', 'latin1'), address, port)
  } catch {
    return null
  }
}

/**
 * The socket of this process that is bound to this address and port and wasn't among `before`, which was read before it was
 * bound. Null where the system doesn't tell, or there are several.
 */
export async function findOwnSocket(
  address: string,
  port: number,
  before: ReadonlyMap<number, number> | null = new Map(),
): Promise<OwnSocket | null> {
  if (before === null) return null
  const descriptors = await ownDescriptors()
  const found = [...((await readDrops(address, port)) ?? new Map<number, number>()).keys()].flatMap(
    (inode) => {
      const descriptor = descriptors.get(inode)
      return descriptor === undefined || before.has(inode) ? [] : [{ inode, descriptor }]
    },
  )
  return found.length === 1 ? (found[0] as OwnSocket) : null
}

/** By inode, of the sockets that this process has; empty where the system doesn't tell. */
async function ownDescriptors(): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  const names = await readdir('/proc/self/fd').catch(() => [])
  for (const name of names) {
    const link = await readlink(`/proc/self/fd/${name}`).catch(() => '')
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1]
    if (inode !== undefined) found.set(Number(inode), Number(name))
  }
  return found
}
