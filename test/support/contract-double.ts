/**
 * A test double of any contract, derived from its literal: a client whose other side is a table of handlers. It goes
 * through the real serving and connecting code, so that inputs are checked, errors are serialised and cancels travel
 * as they do between processes.
 */
import {
  connectContract,
  serveContract,
  type Connection,
  type Contract,
  type EventName,
  type EventPayload,
  type FrameTransport,
  type Handlers,
  type RequestName,
} from '#shared/contract'
import { silentLogger } from '#shared/log'

/** Two transports, each the other's other side. Frames arrive in a later microtask, in order. */
export function transportPair(): [FrameTransport, FrameTransport] {
  const ends = [end(), end()] as const
  const close = (reason: Error) => {
    for (const side of ends) side.end(reason)
  }
  const transport = (mine: End, other: End): FrameTransport => ({
    send: (text) => {
      if (!mine.closed) queueMicrotask(() => other.deliver(text))
    },
    onFrame: mine.onFrame,
    onClose: mine.onClose,
    close,
  })
  return [transport(ends[0], ends[1]), transport(ends[1], ends[0])]
}

type End = ReturnType<typeof end>

function end() {
  const early: string[] = []
  const closeListeners: ((reason: Error) => void)[] = []
  let closed: Error | null = null
  let listener: ((text: string) => void) | null = null
  return {
    get closed() {
      return closed !== null
    },
    deliver: (text: string) => {
      if (closed) return
      if (listener) listener(text)
      else early.push(text)
    },
    end: (reason: Error) => {
      if (closed) return
      closed = reason
      for (const tell of closeListeners) tell(reason)
    },
    onFrame: (added: (text: string) => void) => {
      listener = added
      for (const text of early.splice(0)) added(text)
    },
    onClose: (tell: (reason: Error) => void) => {
      closeListeners.push(tell)
      if (closed) tell(closed)
    },
  }
}

export interface ContractDouble<C extends Contract> {
  /** What the code under test is given. */
  readonly client: Connection<C>
  /** Every request that reached a handler, in order. */
  readonly calls: { readonly name: RequestName<C>; readonly input: unknown }[]
  /** Replaces a handler. */
  readonly answer: <N extends RequestName<C>>(name: N, handler: Handlers<C>[N]) => void
  readonly emit: <N extends EventName<C>>(name: N, payload: EventPayload<C, N>) => void
  /** The other side dies. */
  readonly die: (reason: Error) => void
}

/** Requests without a handler fail with a bug that names them. */
export function contractDouble<C extends Contract>(
  contract: C,
  answers: Partial<Handlers<C>> = {},
): ContractDouble<C> {
  const [near, far] = transportPair()
  const calls: { name: RequestName<C>; input: unknown }[] = []
  const table: { [name: string]: ((input: never, signal: AbortSignal) => Promise<unknown>) | undefined } = {
    ...answers,
  }
  const handlers = Object.fromEntries(
    Object.keys(contract.request).map((name) => [
      name,
      async (input: unknown, signal: AbortSignal) => {
        calls.push({ name, input })
        const handler = table[name]
        if (handler === undefined) throw new Error(`the test has no answer to ${name}`)
        return handler(input as never, signal)
      },
    ]),
  ) as unknown as Handlers<C>
  const served = serveContract(contract, handlers, far, { version: '0.0.0', pid: 1, log: silentLogger })
  return {
    client: connectContract(contract, near),
    calls,
    answer: (name, handler) => {
      table[name] = handler as (typeof table)[string]
    },
    emit: (name, payload) => served.emit(name, payload),
    die: (reason) => far.close(reason),
  }
}
