/**
 * A destination that isn't believed to stay what it was when it was opened. A stick that is pulled out fails its writes; but the
 * slot of a card reader stays the same device, and the same descriptor, whatever card is in it, and who waits for a stream to
 * begin, or for a server that doesn't answer, writes nothing for minutes. So after every silence, and before the first write of
 * all, it is asked again.
 */
import type { BlockSink } from '#engine/block-io'

export interface GuardOptions {
  /** Throws when it is something else now. */
  readonly check: () => Promise<void>
  /** Called once, right before the first write, and after it was checked. */
  readonly onWrite: () => void
  /** Milliseconds. */
  readonly now: () => number
}

/** Nobody changes a card faster. */
const silenceMs = 1000

/** `sink`, which stays the caller's to close by this one. What changes it throws what `check` throws, too. */
export function guardSink(sink: BlockSink, { check, onWrite, now }: GuardOptions): BlockSink {
  let lastMs = now()
  let underWay = 0
  let checking: Promise<void> | null = null
  let isChecked = false
  let isWritten = false
  /** What is under way would have failed. */
  const isSilent = () => underWay === 0 && now() - lastMs > silenceMs
  const checked = async () => {
    try {
      await check()
      isChecked = true
      lastMs = now()
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
  const change = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (!isChecked || isSilent()) checking ??= checked()
    if (checking !== null) await checking
    if (!isWritten) {
      isWritten = true
      onWrite()
    }
    return touch(work)
  }
  return {
    path: sink.path,
    sizeBytes: sink.sizeBytes,
    alignmentBytes: sink.alignmentBytes,
    write: (bytes, offset) => change(() => sink.write(bytes, offset)),
    zero: (offset, lengthBytes, signal) => change(() => sink.zero(offset, lengthBytes, signal)),
    discard: (offset, lengthBytes, signal) => change(() => sink.discard(offset, lengthBytes, signal)),
    finish: (sizeBytes) => change(() => sink.finish(sizeBytes)),
    flush: () => touch(() => sink.flush()),
    read: (into, offset) => touch(() => sink.read(into, offset)),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
}
