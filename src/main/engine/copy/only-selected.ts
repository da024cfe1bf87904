/** A stream of which only some blocks are wanted: what it brings of others, a run that reaches into them, comes as unused space. */
import type { BlockStream, HashedBlocks, StreamItem } from '#engine/pipeline'

/** Closes `stream` with the result. */
export function onlySelected(
  stream: BlockStream,
  blocks: HashedBlocks,
  isSelected: (index: number) => boolean,
): BlockStream {
  const items = selectedItems()
  return {
    counters: () => stream.counters(),
    async next() {
      const { value } = await items.next()
      return value ?? null
    },
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  }

  async function* selectedItems(): AsyncGenerator<StreamItem, undefined> {
    for (let item = await stream.next(); item !== null; item = await stream.next()) yield* split(item)
    return undefined
  }

  /** An item's bytes may be used anew when all its parts were released. */
  function* split(item: StreamItem): Generator<StreamItem> {
    const parts = [...partsOf(item)]
    let held = item.kind === 'data' ? parts.filter(({ isIn }) => isIn).length : 0
    if (item.kind === 'data' && held === 0) item.release()
    for (const { from, to, isIn } of parts) {
      if (item.kind !== 'data' || !isIn)
        yield { kind: isIn && item.kind === 'zero' ? 'zero' : 'unused', offset: from, lengthBytes: to - from }
      else
        yield {
          kind: 'data',
          offset: from,
          bytes: item.bytes.subarray(from - item.offset, to - item.offset),
          release() {
            held -= 1
            if (held === 0) item.release()
          },
        }
    }
  }

  /** Stretches of the item, in order, and whether their blocks are wanted. */
  function* partsOf(item: StreamItem) {
    const end = item.offset + (item.kind === 'data' ? item.bytes.length : item.lengthBytes)
    for (let from = item.offset; from < end;) {
      const first = Math.floor(from / blocks.blockBytes)
      const isIn = isSelected(first)
      let next = first + 1
      while (blocks.startOf(next) < end && isSelected(next) === isIn) next++
      const to = Math.min(end, blocks.startOf(next))
      yield { from, to, isIn }
      from = to
    }
  }
}
