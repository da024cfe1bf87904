/**
 * Messages as bytes of a stream, each in a frame: 4 bytes length of what follows, 2 bytes code, the fields. The reader
 * takes bytes as they come, knows what its peer may say, and gives up at the first thing that can't be.
 */
import { FormatError, NetworkError, invariant } from '#shared/errors'
import { ByteCursor, ByteWriter } from './byte-cursor.ts'
import type { FieldKind } from './fields.ts'
import { messages, type Message, type MessageKind } from './messages.ts'

const lengthBytes = 4
const codeBytes = 2

/** Frames of at most so many bytes, by what they carry. */
const frameBounds: { readonly [kind in MessageKind]?: number } = {
  greeting: 128,
  hello: 2048,
  report: 65_536,
  fetch: 64,
  finished: 2048,
  hashes: 256 * 1024,
  sessions: 256 * 1024,
  block: 16 * 1024 * 1024 + 64,
  command: 65_536 + 64,
  answer: 4 * 1024 * 1024 + 64,
}
const usualBound = 4096
/** Room that a reader keeps between frames. */
const mostIdleBytes = 65_536

const kinds = new Map<number, MessageKind>(
  Object.entries(messages).map(([kind, { code }]) => [code, kind as MessageKind]),
)
const fields = Object.fromEntries(
  Object.entries(messages).map(([kind, { fields }]) => [kind, Object.entries(fields)]),
) as unknown as { readonly [kind in MessageKind]: readonly [string, FieldKind<unknown>][] }

/** The message in its frame. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter()
  out.uint(lengthBytes, 0)
  out.uint(codeBytes, messages[message.kind].code)
  const values = message as unknown as { readonly [field: string]: unknown }
  for (const [field, kind] of fields[message.kind]) kind.write(out, values[field])
  const bytes = out.finish()
  const bound = frameBounds[message.kind] ?? usualBound
  invariant(bytes.length <= bound, `a ${message.kind} of ${bytes.length} bytes`)
  new DataView(bytes.buffer).setUint32(0, bytes.length - lengthBytes)
  return bytes
}

/** Reads what comes from one peer. */
export interface FrameReader {
  /** The messages that became whole with these bytes. Throws `NetworkError` E_MC_PROTOCOL; nothing can be read after that. */
  read(bytes: Uint8Array): Message[]
}

/** `peer`: its address, for messages. `from`: what it is, and so what it may say. */
export function createFrameReader({
  peer,
  from,
}: {
  readonly peer: string
  readonly from: 'client' | 'server'
}): FrameReader {
  // One piece, however small the pieces are that a peer sends: each of its own would cost a hundred times what it holds.
  let store = Buffer.alloc(0)
  let storedBytes = 0
  /** Below that nothing new can be told, so nothing is put together. */
  let wantedBytes = lengthBytes + codeBytes
  let isBroken = false

  const refuse = (why: string, cause?: unknown): never => {
    isBroken = true
    throw new NetworkError('E_MC_PROTOCOL', why, { details: { address: peer, phase: 'control' }, cause })
  }

  const keep = (bytes: Uint8Array) => {
    const neededBytes = storedBytes + bytes.length
    if (neededBytes > store.length) {
      const larger = Buffer.alloc(Math.max(neededBytes, store.length * 2))
      store.copy(larger, 0, 0, storedBytes)
      store = larger
    }
    store.set(bytes, storedBytes)
    storedBytes = neededBytes
  }

  /** The frame's kind, as soon as its first six bytes are there. */
  const kindOf = (view: DataView): MessageKind => {
    const code = view.getUint16(lengthBytes)
    const kind = kinds.get(code)
    if (kind === undefined || messages[kind].from !== from)
      return refuse(`a ${from} doesn't say message ${code}`)
    const frameBytes = view.getUint32(0) + lengthBytes
    if (frameBytes > (frameBounds[kind] ?? usualBound) || frameBytes < lengthBytes + codeBytes)
      refuse(`a ${kind} of ${frameBytes} bytes`)
    return kind
  }

  return {
    read(bytes) {
      invariant(!isBroken, 'reading from a connection that was given up')
      keep(bytes)
      if (storedBytes < wantedBytes) return []
      const whole = store.subarray(0, storedBytes)
      const found: Message[] = []
      let at = 0
      for (;;) {
        wantedBytes = lengthBytes + codeBytes
        if (whole.length - at < wantedBytes) break
        const view = new DataView(whole.buffer, whole.byteOffset + at)
        const kind = kindOf(view)
        wantedBytes = lengthBytes + view.getUint32(0)
        if (whole.length - at < wantedBytes) break
        try {
          found.push(parseMessage(kind, whole.subarray(at + lengthBytes + codeBytes, at + wantedBytes)))
        } catch (error) {
          FormatError.accept(error)
          refuse(error.message, error)
        }
        at += wantedBytes
      }
      store.copyWithin(0, at, storedBytes)
      storedBytes -= at
      if (storedBytes === 0 && store.length > mostIdleBytes) store = Buffer.alloc(0)
      return found
    },
  }
}

/** The fields of one frame. Throws `FormatError`. */
function parseMessage(kind: MessageKind, body: Uint8Array): Message {
  const cursor = new ByteCursor(body)
  const value: Record<string, unknown> = { kind }
  for (const [field, reader] of fields[kind]) value[field] = reader.read(cursor, `${kind}.${field}`)
  if (cursor.leftBytes > 0) cursor.refuse(kind, `${cursor.leftBytes} bytes more`, 'the end')
  return value as unknown as Message
}
