/**
 * A file while it is received: `NAME.part` with the stream's bytes where they belong and a journal behind them. It takes its name
 * when it is complete. What is killed goes on where it was: a block is in the journal only when it is on the medium; without a journal
 * it has all of them, as that is cut off last.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { link, lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  errnoOf,
  exchanged,
  holdAlone,
  openFailure,
  readFailure,
  syncFolder,
  writeFailure,
} from '#engine/block-io'
import { DeviceError, UsageError } from '#shared/errors'
import type { AgreedFile } from './agreed-file.ts'
import { encodeJournal, journalPlace, parseJournal, type StreamFacts } from './part-journal.ts'

export interface PartFile extends AsyncDisposable {
  readonly path: string
  /** By block: 1 when an earlier run left it here. */
  readonly have: Uint8Array
  /** Throws DeviceError E_DST_FULL, E_IO_WRITE, … */
  write(block: number, bytes: Uint8Array): Promise<void>
  /** Bring to the medium what was written, and then say so in the journal. Once something was lost on the way, never again. */
  save(): Promise<void>
  /** These blocks turned out to be wrong: the next run gets them again. */
  forget(blocks: readonly number[]): Promise<void>
  read(block: number): Promise<Uint8Array>
  /** Whether this file still lies at its path, or has its name by now: else what came is lost with it. */
  isThere(): Promise<boolean>
  /**
   * Complete: cut the journal off and give it its name, which something else may have only if that was agreed to. Throws what
   * `agreed` does; DeviceError E_DST_CHANGED where it isn't there itself any more.
   */
  finish(name: string, agreed: Pick<AgreedFile, 'isThere'>): Promise<void>
}

export const partPath = (path: string): string => `${path}.part`

/** The stream that a file is of. */
export interface PartStream extends StreamFacts {
  /** SHA-256 of a block; null while it isn't known. */
  readonly hashOf: (block: number) => Uint8Array | null
}

/**
 * What an earlier run left at `path`: nothing, the beginning of this stream, or something else. Throws DeviceError; UsageError
 * E_DST_KIND for a link, which is never followed.
 */
export async function lookAtPart(
  path: string,
  stream: PartStream,
): Promise<
  | { readonly kind: 'absent' }
  | { readonly kind: 'foreign'; readonly sizeBytes: number; readonly allocatedBytes: number }
  | { readonly kind: 'begun'; readonly haveBlocks: number; readonly allocatedBytes: number }
> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const { size, blocks } = await file.stat()
    if (size === 0) return { kind: 'begun', haveBlocks: 0, allocatedBytes: 0 }
    const journal = await readLeft(file, stream, size)
    if (journal === null) return { kind: 'foreign', sizeBytes: size, allocatedBytes: blocks * 512 }
    const haveBlocks = journal.have.reduce((sum, value) => sum + value, 0)
    return { kind: 'begun', haveBlocks, allocatedBytes: blocks * 512 }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { kind: 'absent' }
    if (errnoOf(error) === 'ELOOP') throw partIsLink(path)
    throw openFailure(error, path, 'destination')
  }
}

interface PartFileOptions {
  /**
   * What isn't of this stream may be replaced, or it throws: UsageError E_DST_EXISTS, and where it wasn't there when it was asked
   * what may be, DeviceError E_DST_CHANGED.
   */
  readonly foreign: 'replace' | 'refuse' | 'unforeseen'
  /** For tests; default: the system's. */
  readonly openFile?: typeof open
}

/** Go on with what is there, or begin. Throws DeviceError E_DENIED, E_DST_FULL, E_DST_BUSY, …; UsageError E_DST_KIND. */
export async function openPartFile(
  path: string,
  stream: PartStream,
  { foreign, openFile = open }: PartFileOptions,
): Promise<PartFile> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  let file: FileHandle
  try {
    file = await openFile(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666)
  } catch (error) {
    throw openFailure(error, path, 'destination')
  }
  let held: AsyncDisposable | null = null
  try {
    const before = await file.stat()
    if (!before.isFile())
      throw new UsageError('E_DST_KIND', `${path} is not a plain file`, {
        details: { input: 'target', path, what: 'not a plain file' },
      })
    held = await holdAlone(path, before)
    // Without a root two streams can't be told apart, so none is gone on with.
    const isKnown = stream.root.some((byte) => byte !== 0)
    const journal = before.size > 0 ? await readLeft(file, stream, before.size) : null
    const isBegun = journal !== null && isKnown
    if (journal === null && before.size > 0) {
      if (foreign === 'refuse') throw partExists(path)
      if (foreign === 'unforeseen') throw partCame(path)
    }
    if (!isBegun) await file.truncate(0)
    const part = new Part(path, file, stream, isBegun ? journal : null, held)
    if (!isBegun) await part.save()
    return part
  } catch (error) {
    await file.close()
    await held?.[Symbol.asyncDispose]()
    throw writeFailure(error, path)
  }
}

export const partExists = (path: string) =>
  new UsageError(
    'E_DST_EXISTS',
    `${path} exists, isn't the beginning of this image, and Erase wasn't given`,
    {
      details: { input: 'erase', path },
    },
  )

const partCame = (path: string) =>
  new DeviceError('E_DST_CHANGED', `${path} came since the plan was made`, {
    details: { path, kind: 'file', what: 'contents' },
  })

const partIsLink = (path: string) =>
  new UsageError('E_DST_KIND', `${path} is a link`, {
    details: {
      input: 'target',
      path,
      problem: `'${path}', where the file would be until it is complete, is a link.`,
      hint: 'Remove the link, or choose another name for the file.',
    },
  })

/** What is on the medium of this stream; null for what isn't of it. */
async function readLeft(file: FileHandle, stream: PartStream, sizeBytes: number) {
  const journal = await readJournal(file, stream)
  if (journal !== null || sizeBytes !== stream.sizeBytes) return journal
  // A run that was killed between cutting off its journal and giving it its name. Somebody else's file may be as long.
  const blocks = Math.ceil(sizeBytes / stream.blockBytes)
  for (const block of [0, blocks - 1]) if (!(await hasBlock(file, stream, block))) return null
  return { turn: 0, have: new Uint8Array(blocks).fill(1) }
}

async function hasBlock(file: FileHandle, stream: PartStream, block: number): Promise<boolean> {
  const hash = stream.hashOf(block)
  if (hash === null) return false
  const offset = block * stream.blockBytes
  const bytes = new Uint8Array(Math.min(stream.blockBytes, stream.sizeBytes - offset))
  const { bytesRead } = await file.read(bytes, 0, bytes.length, offset)
  return bytesRead === bytes.length && createHash('sha256').update(bytes).digest().equals(hash)
}

/** The newer of the two copies that are whole. */
async function readJournal(file: FileHandle, facts: StreamFacts) {
  const { offsets, lengthBytes } = journalPlace(facts)
  let newest = null
  for (const offset of offsets) {
    const bytes = new Uint8Array(lengthBytes)
    const { bytesRead } = await file.read(bytes, 0, lengthBytes, offset)
    const journal = bytesRead === lengthBytes ? parseJournal(bytes, facts) : null
    if (journal !== null && (newest === null || journal.turn > newest.turn)) newest = journal
  }
  return newest
}

class Part implements PartFile {
  readonly path: string
  readonly have: Uint8Array
  readonly #file: FileHandle
  readonly #facts: StreamFacts
  readonly #held: AsyncDisposable
  #turn: number
  #isNamed = false
  #saving: Promise<void> = Promise.resolve()
  /** One that hasn't begun yet: it saves what is asked for until it does. */
  #nextSave: Promise<void> | null = null
  /** All that was to be on the medium is. Of what was lost the system tells once, so when that failed it stays so. */
  #synced: Promise<void> = Promise.resolve()

  constructor(
    path: string,
    file: FileHandle,
    facts: StreamFacts,
    journal: { readonly turn: number; readonly have: Uint8Array } | null,
    held: AsyncDisposable,
  ) {
    this.path = path
    this.#file = file
    this.#facts = facts
    this.#held = held
    this.#turn = journal?.turn ?? 0
    this.have = journal?.have ?? new Uint8Array(Math.ceil(facts.sizeBytes / facts.blockBytes))
  }

  async write(block: number, bytes: Uint8Array): Promise<void> {
    const offset = block * this.#facts.blockBytes
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, offset + done)
        done += bytesWritten
      }
    } catch (error) {
      throw writeFailure(error, this.path, offset)
    }
    this.have[block] = 1
  }

  async save(): Promise<void> {
    // Behind a file that has its name no journal belongs.
    if (this.#isNamed) return
    if (this.#nextSave === null) {
      const save = () => {
        this.#nextSave = null
        return this.#save()
      }
      this.#nextSave = this.#saving.then(save, save)
      this.#saving = this.#nextSave
    }
    await this.#nextSave
  }

  async forget(blocks: readonly number[]): Promise<void> {
    for (const block of blocks) this.have[block] = 0
    await this.save()
  }

  async read(block: number): Promise<Uint8Array> {
    const { blockBytes, sizeBytes } = this.#facts
    const offset = block * blockBytes
    const bytes = new Uint8Array(Math.min(blockBytes, sizeBytes - offset))
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
    } catch (error) {
      throw readFailure(error, this.path, offset, 'destination')
    }
    return bytes
  }

  async isThere(): Promise<boolean> {
    if (this.#isNamed) return true
    const [now, ours] = await Promise.all([lstat(this.path).catch(() => null), this.#file.stat()])
    return now !== null && now.dev === ours.dev && now.ino === ours.ino
  }

  async finish(name: string, agreed: Pick<AgreedFile, 'isThere'>): Promise<void> {
    try {
      await this.#saving
      await this.#file.truncate(this.#facts.sizeBytes)
      await this.#file.sync()
      if (!(await this.isThere())) throw exchanged(this.path)
      if (await agreed.isThere()) await rename(this.path, name)
      else await this.#nameNew(name, agreed)
      this.#isNamed = true
      await syncFolder(dirname(name))
    } catch (error) {
      throw writeFailure(error, name)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saving.catch(() => undefined)
    await this.#file.close()
    await this.#held[Symbol.asyncDispose]()
  }

  /** A second name never takes the place of anything; where a file can't have two, it is looked for first. */
  async #nameNew(name: string, agreed: Pick<AgreedFile, 'isThere'>): Promise<void> {
    try {
      await link(this.path, name)
    } catch {
      // Says who was faster, where that was why.
      await agreed.isThere()
      return await rename(this.path, name)
    }
    // Its first name may be left where nobody may take it away: it is the same file.
    await unlink(this.path).catch(() => undefined)
  }

  async #save(): Promise<void> {
    // What is written from now on may or may not be on the medium: it isn't in this one.
    const have = this.have.slice()
    this.#turn += 1
    const { offsets } = journalPlace(this.#facts)
    const record = encodeJournal({ ...this.#facts, turn: this.#turn, have })
    try {
      this.#synced = this.#synced.then(() => this.#file.datasync())
      await this.#synced
      await this.#file.write(record, 0, record.length, offsets[this.#turn % 2 === 0 ? 0 : 1])
    } catch (error) {
      throw writeFailure(error, this.path)
    }
  }
}
