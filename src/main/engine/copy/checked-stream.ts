/**
 * A stream of some blocks of an image, each of which is compared with its hash before any of it is handed out. Blocks that
 * weren't selected come as unused space, whatever the stream brings of them (a run that reaches into them, say).
 */
import { allocatePageAligned } from '#engine/block-io'
import { createBlockHasher } from '#engine/hashing'
import type { BlockStream, StreamItem } from '#engine/pipeline'
import { wrongHash, type HashedBlocks } from './hashed-blocks.ts'

export interface CheckedStreamOptions {
  /** Closed with the result. */
  readonly stream: BlockStream
  readonly blocks: HashedBlocks
  readonly isSelected: (index: number) => boolean
  /** For messages. */
  readonly path: string
}

/** Blocks that are being hashed, on other threads, while the next is put together: three of the usual 1 MiB, one of large ones. */
const mostHashing = 3
const hashingBytes = 4 * 1024 * 1024
/** As many as the copy writes at once: it may hold them all meanwhile. */
const mostWriting = 5

/** Throws, besides what `stream` throws, FormatError E_SRC_CORRUPT for a block that isn't what its hash says. */
export function checkedStream({ stream, blocks, isSelected, path }: CheckedStreamOptions): BlockStream {
  const most = Math.max(1, Math.min(mostHashing, Math.floor(hashingBytes / blocks.blockBytes)))
  const rooms = new Rooms(blocks.blockBytes, most + mostWriting - 1)
  const hasher = createBlockHasher()
  const items = checkedItems()
  return {
    counters: () => stream.counters(),
    async next() {
      const { value } = await items.next()
      return value ?? null
    },
    async [Symbol.asyncDispose]() {
      // It may be waiting for the source, which gives up when it is closed.
      const ended = items.return(undefined).catch(() => undefined)
      try {
        await stream[Symbol.asyncDispose]()
        await ended
      } finally {
        await hasher[Symbol.asyncDispose]()
      }
    },
  }

  /** Hands out the blocks that were begun first until at most `left` are. Throws at the first that is wrong. */
  async function* handOut(hashing: Hashing[], left: number): AsyncGenerator<StreamItem, undefined> {
    while (hashing.length > left) {
      const [first] = hashing.splice(0, 1)
      if (first === undefined) return
      const { index, room, parts, matching } = first
      if (!(await matching)) throw wrongHash(blocks, index, path)
      yield* itemsOf(room, blocks.startOf(index), parts)
    }
  }

  async function* checkedItems(): AsyncGenerator<StreamItem, undefined> {
    const hashing: Hashing[] = []
    let index = 0
    let room: Room | null = null
    let parts: Part[] = []
    for (let item = await stream.next(); item !== null; item = await stream.next()) {
      const end = item.offset + (item.kind === 'data' ? item.bytes.length : item.lengthBytes)
      try {
        for (let at = item.offset; at < end;) {
          const start = blocks.startOf(index)
          const blockEnd = start + blocks.lengthOf(index)
          const to = Math.min(end, blockEnd)
          if (isSelected(index)) {
            room ??= await rooms.take()
            if (item.kind === 'data')
              room.bytes.set(item.bytes.subarray(at - item.offset, to - item.offset), at - start)
            else room.bytes.fill(0, at - start, to - start)
            addPart(parts, { kind: item.kind, from: at - start, to: to - start })
          }
          at = to
          if (to < blockEnd) continue
          if (room === null) {
            yield* handOut(hashing, 0)
            yield { kind: 'unused', offset: start, lengthBytes: blockEnd - start }
          } else {
            const matching = blocks.matches(index, room.bytes.subarray(0, blockEnd - start), hasher)
            // It is heard when its turn comes.
            matching.catch(() => undefined)
            hashing.push({ index, room, parts, matching })
            yield* handOut(hashing, most - 1)
          }
          index++
          room = null
          parts = []
        }
      } finally {
        if (item.kind === 'data') item.release()
      }
    }
    yield* handOut(hashing, 0)
    return undefined
  }
}

/** A block that was put together, until it is known to be right. */
interface Hashing {
  readonly index: number
  readonly room: Room
  readonly parts: readonly Part[]
  readonly matching: Promise<boolean>
}

/** Bytes `from` to `to` (exclusive) of a block. */
interface Part {
  readonly kind: StreamItem['kind']
  readonly from: number
  readonly to: number
}

function addPart(parts: Part[], part: Part): void {
  const last = parts.at(-1)
  if (last?.kind === part.kind) parts[parts.length - 1] = { ...last, to: part.to }
  else parts.push(part)
}

/** The room is free again when the last of its data items was released. */
function* itemsOf(room: Room, start: number, parts: readonly Part[]): Generator<StreamItem> {
  let held = parts.filter(({ kind }) => kind === 'data').length
  if (held === 0) room.release()
  for (const { kind, from, to } of parts) {
    const offset = start + from
    if (kind !== 'data') yield { kind, offset, lengthBytes: to - from }
    else
      yield {
        kind,
        offset,
        bytes: room.bytes.subarray(from, to),
        release() {
          held -= 1
          if (held === 0) room.release()
        },
      }
  }
}

interface Room {
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly release: () => void
}

/** Memory for a few blocks, made when it is first needed. */
class Rooms {
  readonly #bytesEach: number
  readonly #most: number
  readonly #free: Uint8Array<SharedArrayBuffer>[] = []
  #made = 0
  #wake: (() => void) | null = null

  constructor(bytesEach: number, most: number) {
    this.#bytesEach = bytesEach
    this.#most = most
  }

  async take(): Promise<Room> {
    while (this.#free.length === 0 && this.#made === this.#most)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    const bytes = this.#free.pop() ?? this.#make()
    const release = () => {
      this.#free.push(bytes)
      this.#wake?.()
    }
    return { bytes, release }
  }

  #make(): Uint8Array<SharedArrayBuffer> {
    this.#made += 1
    return allocatePageAligned(this.#bytesEach)
  }
}
