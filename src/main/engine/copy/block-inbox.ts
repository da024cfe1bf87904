/** Blocks that have come and wait to be taken, one taker at a time. How many there may be, who puts them in knows. */

export interface ArrivedBlock {
  readonly block: number
  readonly bytes: Uint8Array
}

export interface BlockInbox {
  readonly length: number
  put(arrived: ArrivedBlock): void
  /** Resolves when the first one is here, or none will come. */
  begun(): Promise<void>
  /** The next one; null when none will come any more. */
  take(): Promise<ArrivedBlock | null>
  /** What is in it is still taken. */
  close(): void
  /** What is in it is forgotten, too. */
  discard(): void
}

export function createBlockInbox(): BlockInbox {
  const waiting: ArrivedBlock[] = []
  const state = { isClosed: false }
  let wake: () => void = () => undefined
  const first = Promise.withResolvers<void>()
  return {
    begun: () => first.promise,
    get length() {
      return waiting.length
    },
    put(arrived) {
      waiting.push(arrived)
      first.resolve()
      wake()
    },
    async take() {
      while (waiting.length === 0 && !state.isClosed)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      return waiting.shift() ?? null
    },
    close() {
      state.isClosed = true
      first.resolve()
      wake()
    },
    discard() {
      waiting.length = 0
      state.isClosed = true
      first.resolve()
      wake()
    },
  }
}
