/**
 * Which servers a person runs on this machine: a small file for each of their ports in the data folder, written when it is open
 * and removed at the end. After a crash it stays; so a file is only a hint, and whoever reads it looks whether the server answers.
 */
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const runningServerSchema = z.object({
  pid: z.number().int().positive(),
  /** Where its control port answers from this machine. */
  address: z.string().min(1).max(64),
  port: z.number().int().min(1).max(65_535),
  /** SHA-256 of its certificate. */
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
})
export type RunningServer = z.infer<typeof runningServerSchema>

const folderIn = (dataFolder: string) => join(dataFolder, 'servers')

/** Say that it runs, until disposed. A folder that can't be written is no reason not to serve: then nothing is said. */
export async function announceServer(
  dataFolder: string,
  server: Omit<RunningServer, 'pid'>,
): Promise<AsyncDisposable> {
  const folder = folderIn(dataFolder)
  const path = join(folder, `${process.pid}-${server.port}.json`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(`${path}.new`, `${JSON.stringify({ ...server, pid: process.pid })}\n`, { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
  return { [Symbol.asyncDispose]: () => unlink(path).catch(() => undefined) }
}

/** Those whose process is there, by port. What a dead one left is removed; what isn't ours is passed over. */
export async function runningServers(dataFolder: string): Promise<readonly RunningServer[]> {
  const folder = folderIn(dataFolder)
  const names = await readdir(folder).catch(() => [])
  const servers: RunningServer[] = []
  for (const name of names.filter((each) => /^\d+-\d+\.json$/.test(each))) {
    const path = join(folder, name)
    const server = parseServer(await readFile(path, 'utf8').catch(() => ''))
    if (server !== null && isThere(server.pid)) servers.push(server)
    else if (server !== null) await unlink(path).catch(() => undefined)
  }
  return servers.toSorted((a, b) => a.port - b.port)
}

function parseServer(text: string): RunningServer | null {
  try {
    return runningServerSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
