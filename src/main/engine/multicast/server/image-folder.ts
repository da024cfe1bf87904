/**
 * Folders for images that are made to be streamed. They go with their session; a server that is killed leaves them, perhaps with many
 * gigabytes in them. So each says which process it belongs to, and a server that starts removes those whose process is gone: of this
 * person and on this computer, and only where that is certain.
 */
import { lstat, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { errnoOf, openFailure } from '#engine/block-io'
import type { Logger } from '#shared/log'

const ownerSchema = z.object({
  host: z.string(),
  pid: z.number().int().positive(),
  /** Which start of the computer, which space of process numbers, and when it began there: numbers are used again. Null: not Linux. */
  boot: z.string().nullable(),
  space: z.string().nullable(),
  began: z.string().nullable(),
})
type Owner = z.infer<typeof ownerSchema>

const prefix = 'reprise-stream-'
const ownerFile = 'owner.json'

/** A new folder in `parent`, this process's. Throws DeviceError E_NOT_FOUND, E_DENIED, E_DST_FULL, … */
export async function makeImageFolder(parent: string): Promise<string> {
  let folder: string | null = null
  try {
    folder = await mkdtemp(join(parent, prefix))
    const owner = { host: hostname(), pid: process.pid, ...(await here()), began: await beganOf(process.pid) }
    await writeFile(join(folder, ownerFile), `${JSON.stringify(owner satisfies Owner)}\n`)
    return folder
  } catch (error) {
    if (folder !== null) await rm(folder, { recursive: true, force: true })
    throw openFailure(error, parent, 'destination')
  }
}

/** Never rejects: what can't be looked at or removed stays. */
export async function sweepImageFolders(parent: string, log: Logger): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const folder = join(parent, name)
    try {
      const facts = await lstat(folder)
      if (!facts.isDirectory() || facts.uid !== process.getuid?.()) continue
      const owner = ownerSchema.safeParse(JSON.parse(await readFile(join(folder, ownerFile), 'utf8')))
      if (!owner.success || !(await isGone(owner.data))) continue
      await rm(folder, { recursive: true, force: true })
      log.info('removed what a server left that was killed', { folder, pid: owner.data.pid })
    } catch (error) {
      log.debug('a folder was left as it is', { folder, error: String(error) })
    }
  }
}

async function isGone({ host, pid, boot, space, began }: Owner): Promise<boolean> {
  const now = await here()
  if (host !== hostname() || space !== now.space) return false
  if (boot !== now.boot) return true
  if (began !== null) return (await beganOf(pid)) !== began
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return errnoOf(error) === 'ESRCH'
  }
}

async function here(): Promise<Pick<Owner, 'boot' | 'space'>> {
  if (process.platform !== 'linux') return { boot: null, space: null }
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
  return { boot: boot.trim(), space: await readlink('/proc/self/ns/pid') }
}

/** Null: there is no such process, or the system doesn't tell. */
async function beganOf(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return null
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name in the brackets may hold anything; `starttime` is the 22nd field, 20 behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return null
    throw error
  }
}
