/**
 * The client's side of its control connection, from the greeting to the session: checks that the server speaks our protocol
 * and offers something that can be, and gathers the hashes. What comes after that goes to the receiver.
 */
import { rootOfBlocks } from '#engine/formats/udif'
import { planStream, wrongSize, type SequentialLayout } from '#engine/multicast/layout'
import {
  protocolMagic,
  protocolVersion,
  provePassword,
  type ClientMessage,
  type Message,
  type ServerMessage,
} from '#engine/multicast/wire'
import { NetworkError } from '#shared/errors'
import { composedName } from '#shared/model'

export interface LinkOptions {
  /** The server, for messages. */
  readonly address: string
  /** `look`: see what it is and fetch of it, without counting as one of its clients. `manage`: give commands. */
  readonly purpose: 'join' | 'look' | 'manage'
  /** 16 random bytes, the same as long as the client goes on with the same target. */
  readonly clientId: Uint8Array
  readonly hostName: string
  /** Empty: the first that takes us. */
  readonly sessionName: string
  readonly hardwareAddresses: readonly Uint8Array[]
  /** SHA-256 of the certificate that the connection has, 32 bytes. */
  readonly fingerprint: Uint8Array
}

export interface JoinedSession {
  readonly facts: Message<'session'>
  readonly layout: SequentialLayout
  /** Where the stream was when we joined. */
  readonly position: Message<'position'>
  readonly hashOf: (block: number) => Uint8Array | null
}

export type LinkOutput =
  /** Make a key of the password (if there is one) with this salt, and call `sayHello`. */
  | { readonly kind: 'greeted'; readonly salt: Uint8Array }
  | { readonly kind: 'joined'; readonly session: JoinedSession }
  /** For the receiver: its hashes, its position. */
  | { readonly kind: 'hashes' }
  | { readonly kind: 'position'; readonly position: Message<'position'> }
  | { readonly kind: 'block'; readonly block: number; readonly bytes: Uint8Array }
  | { readonly kind: 'answer'; readonly id: number; readonly json: Uint8Array }
  /** For who watches. */
  | { readonly kind: 'waiting'; readonly waiting: Message<'waiting'> }
  | { readonly kind: 'refused'; readonly refusal: Message<'refused'> }
  | { readonly kind: 'ended'; readonly end: Message<'end'> }

export interface ClientLink {
  /** `passwordKey`: see `passwordKey()`; null without a password. */
  sayHello(passwordKey: Uint8Array | null): ClientMessage
  /** Throws `NetworkError` E_MC_PROTOCOL for what makes no sense. */
  message(message: ServerMessage): LinkOutput[]
}

const hashBytes = 32

interface Offer {
  readonly facts: Message<'session'>
  readonly layout: SequentialLayout
  /** Those of the first `known` blocks, and room. */
  hashes: Uint8Array
  known: number
}

export function createClientLink(options: LinkOptions): ClientLink {
  let greeting: Message<'greeting'> | null = null
  let offered: Offer | null = null
  let isJoined = false

  const refuse = (why: string): never => {
    throw new NetworkError('E_MC_PROTOCOL', why, { details: { address: options.address, phase: 'control' } })
  }

  const takeOffer = (facts: Message<'session'>): Offer => {
    if (greeting === null || offered !== null) return refuse('a session at the wrong time')
    const wrong = wrongSize(facts)
    if (wrong !== null) return refuse(`a session with an impossible ${wrong}: ${facts[wrong]}`)
    return { facts, layout: planStream(facts), hashes: new Uint8Array(64 * hashBytes), known: 0 }
  }

  /** All hashes together are what the session says it is. Zeros: it wasn't known in advance. */
  const checkRoot = ({ facts, layout, hashes }: Offer) => {
    const { root, sizeBytes, blockBytes } = facts
    if (root.every((byte) => byte === 0)) return
    const blocks = { blockBytes, hashes: hashes.subarray(0, layout.blocks * hashBytes) }
    if (rootOfBlocks(blocks, { diskBytes: sizeBytes }) !== Buffer.from(root).toString('hex'))
      refuse("hashes that don't make up the session's root")
  }

  /** They come in order; so what is known is a number. */
  const takeHashes = ({ firstBlock, hashes }: Message<'hashes'>): LinkOutput[] => {
    if (offered === null) return refuse('hashes without a session')
    const count = hashes.length / hashBytes
    const isNext = firstBlock === offered.known && Number.isInteger(count)
    if (!isNext || offered.known + count > offered.layout.blocks) return refuse('hashes of other blocks')
    offered.known += count
    // No more room than what really came asks for, whatever the session claims to be.
    if (offered.known * hashBytes > offered.hashes.length) {
      const larger = new Uint8Array(offered.known * hashBytes * 2)
      larger.set(offered.hashes)
      offered.hashes = larger
    }
    offered.hashes.set(hashes, firstBlock * hashBytes)
    if (offered.known === offered.layout.blocks) checkRoot(offered)
    return isJoined ? [{ kind: 'hashes' }] : []
  }

  const takePosition = (position: Message<'position'>): LinkOutput[] => {
    if (offered === null) return refuse('a position without a session')
    if (isJoined) return [{ kind: 'position', position }]
    isJoined = true
    const at = offered
    const hashOf = (block: number) =>
      block < at.known ? at.hashes.subarray(block * hashBytes, (block + 1) * hashBytes) : null
    return [{ kind: 'joined', session: { facts: at.facts, layout: at.layout, position, hashOf } }]
  }

  return {
    sayHello(passwordKey) {
      if (greeting === null) return refuse('no greeting')
      const { purpose, clientId, hostName, hardwareAddresses, fingerprint } = options
      const sessionName = composedName(options.sessionName)
      const proof =
        passwordKey === null
          ? new Uint8Array(32)
          : provePassword(passwordKey, { nonce: greeting.nonce, fingerprint, clientId })
      const who = { clientId, proof, hostName, sessionName, hardwareAddresses }
      return { kind: 'hello', magic: protocolMagic, version: protocolVersion, purpose, ...who }
    },

    message(message) {
      switch (message.kind) {
        case 'greeting': {
          const { magic, lowestVersion, highestVersion, salt } = message
          if (greeting !== null || !Buffer.from(magic).equals(protocolMagic))
            return refuse('another protocol')
          if (protocolVersion < lowestVersion || protocolVersion > highestVersion)
            return refuse(
              `it speaks versions ${lowestVersion} to ${highestVersion}, we speak ${protocolVersion}`,
            )
          greeting = message
          return [{ kind: 'greeted', salt }]
        }
        case 'session':
          offered = takeOffer(message)
          return []
        case 'hashes':
          return takeHashes(message)
        case 'position':
          return takePosition(message)
        case 'block':
          return [{ kind: 'block', block: message.block, bytes: message.bytes }]
        case 'answer':
          return [{ kind: 'answer', id: message.id, json: message.json }]
        case 'waiting':
          return [{ kind: 'waiting', waiting: message }]
        case 'refused':
          return [{ kind: 'refused', refusal: message }]
        case 'end':
          return [{ kind: 'ended', end: message }]
        default:
          return refuse(`${message.kind} that nobody asked for`)
      }
    },
  }
}
