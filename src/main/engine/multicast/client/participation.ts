/** Takes part in a session: with the receiver there is, if it is the same session, or with a new one that goes on where that was. */
import { networkInterfaces } from 'node:os'
import { createPassStrip, type PassStrip, type Receiver } from '#engine/multicast/receiver'
import type { LogLevel, LogLine } from '#shared/log'
import type { BlockLedger } from './block-ledger.ts'
import { isEqual, type EnteredSession } from './enter-session.ts'
import { openMembership, type Membership } from './membership.ts'
import { addressNow, chooseInterface, type ReceiveInterface } from './receive-interface.ts'
import type { ReceptionData } from './reception-messages.ts'

export interface ParticipationOptions {
  readonly data: Pick<ReceptionData, 'interface' | 'facts' | 'holdBytes'>
  readonly ledger: BlockLedger
  readonly onDatagram: (receiver: Receiver, nowMs: number) => void
  readonly log: (level: LogLevel, message: string, fields: LogLine['fields']) => void
  /** Of this computer. Default: as the system shows them. */
  readonly interfaces?: typeof networkInterfaces
}

export interface Participation {
  /** `before`: what there was. Rejects with NetworkError E_MC_IFACE, E_NET. */
  join(entered: EnteredSession, before: Membership | null): Promise<Membership>
}

export function createParticipation({
  data,
  ledger,
  onDatagram,
  log,
  interfaces = networkInterfaces,
}: ParticipationOptions): Participation {
  let strip: PassStrip | null = null
  /** Left for another interface, which may not be had then. */
  let left: Membership | null = null
  /** Of the last connection. */
  let localAddress = ''
  return {
    async join({ session, control }, before) {
      const where = chooseInterface(data.interface, control.localAddress, interfaces())
      const isSame =
        before !== null &&
        before !== left &&
        isEqual(before.session.facts.sessionId, session.facts.sessionId) &&
        isSameInterface(before.interface, where)
      localAddress = control.localAddress
      if (isSame) {
        before.interface = where
        // The cable may have been out, the switch restarted.
        before.group.rejoin()
        before.session = session
        const nowMs = performance.now()
        before.receiver.position(session.position, nowMs)
        before.receiver.hashesCame(nowMs)
        return before
      }
      left = before
      await before?.group.close()
      strip ??= createPassStrip(session.layout)
      const made: Membership = await openMembership({
        session,
        interface: where,
        interfaceNow: () => addressNow(data.interface, made.interface, localAddress, interfaces()),
        // Only of the same cut is a pass the same.
        strip: session.facts.symbolBytes === data.facts.symbolBytes ? strip : createPassStrip(session.layout),
        holdBytes: data.holdBytes,
        blocks: () => ledger.snapshot(),
        onDatagram,
        onError: (error) => log('warn', 'the multicast socket failed', { error: String(error) }),
      })
      // What it held is as much again.
      left = null
      const { group, port, name } = session.facts
      log('info', 'joined', { session: name, group, port, interface: where.name })
      const { advice, askedBytes, grantedBytes } = made.group
      if (advice !== null)
        log('warn', 'the receive buffer is smaller than it should be', { askedBytes, grantedBytes, advice })
      return made
    },
  }
}

/** One that has another address by now is the same; so is one whose address has gone to a bridge. */
const isSameInterface = (a: ReceiveInterface, b: ReceiveInterface) =>
  a.name === b.name || a.address === b.address
