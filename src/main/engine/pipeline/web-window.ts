/**
 * What has arrived from a server and wasn't read yet, in memory that all threads share. Files are cut into *chunks*, the
 * window into as many *slots*; a fetcher puts chunks into slots ahead of their readers (`web-fetcher.ts`), readers wait for
 * the chunks they need. What is read here:
 *
 *     chunkSlot   where each chunk is, plus one; 0: nowhere
 *     left        bytes of each chunk that will still be read; at 0 its slot may be used anew
 *     pins        readers that are copying out of each slot
 *     wishes      chunks that somebody waits for, plus one
 *     control     signs of life, see below
 *
 * Whatever order readers come in, and however often: a chunk that isn't there is wished for, and comes again.
 */
import { BugError, deserializeError, serializeError, type SerializedError } from '#shared/errors'

/** Plain data over shared memory: sent to the workers. */
export interface WebWindow {
  readonly chunkBytes: number
  readonly slots: number
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly chunkSlot: Int32Array<SharedArrayBuffer>
  readonly left: Int32Array<SharedArrayBuffer>
  readonly pins: Int32Array<SharedArrayBuffer>
  readonly wishes: Int32Array<SharedArrayBuffer>
  readonly control: Int32Array<SharedArrayBuffer>
  /** Why nothing more comes, as JSON. */
  readonly failure: Uint8Array<SharedArrayBuffer>
}

/** A file in the window: its chunks are numbered from `firstChunk` on. */
export interface WindowFile {
  readonly window: WebWindow
  readonly firstChunk: number
  readonly sizeBytes: number
}

/** Counts up whenever a chunk has arrived, or everything ended: readers wait for that. */
const arrivals = 0
/** Counts up whenever readers are done with a chunk or wish for one: the fetcher waits for that. */
const requests = 1
/** Zero while it runs; else how long the failure's text is. */
const ended = 2

const mostWishes = 64
const failureBytes = 65_536

const int32 = (count: number) => new Int32Array(new SharedArrayBuffer(count * 4))

export function allocateWindow(chunks: number, slots: number, chunkBytes: number): WebWindow {
  return {
    chunkBytes,
    slots,
    bytes: new Uint8Array(new SharedArrayBuffer(slots * chunkBytes)),
    chunkSlot: int32(chunks),
    left: int32(chunks),
    pins: int32(slots),
    wishes: int32(mostWishes),
    control: int32(3),
    failure: new Uint8Array(new SharedArrayBuffer(failureBytes)),
  }
}

/**
 * `from` into `into` at `offset`. `set` goes byte by byte where shared memory is involved and the two aren't aligned alike, which
 * is six times as slow.
 */
export function copyBytes(from: Uint8Array, into: Uint8Array, offset: number): void {
  asBuffer(from).copy(asBuffer(into), offset)
}

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array) => Buffer.from(buffer, byteOffset, length)

// --- readers

/** Fill `into` from `offset` of the file, blocking the thread. Returns its bytes, fewer only at the end of the file. */
export function readWindow(file: WindowFile, offset: number, into: Uint8Array): number {
  const wanted = wantedBytes(file, offset, into.length)
  for (let done = 0; done < wanted;) {
    const seen = Atomics.load(file.window.control, arrivals)
    const got = take(file, offset + done, into.subarray(done, wanted))
    if (got === 0) Atomics.wait(file.window.control, arrivals, seen)
    done += got
  }
  return wanted
}

/** The same, without blocking. */
export async function readWindowLater(file: WindowFile, offset: number, into: Uint8Array): Promise<number> {
  const wanted = wantedBytes(file, offset, into.length)
  for (let done = 0; done < wanted;) {
    const seen = Atomics.load(file.window.control, arrivals)
    const got = take(file, offset + done, into.subarray(done, wanted))
    if (got === 0) await Atomics.waitAsync(file.window.control, arrivals, seen).value
    done += got
  }
  return wanted
}

const wantedBytes = ({ sizeBytes }: WindowFile, offset: number, lengthBytes: number) =>
  Math.max(0, Math.min(lengthBytes, sizeBytes - offset))

/** What is there of one chunk; 0 when it must be waited for. Throws when nothing will come any more. */
function take({ window, firstChunk }: WindowFile, offset: number, into: Uint8Array): number {
  const { chunkBytes, chunkSlot, pins, bytes, left } = window
  const chunk = firstChunk + Math.floor(offset / chunkBytes)
  const within = offset % chunkBytes
  const length = Math.min(into.length, chunkBytes - within)
  const place = Atomics.load(chunkSlot, chunk)
  if (place > 0) {
    const slot = place - 1
    Atomics.add(pins, slot, 1)
    // It may have been given to another chunk before the pin was seen.
    const holds = Atomics.load(chunkSlot, chunk) === place
    const from = slot * chunkBytes + within
    if (holds) copyBytes(bytes.subarray(from, from + length), into, 0)
    Atomics.sub(pins, slot, 1)
    if (holds) {
      if (Atomics.sub(left, chunk, length) <= length) tellFetcher(window)
      return length
    }
  }
  throwEnd(window)
  wish(window, chunk)
  return 0
}

function wish(window: WebWindow, chunk: number): void {
  const { wishes } = window
  for (let index = 0; index < mostWishes; index++) {
    const there = Atomics.compareExchange(wishes, index, 0, chunk + 1)
    if (there === 0 || there === chunk + 1) break
  }
  tellFetcher(window)
}

function throwEnd({ control, failure }: WebWindow): void {
  const length = Atomics.load(control, ended)
  if (length === 0) return
  if (length < 0) throw new BugError('E_BUG', 'the window was closed', { details: {} })
  const text = Buffer.from(failure.slice(0, length)).toString('utf8')
  throw deserializeError(JSON.parse(text) as SerializedError)
}

function tellFetcher({ control }: WebWindow): void {
  Atomics.add(control, requests, 1)
  Atomics.notify(control, requests)
}

// --- the fetcher

/** The chunks that are waited for, each taken off the list. */
export function takeWishes({ wishes }: WebWindow): readonly number[] {
  const chunks: number[] = []
  for (let index = 0; index < mostWishes; index++) {
    const chunk = Atomics.exchange(wishes, index, 0) - 1
    if (chunk >= 0) chunks.push(chunk)
  }
  return chunks
}

/** How many requests there were: to be asked before they are looked at, and then waited with. */
export const countRequests = ({ control }: WebWindow): number => Atomics.load(control, requests)

/** Resolves when there are more than `seen` requests. */
export async function moreRequests({ control }: WebWindow, seen: number): Promise<void> {
  await Atomics.waitAsync(control, requests, seen).value
}

/** The chunk in `slot` is complete. */
export function publish(window: WebWindow, chunk: number, slot: number): void {
  Atomics.store(window.chunkSlot, chunk, slot + 1)
  tellReaders(window)
}

/** Take `slot` away from the chunk in it. False when a reader is at it just now. */
export function withdraw(window: WebWindow, chunk: number, slot: number): boolean {
  const { chunkSlot, pins } = window
  Atomics.store(chunkSlot, chunk, 0)
  if (Atomics.load(pins, slot) === 0) return true
  Atomics.store(chunkSlot, chunk, slot + 1)
  // Who looked meanwhile waits for it.
  tellReaders(window)
  return false
}

/** Nothing more will come: readers throw `error`, null for an end that nobody needs to hear of. The first end stays. */
export function endWindow(window: WebWindow, error: unknown): void {
  if (Atomics.load(window.control, ended) !== 0) return
  if (error === null) Atomics.store(window.control, ended, -1)
  else {
    const data = serializeError(error)
    let text = Buffer.from(JSON.stringify(data), 'utf8')
    if (text.length > failureBytes)
      text = Buffer.from(
        JSON.stringify({ ...data, message: data.message.slice(0, 1000), details: {}, cause: null }),
      )
    window.failure.set(text)
    Atomics.store(window.control, ended, text.length)
  }
  tellReaders(window)
  tellFetcher(window)
}

function tellReaders({ control }: WebWindow): void {
  Atomics.add(control, arrivals, 1)
  Atomics.notify(control, arrivals)
}
