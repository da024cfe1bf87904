/**
 * The pipeline in miniature, on the test's own thread: raw, zero and ignore rows, items of at most a buffer, and the
 * promises of the real one checked: blocks compared with their hashes, a bounded pool, every item released exactly once, one call at a time.
 */
import { createHash } from 'node:crypto'
import type { ExtentLayout, ImageLayout } from '#engine/formats/extents'
import type { BlockStream, HashDemand, StreamItem } from '#engine/pipeline'
import { FormatError } from '#shared/errors'
import { runKinds } from '#shared/model'

export interface FakeStreamOptions {
  readonly buffers: number
  readonly bufferBytes: number
  readonly alignmentBytes: number
  readonly signal: AbortSignal
  /** The bytes behind a descriptor or a path. */
  readonly bytesOf: (path: string) => Uint8Array
  readonly hashes: HashDemand | null
  /** Asked before each item. */
  readonly onItem?: (offset: number) => void | Promise<void>
}

export interface FakeStream extends BlockStream {
  /** Items that are out. */
  readonly held: () => number
}

export function openFakeStream(layout: ImageLayout, options: FakeStreamOptions): FakeStream {
  const items = layout.kind === 'extents' ? extentItems(layout, options) : streamItems(layout.path, options)
  let expanded: Uint8Array | null = null
  const whole = () =>
    (expanded ??= layout.kind === 'extents' ? expand(layout, options.bytesOf) : new Uint8Array(0))
  let held = 0
  let asking = false
  let closed = false
  let wake: (() => void) | null = null

  async function next(): Promise<StreamItem | null> {
    if (closed) throw new Error('the stream is closed')
    if (asking) throw new Error('two calls at once')
    asking = true
    try {
      options.signal.throwIfAborted()
      const { value } = items.next()
      if (value === undefined) return null
      if (layout.kind === 'extents' && options.hashes !== null) {
        const lengthBytes = value.kind === 'data' ? value.bytes.length : value.lengthBytes
        checkHashes(whole(), options.hashes, value.offset, value.offset + lengthBytes)
      }
      await unlessAborted(options.signal, options.onItem?.(value.offset))
      if (value.kind !== 'data') return value
      while (held >= options.buffers)
        await unlessAborted(options.signal, new Promise<void>((resolve) => (wake = resolve)))
      held += 1
      let released = false
      // A buffer of its own, spoilt when it is given back: who reads it later finds out.
      const bytes = Uint8Array.from(value.bytes)
      return {
        ...value,
        bytes,
        release() {
          if (released) throw new Error('an item was released twice')
          released = true
          held -= 1
          bytes.fill(0xaa)
          wake?.()
        },
      }
    } finally {
      asking = false
    }
  }

  return {
    next,
    held: () => held,
    counters: () => ({ readNs: 0, decodeNs: 0, waitNs: 0, storedBytesRead: 0 }),
    [Symbol.asyncDispose]: async () => {
      closed = true
    },
  }
}

/** Throws for the first block with a byte in `from` to `to` that isn't what its hash says. */
function checkHashes(
  disk: Uint8Array,
  { blocks, isSelected, path }: HashDemand,
  from: number,
  to: number,
): void {
  for (const index of blocks.within(from, to)) {
    if (isSelected !== null && !isSelected(index)) continue
    const start = blocks.startOf(index)
    const block = disk.subarray(start, start + blocks.lengthOf(index))
    if (blocks.isHashOf(index, createHash('sha256').update(block).digest())) continue
    throw new FormatError('E_SRC_CORRUPT', `${path}: block ${index} isn't what its hash says`, {
      details: { format: 'udif', field: 'rpbh.hash', offset: start, diskOffset: start },
    })
  }
}

/** As the real one: a wait ends when the signal does. */
async function unlessAborted(signal: AbortSignal, work: void | Promise<void>): Promise<void> {
  const aborted = Promise.withResolvers<void>()
  const stop = () => aborted.resolve()
  signal.addEventListener('abort', stop)
  await Promise.race([work, aborted.promise])
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
}

type PlainItem =
  | { readonly kind: 'data'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'zero' | 'unused'; readonly offset: number; readonly lengthBytes: number }

function* extentItems(
  layout: ExtentLayout,
  { alignmentBytes, bufferBytes, bytesOf }: FakeStreamOptions,
): Generator<PlainItem, undefined> {
  const unitKinds = unitsOf(layout, alignmentBytes)
  const whole = expand(layout, bytesOf)
  let offset = 0
  while (offset < layout.sizeBytes) {
    const kind = unitKinds(offset)
    let end = offset
    const room = kind === 'data' ? bufferBytes : Infinity
    do end = Math.min(layout.sizeBytes, end + alignmentBytes)
    while (end < layout.sizeBytes && end - offset < room && unitKinds(end) === kind)
    if (kind === 'data') yield { kind, offset, bytes: whole.subarray(offset, end) }
    else yield { kind, offset, lengthBytes: end - offset }
    offset = end
  }
  return undefined
}

function* streamItems(
  path: string,
  { bufferBytes, bytesOf }: FakeStreamOptions,
): Generator<PlainItem, undefined> {
  const bytes = bytesOf(path)
  for (let offset = 0; offset < bytes.length; offset += bufferBytes)
    yield { kind: 'data', offset, bytes: bytes.subarray(offset, offset + bufferBytes) }
  return undefined
}

/** What a whole alignment unit is: unused or zero only if all of it is. */
function unitsOf(
  layout: ExtentLayout,
  alignmentBytes: number,
): (offset: number) => 'data' | 'zero' | 'unused' {
  const { extents } = layout
  const rowAt = (offset: number) => {
    for (let row = 0; row < extents.count; row++)
      if (offset < (extents.diskOffset[row] ?? 0) + (extents.diskBytes[row] ?? 0)) return row
    throw new Error('past the end')
  }
  const kindAt = (offset: number) => {
    const kind = runKinds[extents.kind[rowAt(offset)] ?? 0]
    return kind === 'zero' ? 'zero' : kind === 'ignore' ? 'unused' : 'data'
  }
  return (offset) => {
    const kind = kindAt(offset)
    const end = Math.min(offset + alignmentBytes, layout.sizeBytes)
    for (let at = offset; at < end; at += 512) if (kindAt(at) !== kind) return 'data'
    return kind
  }
}

/** The disk inside, unused space as zeros. Raw rows only. */
export function expand(layout: ExtentLayout, bytesOf: (path: string) => Uint8Array): Uint8Array {
  const whole = new Uint8Array(layout.sizeBytes)
  const { extents, parts } = layout
  for (let row = 0; row < extents.count; row++) {
    if (runKinds[extents.kind[row] ?? 0] !== 'raw') continue
    const from = extents.storedOffset[row] ?? 0
    const length = extents.storedBytes[row] ?? 0
    const part = parts.find(
      (each) => from >= each.streamOffset && from < each.streamOffset + each.lengthBytes,
    )
    if (part === undefined) throw new Error('a run that no file stores')
    const at = part.fileOffset + from - part.streamOffset
    whole.set(bytesOf(part.path).subarray(at, at + length), extents.diskOffset[row] ?? 0)
  }
  return whole
}
