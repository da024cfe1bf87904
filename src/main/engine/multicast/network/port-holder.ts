/** Who listens on a TCP port, on Linux: the socket's inode in /proc/net/tcp, and the process that has it open. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'

const listening = '0A'

/** `nginx (1234)`, or null where the system doesn't tell or it is somebody else's. */
export async function portHolder(port: number): Promise<string | null> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  const inodes = new Set<string>()
  for (const line of tables.flatMap((table) => table.split('\n').slice(1))) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    if (local?.endsWith(`:${hex}`) === true && state === listening && inode !== undefined) inodes.add(inode)
  }
  if (inodes.size === 0) return null
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)))
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1]
      if (inode === undefined || !inodes.has(inode)) continue
      // A thread may call itself what it likes; the program's file is what people know.
      const program = await readlink(`/proc/${pid}/exe`).catch(() => '')
      const name = basename(program.replace(/ \(deleted\)$/, ''))
      return name === '' ? `process ${pid}` : `${name.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')} (${pid})`
    }
  return null
}
