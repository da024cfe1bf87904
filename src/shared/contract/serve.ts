/**
 * The side that answers, made from a contract's literal, its handlers and a transport. It is the more privileged side:
 * it trusts nothing that arrives, and nothing that arrives can stop it. One per connection.
 */
import type { Logger } from '#shared/log'
import { serializeError, UsageError } from '#shared/errors'
import type { Contract, EventName, EventPayload, Handlers } from './define.ts'
import type { ClientFrame, ServerFrame } from './frames.ts'
import { clientFrameSchema, maxFrameBytes, protocolVersion } from './frames.ts'
import type { FrameTransport } from './transport.ts'

export interface ServeOptions {
  /** Said in `hello`. */
  readonly version: string
  readonly pid: number
  readonly log: Logger
  /** Requests under way at once; one more is refused with E_USAGE. Default 64. */
  readonly maxInFlight?: number
}

export interface Served<C extends Contract> {
  emit<N extends EventName<C>>(name: N, payload: EventPayload<C, N>): void
  /** Ends the connection. */
  close(reason: Error): void
  /** Resolves when the connection has ended, for whatever reason, and every handler has settled. Never rejects. */
  readonly settled: Promise<void>
}

/**
 * Serve `contract` over `transport`; says `hello` at once.
 *
 * - A request's input is checked by its entry's schema before its handler sees it; a name that isn't in the literal,
 *   a wrong input and one request too many are answered with E_USAGE.
 * - A `cancel` aborts the handler's signal; the answer comes when the handler has settled. Unknown ids are ignored: the
 *   answer and the cancel may have crossed.
 * - Text that is no frame and has no id to answer to, and an id that is in use, end the connection.
 * - When the connection ends, every handler's signal is aborted.
 * - An answer larger than `maxFrameBytes` becomes an error; an event that large is dropped and logged.
 */
export function serveContract<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  transport: FrameTransport,
  options: ServeOptions,
): Served<C> {
  const { log } = options
  const maxInFlight = options.maxInFlight ?? 64
  const inFlight = new Map<number, AbortController>()
  const settled = Promise.withResolvers<void>()
  let open = true

  const settleWhenIdle = () => {
    if (!open && inFlight.size === 0) settled.resolve()
  }

  const refuse = (id: number, message: string, input: string) =>
    answer({
      kind: 'error',
      id,
      error: serializeError(new UsageError('E_USAGE', message, { details: { input } })),
    })

  const answer = (frame: ServerFrame & { readonly id: number }) => {
    const text = encode(frame)
    if (text !== null) transport.send(text)
    else refuse(frame.id, `the answer is larger than ${maxFrameBytes} bytes`, 'answer')
  }

  const run = async (id: number, name: string, input: unknown) => {
    const entry = Object.hasOwn(contract.request, name) ? contract.request[name] : undefined
    if (entry === undefined) return refuse(id, 'no such request', 'name')
    if (inFlight.size >= maxInFlight) return refuse(id, 'too many requests at once', 'name')
    const checked = entry.in.safeParse(input)
    if (!checked.success) return refuse(id, `${name}: ${describe(checked.error.issues)}`, name)
    const controller = new AbortController()
    inFlight.set(id, controller)
    const handler = handlers[name as keyof typeof handlers] as (
      input: unknown,
      signal: AbortSignal,
    ) => Promise<unknown>
    try {
      const value = await handler(checked.data, controller.signal)
      answer({ kind: 'result', id, value })
    } catch (cause) {
      const error = serializeError(cause)
      if (error.family === 'bug') log.error('request failed', { request: name, error })
      answer({ kind: 'error', id, error })
    }
    inFlight.delete(id)
    return settleWhenIdle()
  }

  transport.onClose((reason) => {
    open = false
    for (const controller of inFlight.values()) controller.abort(reason)
    settleWhenIdle()
  })
  transport.onFrame((text) => {
    const received = parseClientFrame(text)
    if (received.kind === 'nothing') transport.close(new Error(`not a frame: ${received.why}`))
    else if (received.kind === 'cancel') inFlight.get(received.id)?.abort()
    else if (inFlight.has(received.id)) transport.close(new Error('a request id is in use'))
    else if (received.kind === 'malformed') refuse(received.id, `not a frame: ${received.why}`, 'frame')
    else void run(received.id, received.name, received.input)
  })
  transport.send(
    JSON.stringify({
      kind: 'hello',
      protocol: protocolVersion,
      version: options.version,
      pid: options.pid,
    } satisfies ServerFrame),
  )

  return {
    emit(name, payload) {
      const text = encode({ kind: 'event', name, payload })
      if (text !== null) transport.send(text)
      else log.error('event dropped: too large', { event: name })
    },
    close: (reason) => transport.close(reason),
    settled: settled.promise,
  }
}

type Received =
  | ClientFrame
  | { readonly kind: 'malformed'; readonly id: number; readonly why: string }
  | { readonly kind: 'nothing'; readonly why: string }

function parseClientFrame(text: string): Received {
  if (text.length > maxFrameBytes) return { kind: 'nothing', why: 'too long' }
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { kind: 'nothing', why: 'not JSON' }
  }
  const checked = clientFrameSchema.safeParse(data)
  if (checked.success) return checked.data
  const why = describe(checked.error.issues)
  const id = typeof data === 'object' && data !== null && 'id' in data ? data.id : null
  return Number.isSafeInteger(id) ? { kind: 'malformed', id: id as number, why } : { kind: 'nothing', why }
}

/** Null when it is larger than the other side accepts. */
function encode(frame: ServerFrame): string | null {
  const text = JSON.stringify(frame)
  return text.length * 3 <= maxFrameBytes || utf8Length(text) <= maxFrameBytes ? text : null
}

/** What is wrong with an input, without repeating the input. */
function describe(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) =>
      path.length === 0 ? message : `${path.map(String).join('.').slice(0, 80)}: ${message}`,
    )
    .join('; ')
    .slice(0, 500)
}

/** Bytes of `text` in UTF-8. */
function utf8Length(text: string): number {
  let length = 0
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) length += 1
    else if (unit < 0x800) length += 2
    // A surrogate pair is four bytes, two for each half.
    else length += unit >= 0xd800 && unit <= 0xdfff ? 2 : 3
  }
  return length
}
