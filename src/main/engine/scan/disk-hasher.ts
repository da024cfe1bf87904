/**
 * The numbers a scan stores, of the bytes of the disk inside as they are told, in order:
 *
 *     of each partition    SHA-256 and block checksum; what the image marks as ignored counts in neither
 *     of each block        SHA-256; what is ignored counts as zeros
 *
 * The two digests need every byte, each in its own order: they have a lane each. The block checksum is so fast that it is made
 * here. Zeros are cheap where they can be: a block of them has a digest that is known; a partition's digest has to take them in,
 * at the speed of the processor and without touching the disk.
 */
import { createHash } from 'node:crypto'
import type { ExtentLayout } from '#engine/formats/extents'
import { digestBytes } from '#engine/formats/udif'
import type { Digest, HashLane, HashStep } from '#engine/hashing'
import { invariant } from '#shared/errors'
import { addToBlockChecksum } from './block-checksum.ts'
import { CountedParts } from './counted-parts.ts'

/** A stretch of the disk that gets numbers of its own. Stretches ascend and don't overlap. */
export interface Stretch {
  readonly offset: number
  readonly sizeBytes: number
}

export interface StretchNumbers {
  readonly sha256: Uint8Array
  readonly blockChecksum: number
  /** Bytes that count: all but the ignored ones. */
  readonly countedBytes: number
}

export interface DiskHasherOptions {
  readonly layout: ExtentLayout
  readonly stretches: readonly Stretch[]
  readonly blockBytes: number
  readonly lanes: { readonly stretches: HashLane; readonly blocks: HashLane }
}

/** Zeros handed to a lane before it is waited for. */
const zerosAhead = 64 * 1024 * 1024

export class DiskHasher {
  readonly #options: DiskHasherOptions
  readonly #hashes: Uint8Array
  readonly #zeroBlock: Uint8Array
  readonly #numbers: { sha256: Uint8Array; blockChecksum: number; countedBytes: number }[]
  #told = 0
  #stretch = 0
  readonly #counted: CountedParts
  #zerosAhead = 0
  #failure: { readonly reason: unknown } | null = null
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: DiskHasherOptions) {
    this.#options = options
    this.#counted = new CountedParts(options.layout.extents)
    const { layout, blockBytes, stretches } = options
    this.#hashes = new Uint8Array(Math.ceil(layout.sizeBytes / blockBytes) * digestBytes)
    this.#zeroBlock = createHash('sha256').update(new Uint8Array(blockBytes)).digest()
    this.#numbers = stretches.map(() => ({ sha256: new Uint8Array(0), blockChecksum: 0, countedBytes: 0 }))
  }

  /**
   * The next bytes; they lie in shared memory. Returns at once; `release` is called when they aren't needed any more, also when
   * a lane broke. Throws what broke a lane before.
   */
  data(offset: number, bytes: Uint8Array, release: () => void): void {
    this.#check()
    const memory = bytes.buffer
    invariant(memory instanceof SharedArrayBuffer, 'hash lanes read shared memory')
    const piece = (from: number, to: number): HashStep => ({
      kind: 'bytes',
      at: bytes.byteOffset + from - offset,
      lengthBytes: to - from,
    })
    const blockSteps = this.#blockSteps(offset, bytes.length, piece)
    const stretchSteps = this.#stretchSteps(offset, bytes.length, (from, to, index) => {
      const numbers = this.#numbers[index]
      if (numbers !== undefined)
        numbers.blockChecksum = addToBlockChecksum(
          numbers.blockChecksum,
          bytes.subarray(from - offset, to - offset),
        )
      return piece(from, to)
    })
    void this.#send(memory, blockSteps, stretchSteps).then(release)
  }

  /** The next bytes are zeros. Resolves when there is room for more. Rejects when a lane broke. */
  async zero(offset: number, lengthBytes: number): Promise<void> {
    const piece = (from: number, to: number): HashStep => ({ kind: 'zeros', lengthBytes: to - from })
    for (let done = 0; done < lengthBytes; done += zerosAhead) {
      this.#check()
      const at = offset + done
      const length = Math.min(zerosAhead, lengthBytes - done)
      const work = this.#send(null, this.#blockSteps(at, length, null), this.#stretchSteps(at, length, piece))
      this.#zerosAhead += length
      void work.then(() => (this.#zerosAhead -= length))
      if (this.#zerosAhead > zerosAhead) await work
    }
  }

  /** The next bytes are ignored. Throws what broke a lane. */
  unused(offset: number, lengthBytes: number): void {
    this.#check()
    void this.#send(
      null,
      this.#blockSteps(offset, lengthBytes, null),
      this.#stretchSteps(offset, lengthBytes, null),
    )
  }

  /** After the last byte. Rejects when a lane broke. */
  async finish(): Promise<{ readonly stretches: readonly StretchNumbers[]; readonly hashes: Uint8Array }> {
    const { sizeBytes } = this.#options.layout
    invariant(this.#told === sizeBytes, 'the disk was not told to its end')
    await this.#send(null, [], this.#endStretches(sizeBytes))
    // Lanes keep the order: when the last is done, all are.
    await Promise.all(this.#underWay)
    this.#check()
    return { stretches: this.#numbers, hashes: this.#hashes }
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.reason
  }

  /** Never rejects: what fails is thrown by the next call. */
  #send(
    memory: SharedArrayBuffer | null,
    blocks: readonly HashStep[],
    stretches: readonly HashStep[],
  ): Promise<void> {
    const work = Promise.all([
      this.#run('blocks', memory, blocks),
      this.#run('stretches', memory, stretches),
    ]).then(
      () => undefined,
      (reason: unknown) => {
        this.#failure ??= { reason }
      },
    )
    this.#underWay.add(work)
    return work.finally(() => this.#underWay.delete(work))
  }

  async #run(
    lane: 'stretches' | 'blocks',
    memory: SharedArrayBuffer | null,
    steps: readonly HashStep[],
  ): Promise<void> {
    if (steps.length === 0) return
    const digests = await this.#options.lanes[lane].run({ memory, steps })
    for (const digest of digests) this.#keep(lane, digest)
  }

  #keep(lane: 'stretches' | 'blocks', { key, digest }: Digest): void {
    if (lane === 'blocks') this.#hashes.set(digest, key * digestBytes)
    else {
      const numbers = this.#numbers[key]
      invariant(numbers !== undefined, 'a digest is of a stretch')
      numbers.sha256 = digest
    }
  }

  /** Steps for the blocks that these bytes are in. `piece` null: they are zeros. */
  #blockSteps(
    offset: number,
    lengthBytes: number,
    piece: ((from: number, to: number) => HashStep) | null,
  ): HashStep[] {
    const { blockBytes, layout } = this.#options
    const steps: HashStep[] = []
    const end = offset + lengthBytes
    for (let at = offset; at < end;) {
      const index = Math.floor(at / blockBytes)
      const blockStart = index * blockBytes
      const blockEnd = Math.min(blockStart + blockBytes, layout.sizeBytes)
      const to = Math.min(end, blockEnd)
      if (piece === null && at === blockStart && to === blockStart + blockBytes)
        this.#hashes.set(this.#zeroBlock, index * digestBytes)
      else {
        steps.push(piece === null ? { kind: 'zeros', lengthBytes: to - at } : piece(at, to))
        if (to === blockEnd) steps.push({ kind: 'end', key: index })
      }
      at = to
    }
    return steps
  }

  /** Steps for the stretches that these bytes are in. `piece` null: they don't count. */
  #stretchSteps(
    offset: number,
    lengthBytes: number,
    piece: ((from: number, to: number, index: number) => HashStep) | null,
  ): HashStep[] {
    invariant(offset === this.#told, 'the disk is told in order')
    const end = offset + lengthBytes
    const steps: HashStep[] = []
    while (this.#told < end) {
      steps.push(...this.#endStretches(this.#told))
      const stretch = this.#options.stretches[this.#stretch]
      if (stretch === undefined || stretch.offset >= end) break
      const from = Math.max(this.#told, stretch.offset)
      const to = Math.min(end, stretch.offset + stretch.sizeBytes)
      if (piece !== null)
        for (const [first, last] of this.#counted.between(from, to)) {
          steps.push(piece(first, last, this.#stretch))
          const numbers = this.#numbers[this.#stretch]
          if (numbers !== undefined) numbers.countedBytes += last - first
        }
      this.#told = to
    }
    this.#told = end
    return steps
  }

  /** Ends the stretches that lie before `offset` as a whole. */
  #endStretches(offset: number): HashStep[] {
    const steps: HashStep[] = []
    for (;;) {
      const stretch = this.#options.stretches[this.#stretch]
      if (stretch === undefined || stretch.offset + stretch.sizeBytes > offset) return steps
      steps.push({ kind: 'end', key: this.#stretch })
      this.#stretch++
    }
  }
}
