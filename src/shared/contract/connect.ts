/**
 * The side that asks, made from a contract's literal and a transport. One per connection; it never retries: whoever
 * owns the connection decides what a lost one means.
 */
import type { AppError } from '#shared/errors'
import { AppError as AnyAppError, deserializeError, EngineGoneError } from '#shared/errors'
import type { Client, Contract, EventName, EventPayload, RequestName, RequestOut } from './define.ts'
import type { ClientFrame, ServerFrame } from './frames.ts'
import { maxFrameBytes, protocolVersion, serverFrameSchema } from './frames.ts'
import type { FrameTransport } from './transport.ts'

/** Who answers, as its first frame says. */
export interface Hello {
  readonly protocol: number
  readonly version: string
  readonly pid: number
}

export interface Connection<C extends Contract> extends Client<C> {
  /**
   * The other side's first frame. Rejects with E_HELPER_VERSION when it speaks another protocol, with the reason of the
   * end when there was none. Not awaiting it is fine.
   */
  readonly hello: Promise<Hello>
  /** Called once, when the connection has ended, with the error that open requests were rejected with. */
  onClose(listener: (reason: AppError) => void): void
  /** Ends the connection; open requests are rejected with `reason`. */
  close(reason: Error): void
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly signal: AbortSignal | null
  readonly onAbort: () => void
}

/**
 * A client of `contract` over `transport`.
 *
 * A request whose signal aborts sends a cancel and goes on waiting: its promise settles when the other side says that
 * the work has stopped (or was done before), or when the connection ends. It then rejects with the signal's reason, or
 * resolves if there was an answer after all.
 */
export function connectContract<C extends Contract>(contract: C, transport: FrameTransport): Connection<C> {
  const pending = new Map<number, Pending>()
  const listeners = new Map<string, Set<(payload: never) => void>>()
  const closeListeners: ((reason: AppError) => void)[] = []
  let nextId = 0
  let ended: AppError | null = null
  const hello = Promise.withResolvers<Hello>()
  hello.promise.catch(() => undefined)

  const send = (frame: ClientFrame) => transport.send(JSON.stringify(frame))

  const take = (id: number) => {
    const entry = pending.get(id)
    pending.delete(id)
    entry?.signal?.removeEventListener('abort', entry.onAbort)
    return entry
  }

  const accept = (frame: ServerFrame) => {
    switch (frame.kind) {
      case 'hello':
        if (frame.protocol === protocolVersion) hello.resolve(frame)
        else transport.close(wrongProtocol(frame))
        return
      case 'result':
        take(frame.id)?.resolve(frame.value)
        return
      case 'error': {
        const entry = take(frame.id)
        if (entry?.signal?.aborted) entry.reject(entry.signal.reason)
        else entry?.reject(deserializeError(frame.error))
        return
      }
      case 'event':
        if (!Object.hasOwn(contract.event, frame.name)) return
        for (const listener of listeners.get(frame.name) ?? []) listener(frame.payload as never)
    }
  }

  transport.onClose((reason) => {
    ended = reason instanceof AnyAppError ? reason : lost(reason.message, reason)
    hello.reject(ended)
    for (const id of pending.keys()) take(id)?.reject(ended)
    for (const listener of closeListeners) listener(ended)
  })
  transport.onFrame((text) => {
    const frame = parseServerFrame(text)
    if (frame === null) transport.close(lost('the other side sent a frame that is none'))
    else accept(frame)
  })

  return {
    hello: hello.promise,
    onClose(listener) {
      closeListeners.push(listener)
      if (ended) listener(ended)
    },
    close: (reason) => transport.close(reason),
    async request<N extends RequestName<C>>(
      name: N,
      input: unknown,
      options: { readonly signal?: AbortSignal } = {},
    ): Promise<RequestOut<C, N>> {
      const signal = options.signal ?? null
      if (signal?.aborted) throw signal.reason
      if (ended) throw ended
      const id = nextId++
      const answer = new Promise<unknown>((resolve, reject) => {
        const onAbort = () => send({ kind: 'cancel', id })
        pending.set(id, { resolve, reject, signal, onAbort })
        signal?.addEventListener('abort', onAbort, { once: true })
      })
      send({ kind: 'request', id, name, input })
      return (await answer) as RequestOut<C, N>
    },
    subscribe<N extends EventName<C>>(name: N, listener: (payload: EventPayload<C, N>) => void) {
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set)
      set.add(listener)
      return () => void set.delete(listener)
    },
  }
}

function parseServerFrame(text: string): ServerFrame | null {
  if (text.length > maxFrameBytes) return null
  try {
    const parsed = serverFrameSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
}

/** The end of a connection for which there is no better word. */
function lost(message: string, cause?: Error): EngineGoneError {
  return new EngineGoneError('E_ENGINE_GONE', message, {
    details: { exitCode: null, signal: null, lastLines: [] },
    ...(cause === undefined ? {} : { cause }),
    transient: true,
  })
}

function wrongProtocol(hello: Hello): EngineGoneError {
  return new EngineGoneError(
    'E_HELPER_VERSION',
    `the other side speaks protocol ${hello.protocol}, this one ${protocolVersion}`,
    {
      details: {
        exitCode: null,
        signal: null,
        lastLines: [],
        found: hello.protocol,
        expected: protocolVersion,
      },
    },
  )
}
