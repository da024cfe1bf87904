/**
 * The SHA-256 of every block of a stream, kept in the data folder by what the file is, so that a server that is started again needn't
 * read the whole image first.
 *
 *     0   8   "rpsh" 1 (u32)
 *     8   8   size of the stream
 *     16  4   block size
 *     20  4   number of blocks
 *     24  32  root, as `rootOfBlocks` has it
 *     56      32 bytes a block
 *
 * A list that isn't whole or doesn't add up to its root counts as none.
 */
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import { mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rootOfBlocks } from '#engine/formats/udif'
import type { OpenBytes } from '#engine/multicast/orders'
import { orAborted } from '#engine/stream-connection'
import type { ServedSource } from './served-source.ts'

export interface StreamHashes {
  /** 32 bytes each. */
  readonly hashes: Uint8Array<ArrayBuffer>
  /** 32 bytes. */
  readonly root: Uint8Array
}

export interface HashOptions {
  /** Where lists are kept. */
  readonly folder: string
  readonly blockBytes: number
  readonly signal: AbortSignal
  readonly progress: (doneBytes: number) => void
}

const headerBytes = 56
const mark = 'rpsh'
const version = 1
/** Lists that are kept: those used last. */
const mostKept = 32
/** Blocks read and hashed at once. */
const parallel = 6

/** Throws what reading throws, the signal's reason. A folder that can't be written to is no obstacle. */
export async function hashStream(
  source: ServedSource,
  opened: OpenBytes,
  options: HashOptions,
): Promise<StreamHashes> {
  const { folder, blockBytes } = options
  const name =
    source.identity === null
      ? null
      : `${createHash('sha256').update(`${source.identity} ${blockBytes}`).digest('hex').slice(0, 32)}.hashes`
  const known = name === null ? null : await readList(join(folder, name), source, blockBytes)
  if (known !== null) return known
  const hashes = await readAndHash(source, opened, options)
  const found = {
    hashes,
    root: Buffer.from(rootOfBlocks({ blockBytes, hashes }, { diskBytes: source.bytes.sizeBytes }), 'hex'),
  }
  if (name !== null) await keepList(folder, name, source, blockBytes, found).catch(() => undefined)
  return found
}

async function readAndHash(
  { bytes }: ServedSource,
  source: OpenBytes,
  { blockBytes, signal, progress }: HashOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { sizeBytes } = bytes
  const blocks = Math.ceil(sizeBytes / blockBytes)
  const hashes = new Uint8Array(blocks * 32)
  let next = 0
  let done = 0
  const lane = async () => {
    const room = new Uint8Array(blockBytes)
    for (;;) {
      signal.throwIfAborted()
      const block = next++
      if (block >= blocks) return
      const offset = block * blockBytes
      const part = room.subarray(0, Math.min(blockBytes, sizeBytes - offset))
      // A server that is gone may never answer; this lane's room isn't anybody else's.
      await orAborted(source.read(part, offset, signal), signal)
      // In a thread of its own, so that whoever runs in this one isn't held up.
      hashes.set(new Uint8Array(await webcrypto.subtle.digest('SHA-256', part)), block * 32)
      done += part.length
      progress(done)
    }
  }
  const ended = await Promise.allSettled(
    Array.from({ length: parallel }, () =>
      lane().catch((error: unknown) => {
        // The others needn't go on.
        next = blocks
        throw error
      }),
    ),
  )
  for (const each of ended) if (each.status === 'rejected') throw each.reason
  return hashes
}

async function readList(
  path: string,
  { bytes }: ServedSource,
  blockBytes: number,
): Promise<StreamHashes | null> {
  const { sizeBytes } = bytes
  const blocks = Math.ceil(sizeBytes / blockBytes)
  const list = await readFile(path).catch(() => null)
  if (list?.length !== headerBytes + blocks * 32) return null
  const isOurs =
    list.toString('latin1', 0, 4) === mark &&
    list.readUInt32BE(4) === version &&
    list.readBigUInt64BE(8) === BigInt(sizeBytes) &&
    list.readUInt32BE(16) === blockBytes &&
    list.readUInt32BE(20) === blocks
  if (!isOurs) return null
  const hashes = Uint8Array.from(list.subarray(headerBytes))
  const root = list.subarray(24, 56)
  if (rootOfBlocks({ blockBytes, hashes }, { diskBytes: sizeBytes }) !== root.toString('hex')) return null
  await utimes(path, new Date(), new Date()).catch(() => undefined)
  return { hashes, root: Uint8Array.from(root) }
}

async function keepList(
  folder: string,
  name: string,
  { bytes }: ServedSource,
  blockBytes: number,
  { hashes, root }: StreamHashes,
): Promise<void> {
  const header = Buffer.alloc(headerBytes)
  header.write(mark, 0, 'latin1')
  header.writeUInt32BE(version, 4)
  header.writeBigUInt64BE(BigInt(bytes.sizeBytes), 8)
  header.writeUInt32BE(blockBytes, 16)
  header.writeUInt32BE(hashes.length / 32, 20)
  header.set(root, 24)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, name)
  const made = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(made, Buffer.concat([header, hashes]), { mode: 0o600 })
  await rename(made, path)
  const kept = await Promise.all(
    (await readdir(folder))
      .filter((file) => file.includes('.hashes'))
      .map(async (file) => ({ file, usedMs: (await stat(join(folder, file))).mtimeMs })),
  )
  for (const { file } of kept.toSorted((a, b) => b.usedMs - a.usedMs).slice(mostKept))
    await unlink(join(folder, file))
}
