/**
 * Fetches the chunks of an image from its server into the window, ahead of the readers: in the order in which they will be
 * needed, a few large ranges at the same time, each asked for only when there is room for all of it. So a connection never
 * waits for a reader, and the first bytes of the next range are on their way before the last of this one are here.
 */
import type { WebSource } from '#engine/web-source'
import { invariant } from '#shared/errors'
import type { FetchPlan } from './fetch-plan.ts'
import {
  copyBytes,
  countRequests,
  endWindow,
  moreRequests,
  publish,
  takeWishes,
  withdraw,
  type WebWindow,
} from './web-window.ts'

export interface FetchedFile {
  readonly source: Pick<WebSource, 'sizeBytes' | 'stream'>
  /** Its chunks are numbered from here on. */
  readonly firstChunk: number
}

/**
 * Ranges that are asked for at the same time: what one connection loses to distance, the others make use of. From a server
 * nearby two are enough, and each more only costs processor time.
 */
const connections = { near: 2, far: 4 }
/** Chunks that are under way at most, shared evenly. */
const mostUnderWay = 32
/** An answer that begins later comes from afar, or from a busy server. */
const nearMs = 30
/** Slots whose chunks were read to their end are left as they are for so long: decoders go back a little. */
const lingering = 4

interface Slot {
  /** -1: none. */
  chunk: number
  /** Counts up with every use. */
  filledAt: number
  state: 'empty' | 'arriving' | 'here' | 'done'
}

export class WebFetcher {
  readonly #window: WebWindow
  readonly #files: readonly FetchedFile[]
  readonly #plan: FetchPlan
  readonly #slots: Slot[]
  readonly #stop = new AbortController()
  readonly #underWay = new Set<Promise<void>>()
  /** Chunks that are arriving. */
  readonly #arriving = new Set<number>()
  readonly #wishes = new Set<number>()
  #next = 0
  #clock = 0
  #watching: Promise<void> | null = null
  #connections = connections.near
  readonly #now: () => number

  /** `files` ascend by `firstChunk`; `now` counts ms. */
  constructor(
    window: WebWindow,
    files: readonly FetchedFile[],
    plan: FetchPlan,
    now: () => number = () => performance.now(),
  ) {
    this.#now = now
    this.#window = window
    this.#files = files
    this.#plan = plan
    this.#slots = Array.from({ length: window.slots }, () => ({ chunk: -1, filledAt: 0, state: 'empty' }))
    window.left.set(plan.demand)
  }

  start(): void {
    this.#watching = this.#watch()
  }

  /** Readers that wait are told that nothing comes any more. */
  stop(): void {
    endWindow(this.#window, null)
    this.#stop.abort(new Error('nothing more is needed'))
  }

  /** Resolves when no connection is busy any more. */
  async stopped(): Promise<void> {
    this.stop()
    await this.#watching
    await Promise.all(this.#underWay)
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const seen = countRequests(this.#window)
      this.#pump()
      await moreRequests(this.#window, seen)
    }
  }

  #pump(): void {
    for (const chunk of takeWishes(this.#window)) this.#wishes.add(chunk)
    this.#noticeDone()
    this.#grantWishes()
    while (this.#fetchNext());
  }

  #noticeDone(): void {
    for (const slot of this.#slots)
      if (slot.state === 'here' && Atomics.load(this.#window.left, slot.chunk) <= 0) {
        slot.state = 'done'
        slot.filledAt = ++this.#clock
      }
  }

  /** What somebody waits for now, and wouldn't come with the next ranges. */
  #grantWishes(): void {
    for (const chunk of this.#wishes) {
      const isHere = Atomics.load(this.#window.chunkSlot, chunk) > 0
      if (isHere || this.#arriving.has(chunk)) {
        this.#wishes.delete(chunk)
        continue
      }
      const slot = this.#freeSlots(1, 'any').at(0) ?? this.#evict()
      if (slot === null) continue
      this.#wishes.delete(chunk)
      this.#fetch([chunk], [slot])
    }
  }

  /** Ask for the next range of the plan. False when there is none, or no room for it, or enough under way. */
  #fetchNext(): boolean {
    const { order } = this.#plan
    while (this.#next < order.length && this.#isKnown(order[this.#next] ?? 0)) this.#next++
    if (this.#next >= order.length || this.#underWay.size >= this.#connections) return false
    const first = order[this.#next] ?? 0
    const file = this.#fileOf(first)
    const chunks = [first]
    const most = this.#isStarting ? 1 : mostUnderWay / this.#connections
    for (let index = this.#next + 1; index < order.length && chunks.length < most; index++) {
      const chunk = order[index] ?? 0
      if (chunk !== first + chunks.length || this.#fileOf(chunk) !== file || this.#isKnown(chunk)) break
      chunks.push(chunk)
    }
    const slots = this.#freeSlots(chunks.length, 'lingered')
    if (slots.length < chunks.length) return false
    this.#next += chunks.length
    this.#fetch(chunks, slots)
    return true
  }

  /** Until the first range is on its way, short ones: nobody can do anything before something is here. */
  get #isStarting(): boolean {
    return this.#next < this.#connections
  }

  #isKnown(chunk: number): boolean {
    return this.#arriving.has(chunk) || Atomics.load(this.#window.chunkSlot, chunk) > 0
  }

  /** Up to `count` slots that nothing is lost by using; first those that were done last, as the processor still has them. */
  #freeSlots(count: number, which: 'any' | 'lingered'): readonly number[] {
    const done = [...this.#slots.keys()]
      .filter((index) => this.#slots[index]?.state === 'done')
      .sort((a, b) => this.#filledAt(b) - this.#filledAt(a))
      .slice(which === 'any' ? 0 : lingering)
    const empty = [...this.#slots.keys()].filter((index) => this.#slots[index]?.state === 'empty')
    const found: number[] = []
    for (const index of [...done, ...empty]) {
      if (found.length >= count) break
      if (this.#clear(index)) found.push(index)
    }
    return found
  }

  /** A slot whose chunk will be needed again, and fetched again then: the one that came first of those that were begun. */
  #evict(): number | null {
    const { left } = this.#window
    const isBegun = ({ chunk }: Slot) => Atomics.load(left, chunk) < (this.#plan.demand[chunk] ?? 0)
    const here = this.#slots
      .map((slot, index) => ({ slot, index }))
      .filter(({ slot }) => slot.state === 'here')
      .toSorted(
        (a, b) => Number(isBegun(b.slot)) - Number(isBegun(a.slot)) || a.slot.filledAt - b.slot.filledAt,
      )
    return here.find(({ index }) => this.#clear(index))?.index ?? null
  }

  #clear(index: number): boolean {
    const slot = this.#slots[index]
    invariant(slot !== undefined, 'a slot that is none was cleared')
    if (slot.state === 'empty') return true
    if (!withdraw(this.#window, slot.chunk, index)) return false
    slot.state = 'empty'
    slot.chunk = -1
    return true
  }

  #filledAt(index: number): number {
    return this.#slots[index]?.filledAt ?? 0
  }

  #fileOf(chunk: number): FetchedFile {
    const file = this.#files.findLast(({ firstChunk }) => firstChunk <= chunk)
    invariant(file !== undefined, 'a chunk belongs to no file')
    return file
  }

  /** Chunks that follow one another in a file, into these slots. */
  #fetch(chunks: readonly number[], slots: readonly number[]): void {
    for (const [index, chunk] of chunks.entries()) {
      const slot = this.#slots[slots[index] ?? -1]
      invariant(slot !== undefined, 'a chunk has no slot')
      slot.chunk = chunk
      slot.state = 'arriving'
      this.#arriving.add(chunk)
    }
    const work = this.#receive(chunks, slots)
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) endWindow(this.#window, error)
        this.#stop.abort(error)
      })
      .finally(() => {
        this.#underWay.delete(work)
        if (!this.#stop.signal.aborted) this.#pump()
      })
    this.#underWay.add(work)
  }

  async #receive(chunks: readonly number[], slots: readonly number[]): Promise<void> {
    const { chunkBytes, bytes } = this.#window
    const first = chunks[0] ?? 0
    const { source, firstChunk } = this.#fileOf(first)
    const from = (first - firstChunk) * chunkBytes
    const to = Math.min(from + chunks.length * chunkBytes, source.sizeBytes)
    /** Where byte `offset` of the file and what follows it in its chunk belong. */
    const room = (offset: number) => {
      const within = (offset - from) % chunkBytes
      const start = (slots[Math.floor((offset - from) / chunkBytes)] ?? 0) * chunkBytes
      return bytes.subarray(start + within, start + chunkBytes)
    }
    const askedMs = this.#now()
    const take = (piece: Uint8Array, offset: number) => {
      if (offset === from)
        this.#connections = this.#now() - askedMs > nearMs ? connections.far : connections.near
      for (let done = 0; done < piece.length;) {
        const at = offset + done - from
        const index = Math.floor(at / chunkBytes)
        const within = at % chunkBytes
        const length = Math.min(piece.length - done, chunkBytes - within)
        // What was received in its place is there.
        if (piece.buffer !== bytes.buffer)
          copyBytes(piece.subarray(done, done + length), room(offset + done), 0)
        done += length
        if (within + length === chunkBytes || at + length === to - from)
          this.#arrived(chunks[index] ?? 0, slots[index] ?? 0)
      }
    }
    await source.stream(from, to, take, { signal: this.#stop.signal, room })
  }

  #arrived(chunk: number, index: number): void {
    const slot = this.#slots[index]
    if (slot !== undefined) {
      slot.state = 'here'
      slot.filledAt = ++this.#clock
    }
    this.#arriving.delete(chunk)
    publish(this.#window, chunk, index)
  }
}
