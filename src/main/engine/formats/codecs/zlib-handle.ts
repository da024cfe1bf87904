/**
 * Node's binding under every zlib object, written to directly: one for a thread works straight into the caller's buffer,
 * where `inflateSync` and `deflateSync` make a state, an output and a copy for each run. It isn't documented, so whoever
 * takes it tries it before trusting it, and does without where it doesn't behave.
 */
import { constants, type Deflate, type Inflate } from 'node:zlib'

interface Binding {
  reset(): void
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void
  onerror: (message: string, errno: number, code: string) => void
}

export interface ZlibHandle {
  /** Begin a new stream. */
  readonly reset: () => void
  /** All of `input` from there on, and no more comes. How much room and input are left; throws nothing. */
  readonly finish: (input: Uint8Array, from: number, into: Uint8Array) => Left | ZlibProblem
}

interface Left {
  readonly kind: 'left'
  readonly room: number
  readonly input: number
}

export interface ZlibProblem {
  readonly kind: 'problem'
  readonly message: string
  readonly isCutOff: boolean
}

/** The binding of this object; null where it isn't what it was when this was written. `into` must have room. */
export function zlibHandleOf(stream: Inflate | Deflate): ZlibHandle | null {
  const { _handle: handle, _writeState: left } = stream as unknown as {
    readonly _handle?: Binding
    readonly _writeState?: Uint32Array
  }
  if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function') return null
  if (!(left instanceof Uint32Array) || left.length < 2) return null

  let problem: ZlibProblem | null = null
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- not an event target
  handle.onerror = (message, _errno, code) => {
    problem = { kind: 'problem', message, isCutOff: code === 'Z_BUF_ERROR' }
  }
  return {
    reset: () => handle.reset(),
    finish(input, from, into) {
      problem = null
      handle.writeSync(constants.Z_FINISH, input, from, input.length - from, into, 0, into.length)
      // A problem leaves the counts as they were.
      return problem ?? { kind: 'left', room: left[0] ?? 0, input: left[1] ?? 0 }
    },
  }
}
