/**
 * Lets datagrams gather in the socket's buffer for a moment instead of being woken for each: at 4 MB/s a thread spends five
 * times as long on waking up as on what it is woken for. It rests only when it has caught up, and never for longer than an
 * eighth of the buffer takes to fill; a stream that fills it faster comes many at a time anyway.
 */

/** Nobody waits for a block by so much. */
const mostRestMs = 5
/** Less isn't worth the call. */
const leastRestMs = 0.5
/** Node takes up to 32 in one turn: after fewer than that there are none left. */
const fullTurn = 20
const bufferShare = 8
/** From the first datagram on: the program is slow while it is new, and the server judges by what is lost in these seconds. */
const warmingUpMs = 3000

/** What came in one turn of the thread's loop. */
export interface Turn {
  readonly datagrams: number
  /** Since the rest before: bytes, and how long it took. */
  readonly bytes: number
  readonly elapsedMs: number
}

export interface GatherLimits {
  /** Of the socket. */
  readonly bufferBytes: number
  /** Of the stream, as it was announced: it may become more. Bytes a second. */
  readonly dataRate: number
}

/** How long to rest after this turn, in ms; 0: not at all. Pure. */
export function restMs(
  { datagrams, bytes, elapsedMs }: Turn,
  { bufferBytes, dataRate }: GatherLimits,
): number {
  if (datagrams >= fullTurn) return 0
  const bytesPerMs = Math.max(dataRate / 1000, bytes / Math.max(mostRestMs, elapsedMs))
  const rest = Math.min(mostRestMs, bufferBytes / bufferShare / bytesPerMs)
  return rest < leastRestMs ? 0 : rest
}

export interface GatherDeps {
  readonly now: () => number
  /** Called when all that has come in this turn was handed over. */
  readonly afterTurn: (then: () => void) => void
  /** Blocks the thread. */
  readonly rest: (ms: number) => void
}

const cell = new Int32Array(new SharedArrayBuffer(4))
const systemDeps: GatherDeps = {
  now: () => performance.now(),
  afterTurn: (then) => void setImmediate(then),
  rest: (ms) => void Atomics.wait(cell, 0, 0, ms),
}

/** Returns what to call with the length of each datagram. The thread must be the socket's own. */
export function createGathering(
  limits: GatherLimits,
  deps: GatherDeps = systemDeps,
): (bytes: number) => void {
  let datagrams = 0
  let bytes = 0
  let firstMs: number | null = null
  let beganMs = deps.now()
  const endTurn = () => {
    const nowMs = deps.now()
    const ms = restMs({ datagrams, bytes, elapsedMs: nowMs - beganMs }, limits)
    datagrams = 0
    if (ms === 0 || firstMs === null || nowMs - firstMs < warmingUpMs) return
    bytes = 0
    beganMs = nowMs
    deps.rest(ms)
  }
  return (lengthBytes) => {
    firstMs ??= deps.now()
    if (datagrams === 0) deps.afterTurn(endTurn)
    datagrams += 1
    bytes += lengthBytes
  }
}
