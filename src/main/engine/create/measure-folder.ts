/** How much is in a folder, and whether all of it can be read: before hours are spent on it. */
import { constants, lstat, open, readdir } from 'node:fs/promises'
import { sep } from 'node:path'
import { openFailure } from '#engine/block-io'

export interface FolderMeasure {
  /** Files, folders, links and all else, the folder itself included. */
  readonly entries: number
  /** What the files hold, holes left out. */
  readonly contentBytes: number
  /** What that takes in blocks of 4 KiB, folders and long links included. */
  readonly blockBytes: number
}

const blockBytes = 4096
/** A link up to this length lives in its inode. */
const shortLinkBytes = 60

/** A pipe that took a file's place must not keep us waiting. */
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

const roundUp = (bytes: number) => Math.ceil(bytes / blockBytes) * blockBytes

/** Throws DeviceError E_DENIED, E_IO_READ, … with the path of the first that can't be read; the signal's reason. */
export async function measureFolder(path: string, signal: AbortSignal): Promise<FolderMeasure> {
  const linked = new Set<string>()
  // Names of files are bytes; not all of them are text.
  const waiting = [Buffer.from(path)]
  let entries = 0
  let contentBytes = 0
  let blocks = 0
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    signal.throwIfAborted()
    const at = folder
    let nameBytes = 0
    entries += 1
    await trying(at, async () => {
      for (const entry of await readdir(at, { withFileTypes: true, encoding: 'buffer' })) {
        const each = Buffer.concat([at, Buffer.from(sep), entry.name])
        nameBytes += 16 + entry.name.length
        if (entry.isDirectory()) waiting.push(each)
        else await measure(each)
      }
    })
    // A folder split into blocks by hashes is filled to two thirds or so.
    blocks += roundUp(nameBytes * 1.5)
  }
  return { entries, contentBytes, blockBytes: blocks }

  async function measure(each: Buffer): Promise<void> {
    const facts = await trying(each, () => lstat(each))
    // mke2fs makes a link of each name of a symbolic one.
    if (facts.nlink > 1 && !facts.isDirectory() && !facts.isSymbolicLink()) {
      const id = `${facts.dev}:${facts.ino}`
      if (linked.has(id)) return
      linked.add(id)
    }
    entries += 1
    if (facts.isSymbolicLink() && facts.size >= shortLinkBytes) blocks += blockBytes
    if (!facts.isFile()) return
    // Only opening it tells: permissions are not all that may stand against it.
    await trying(each, () => open(each, readFlags).then((file) => file.close()))
    const held = Math.min(facts.size, facts.blocks * 512)
    contentBytes += held
    // Some file systems keep small files where they count no blocks.
    blocks += Math.max(roundUp(held), Math.min(roundUp(facts.size), blockBytes))
  }
}

async function trying<T>(path: Buffer, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw openFailure(error, path.toString(), 'source')
  }
}
