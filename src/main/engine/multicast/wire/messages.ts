/**
 * What client and server tell each other over the control connection, as one table: name, code, who says it, its fields in
 * their order. docs/protocol.md explains each; a test compares the two.
 */
import { streamBounds } from '#engine/multicast/layout'
import { blob, bytes, group, listOf, needs, oneOf, text, u16, u32, u64, type TableValue } from './fields.ts'
import { streamStates } from './datagram.ts'

/** This protocol's version; there is no other yet. */
export const protocolVersion = 1

/** First bytes of both sides: whoever sends something else isn't talking to us. */
export const protocolMagic = Uint8Array.from(Buffer.from('REPRISEM', 'ascii'))

const name = text(255)
const words = text(1024)
const hashBytes = 32
/** In one message. */
export const maxHashesAtOnce = 4096
/** What an administrator says at once, and what he is told. */
const maxCommandBytes = 65_536
const maxAnswerBytes = 4 * 1024 * 1024

export const messages = {
  greeting: {
    code: 1,
    from: 'server',
    fields: { magic: bytes(8), lowestVersion: u16, highestVersion: u16, nonce: bytes(32), salt: bytes(16) },
  },
  hello: {
    code: 2,
    from: 'client',
    fields: {
      magic: bytes(8),
      version: u16,
      purpose: oneOf(['join', 'list', 'look', 'manage']),
      clientId: bytes(16),
      proof: bytes(32),
      hostName: name,
      sessionName: name,
      hardwareAddresses: listOf(bytes(6), 16),
    },
  },
  refused: {
    code: 3,
    from: 'server',
    fields: {
      reason: oneOf([
        'version',
        'no-session',
        'not-admitted',
        'password',
        'full',
        'protocol',
        'wait',
        'preparing',
      ]),
      text: words,
    },
  },
  sessions: {
    code: 4,
    from: 'server',
    fields: {
      sessions: listOf(
        group({
          name,
          imageName: name,
          sizeBytes: u64,
          state: oneOf(streamStates),
          joined: u32,
          wanted: u32,
          startsInMs: u32,
        }),
        256,
      ),
    },
  },
  session: {
    code: 5,
    from: 'server',
    fields: {
      sessionId: bytes(16),
      key: bytes(16),
      tag: u32,
      name,
      imageName: name,
      imageFormat: text(16),
      sizeBytes: u64,
      blockBytes: u32,
      symbolBytes: u16,
      root: bytes(hashBytes),
      group: text(45),
      port: u16,
      dataRate: u64,
      reportEveryMs: u16,
    },
  },
  hashes: { code: 6, from: 'server', fields: { firstBlock: u32, hashes: blob(maxHashesAtOnce * hashBytes) } },
  waiting: { code: 7, from: 'server', fields: { joined: u32, wanted: u32, startsInMs: u32 } },
  position: {
    code: 8,
    from: 'server',
    fields: {
      serial: u64,
      state: oneOf(streamStates),
      standing: oneOf(['well', 'slow']),
      reportEveryMs: u16,
    },
  },
  report: {
    code: 9,
    from: 'client',
    fields: {
      asOf: u64,
      expected: u64,
      received: u64,
      repeated: u32,
      rejected: u32,
      dropped: u32,
      blocksDone: u32,
      backlogBytes: u64,
      writeBytesPerSecond: u64,
      needs,
    },
  },
  fetch: { code: 10, from: 'client', fields: { block: u32 } },
  block: { code: 11, from: 'server', fields: { block: u32, bytes: blob(streamBounds.maxBlockBytes) } },
  finished: {
    code: 12,
    from: 'client',
    fields: { outcome: oneOf(['done', 'failed', 'cancelled']), text: words },
  },
  end: {
    code: 13,
    from: 'server',
    fields: { reason: oneOf(['finished', 'stopped', 'failed']), text: words },
  },
  command: { code: 14, from: 'client', fields: { id: u32, json: blob(maxCommandBytes) } },
  answer: { code: 15, from: 'server', fields: { id: u32, json: blob(maxAnswerBytes) } },
} as const

export type MessageKind = keyof typeof messages

/** A message by its kind. */
export type Message<K extends MessageKind = MessageKind> = {
  [N in K]: { readonly kind: N } & TableValue<(typeof messages)[N]['fields']>
}[K]

type From<S extends 'client' | 'server'> = {
  [N in MessageKind]: (typeof messages)[N]['from'] extends S ? N : never
}[MessageKind]
export type ClientMessage = Message<From<'client'>>
export type ServerMessage = Message<From<'server'>>

/** `startsInMs` when nothing is set that would start it by itself. */
export const startsByHand = 0xffff_ffff
