/** Taking part in one session: its group's socket, and the receiver of what comes there. A restarted server makes another. */
import { createErasureCode } from '#engine/multicast/fec'
import { createReceiver, type PassStrip, type Receiver } from '#engine/multicast/receiver'
import type { JoinedSession } from '#engine/multicast/sessions'
import { createDatagramCoder } from '#engine/multicast/wire'
import { openReceivingSocket, type GroupSocket } from './group-socket.ts'
import type { ReceiveInterface } from './receive-interface.ts'

export interface Membership {
  /** As the connection of now has it: its hashes become more. */
  session: JoinedSession
  readonly receiver: Receiver
  readonly group: GroupSocket
  /** As it was when the server was connected to. */
  interface: ReceiveInterface
  /** Datagrams that the system threw away, as far as was counted. */
  dropped: number
}

export interface MembershipOptions {
  readonly session: JoinedSession
  readonly interface: ReceiveInterface
  /** The address of the same by now. May throw NetworkError E_MC_IFACE. */
  readonly interfaceNow: () => string | null
  readonly strip: PassStrip
  readonly holdBytes: number
  /** Asked when the group is joined: blocks written (1 each), blocks given out and not yet written. */
  readonly blocks: () => { readonly have: Uint8Array; readonly handed: readonly number[] }
  /** The receiver has taken a datagram. */
  readonly onDatagram: (receiver: Receiver, nowMs: number) => void
  readonly onError: (error: Error) => void
}

/** While the socket is looked at, so many datagrams are kept that have come already. */
const mostEarly = 64

/** Rejects with NetworkError E_MC_IFACE, E_NET. */
export async function openMembership(options: MembershipOptions): Promise<Membership> {
  const { session, strip, holdBytes, onDatagram, onError } = options
  const { key, tag, symbolBytes, group, port, dataRate } = session.facts
  const early: Uint8Array[] = []
  let take = (bytes: Uint8Array) => {
    if (early.length < mostEarly) early.push(Uint8Array.from(bytes))
  }
  const socket = await openReceivingSocket({
    group,
    port,
    interface: options.interface.address,
    interfaceNow: options.interfaceNow,
    dataRate,
    symbolBytes,
    onDatagram: (bytes) => take(bytes),
    onError,
  })
  const receiver = createReceiver({
    layout: session.layout,
    coder: createDatagramCoder({ key, tag, symbolBytes }),
    code: createErasureCode(symbolBytes),
    hashOf: (block) => membership.session.hashOf(block),
    ...options.blocks(),
    strip,
    holdBytes,
    position: session.position,
    nowMs: performance.now(),
    chance: Math.random,
  })
  take = (bytes) => {
    const nowMs = performance.now()
    receiver.datagram(bytes, nowMs)
    onDatagram(receiver, nowMs)
  }
  const membership: Membership = {
    session,
    receiver,
    group: socket,
    interface: options.interface,
    dropped: 0,
  }
  for (const bytes of early) receiver.datagram(bytes, performance.now())
  return membership
}
