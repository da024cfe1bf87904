/**
 * A destination that isn't believed to stay what it was when it was opened. A stick that is pulled out fails its writes; but the
 * slot of a card reader stays the same device, and the same descriptor, whatever card is in it, and who waits for a stream to
 * begin, or for a server that doesn't answer, writes nothing for minutes. So after every silence, and before the first write of
 * all, it is asked again. And after the computer slept: a card is exchanged in the meantime, while something was under way, and the
 * clock that measures silence stands still then (CLOCK_MONOTONIC, clock_gettime(2)). A stretch that is zeroed or discarded may take
 * minutes: it is looked at in the midst of it, too.
 *
 * That is so on Linux. On macOS the clock goes on in a sleep (https://github.com/libuv/libuv/pull/2894), which is noticed only where
 * nothing was under way; but there a card that is taken out is a disk that is gone, and its descriptor doesn't lead to the next one.
 */
import type { BlockSink, OnPiece } from '#engine/block-io'

export interface GuardOptions {
  /** Throws when it is something else now. */
  readonly check: () => Promise<void>
  /** Called once, right before the first write, and after it was checked. */
  readonly onWrite: () => void
  /** Milliseconds. */
  readonly now: () => number
  /** The time of day, in milliseconds. */
  readonly wall: () => number
}

/** Nobody changes a card faster. The time of day may also be set: then it is asked once too often. */
const silenceMs = 1000

/** `sink`, which stays the caller's to close by this one. What changes it throws what `check` throws, too. */
export function guardSink(sink: BlockSink, { check, onWrite, now, wall }: GuardOptions): BlockSink {
  let lastMs = now()
  /** Between the clocks, when it was last asked: it grows while the computer sleeps. */
  let apartMs = wall() - lastMs
  let underWay = 0
  let checking: Promise<void> | null = null
  let isChecked = false
  let isWritten = false
  const hasSlept = () => Math.abs(wall() - now() - apartMs) > silenceMs
  /** What is under way would have failed. */
  const isSilent = () => underWay === 0 && now() - lastMs > silenceMs
  const checked = async () => {
    const apartBeforeMs = wall() - now()
    try {
      await check()
      isChecked = true
      lastMs = now()
      apartMs = apartBeforeMs
    } finally {
      checking = null
    }
  }
  const touch = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    underWay += 1
    try {
      return await work()
    } finally {
      underWay -= 1
      lastMs = now()
    }
  }
  /** Null where there is no need: then nobody waits, and what is written is under way at once. */
  const look = (): Promise<void> | null => {
    if (!isChecked || isSilent() || hasSlept()) checking ??= checked()
    return checking
  }
  const change = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const looking = look()
    if (looking !== null) await looking
    if (!isWritten) {
      isWritten = true
      onWrite()
    }
    return touch(work)
  }
  const betweenPieces =
    (onPiece: OnPiece | undefined): OnPiece =>
    async (lengthBytes, how) => {
      await onPiece?.(lengthBytes, how)
      const looking = look()
      if (looking !== null) await looking
    }
  return {
    path: sink.path,
    sizeBytes: sink.sizeBytes,
    alignmentBytes: sink.alignmentBytes,
    write: (bytes, offset) => change(() => sink.write(bytes, offset)),
    zero: (offset, lengthBytes, signal, onPiece) =>
      change(() => sink.zero(offset, lengthBytes, signal, betweenPieces(onPiece))),
    discard: (offset, lengthBytes, signal, onPiece) =>
      change(() => sink.discard(offset, lengthBytes, signal, betweenPieces(onPiece))),
    finish: (sizeBytes) => change(() => sink.finish(sizeBytes)),
    flush: () => touch(() => sink.flush()),
    read: (into, offset) => touch(() => sink.read(into, offset)),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
}
