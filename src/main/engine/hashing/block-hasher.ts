/**
 * SHA-256 of blocks that have nothing to do with one another, several at once: each goes to a lane that is idle. The first
 * few are hashed in place, so that what is small doesn't wait for threads to start; a thread is started when all others
 * are at work and there is a processor left. WebCrypto does the same on the system's threads, but copies each block
 * (docs/adr/0004-changed-blocks-only.md has the figures).
 */
import { availableParallelism } from 'node:os'
import { invariant } from '#shared/errors'
import { createInlineLane, createThreadLane, type HashLane } from './hash-lane.ts'

export interface BlockHasher extends AsyncDisposable {
  /** Resolves to 32 bytes. `bytes`, in shared memory, stay as they are until then. Rejects when a lane broke. */
  digest(bytes: Uint8Array<SharedArrayBuffer>): Promise<Uint8Array>
}

export interface BlockHasherOptions {
  /** The most there may be. */
  readonly threads?: number
  /** Hashed in place before a thread is started. */
  readonly inlineBytes?: number
}

/** Without the processor's own instructions a thread hashes 0.4 GB/s: a fast disk keeps several busy. More only wait for it. */
const mostThreads = 8
/** A thread takes 25 ms to start; so long does this much take in place, with those instructions. */
const defaultInlineBytes = 32 * 1024 * 1024

/** Starts nothing yet. On one processor everything is hashed in place. */
export function createBlockHasher(options: BlockHasherOptions = {}): BlockHasher {
  return new Crew(options)
}

interface Member {
  readonly lane: HashLane
  underWay: number
}

class Crew implements BlockHasher {
  readonly #threads: number
  readonly #inline = createInlineLane()
  readonly #members: Member[] = []
  #inlineLeft: number

  constructor({ threads = availableParallelism(), inlineBytes = defaultInlineBytes }: BlockHasherOptions) {
    this.#threads = threads === 1 ? 0 : Math.min(threads, mostThreads)
    this.#inlineLeft = inlineBytes
  }

  async digest(bytes: Uint8Array<SharedArrayBuffer>): Promise<Uint8Array> {
    if (this.#threads === 0 || this.#inlineLeft >= bytes.length) {
      this.#inlineLeft -= bytes.length
      return digestIn(this.#inline, bytes)
    }
    this.#inlineLeft = 0
    const member = this.#idlest()
    member.underWay += 1
    try {
      return await digestIn(member.lane, bytes)
    } finally {
      member.underWay -= 1
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ lane }) => lane[Symbol.asyncDispose]()))
  }

  #idlest(): Member {
    let idlest: Member | undefined
    for (const member of this.#members)
      if (idlest === undefined || member.underWay < idlest.underWay) idlest = member
    if (idlest !== undefined && (idlest.underWay === 0 || this.#members.length === this.#threads))
      return idlest
    const started = { lane: createThreadLane(`blocks ${this.#members.length}`), underWay: 0 }
    this.#members.push(started)
    return started
  }
}

async function digestIn(lane: HashLane, bytes: Uint8Array<SharedArrayBuffer>): Promise<Uint8Array> {
  const steps = [
    { kind: 'bytes', at: bytes.byteOffset, lengthBytes: bytes.length },
    { kind: 'end', key: 0 },
  ] as const
  const [found] = await lane.run({ memory: bytes.buffer, steps })
  invariant(found !== undefined, 'an order that ends a digest answers it')
  return found.digest
}
