/**
 * The server's side of all control connections: who connected, what he may have, what he is told. Several sessions on one
 * port, in order of precedence. Pure: connections are names, messages go in and come out, time is told.
 */
import {
  protocolMagic,
  protocolVersion,
  type ClientMessage,
  type Message,
  type ServerMessage,
} from '#engine/multicast/wire'
import { composedName } from '#shared/model'
import { chooseOffer, mayComeLater } from './choose-offer.ts'
import { isMeant, rightTo, type ManagementRight, type SessionNames } from './management-right.ts'
import { Offer, type Member } from './offer.ts'
import { createProofGate, type ExaminedProof } from './proof-gate.ts'
import { refusalText, type Objection } from './refusal-texts.ts'
import type { Session, SessionStatus } from './session.ts'
import { newHashes, position, sessionList } from './tell-member.ts'

export interface HubOptions {
  /** 16 bytes, the same for all; passwords are turned into keys with it. */
  readonly salt: Uint8Array
  /** SHA-256 of the server's certificate, 32 bytes. */
  readonly fingerprint: Uint8Array
  /** 32 fresh random bytes. */
  readonly nonce: () => Uint8Array
  /** From the management password and the salt. Without one, sessions are managed only with their own passwords. */
  readonly managementKey?: Uint8Array | null
  /** Its password is so long that nobody guesses it: who has it never waits for those who guess. Default: it isn't. */
  readonly isManagementUnguessable?: boolean
}

export type HubOutput =
  | { readonly kind: 'send'; readonly connection: string; readonly message: ServerMessage }
  /** When what was sent before is out. */
  | { readonly kind: 'close'; readonly connection: string }
  /** Read the block and send it as a `block` message, then call `blockSent`. */
  | { readonly kind: 'read'; readonly connection: string; readonly session: string; readonly block: number }
  /** Somebody may say this: do it, then call `answer` with what came of it. Until then the connection says nothing more. */
  | {
      readonly kind: 'command'
      readonly connection: string
      readonly right: ManagementRight
      readonly id: number
      readonly json: Uint8Array
    }
  /** A computer whose client was lost is here again, as another one: that of `clientId` won't come back. */
  | { readonly kind: 'returned'; readonly session: string; readonly clientId: string }
  /** Everyone has it, and it was to end then: it has ended. */
  | { readonly kind: 'ended'; readonly session: string }
  /** So many passwords from there were wrong that the next one has to wait: for the log. */
  | { readonly kind: 'guessing'; readonly address: string; readonly waitMs: number }

export interface SessionHub {
  /** Offer a session, after those that are there. False if there is one of that name. */
  add(session: Session): boolean
  /** What clients are asked about first: all names, in the new order. */
  setPrecedence(names: readonly string[]): void
  /** Sessions that will be added when their source is read: whoever comes for one of them is told to wait. */
  setPending(sessions: readonly SessionNames[]): void
  startNow(name: string): boolean
  /** Tell everyone that it is over, and forget it. */
  stop(name: string, end: { readonly reason: Message<'end'>['reason']; readonly text: string }): HubOutput[]
  connected(connection: string, address: string, nowMs: number): HubOutput[]
  message(connection: string, message: ClientMessage, nowMs: number): HubOutput[]
  blockSent(connection: string): HubOutput[]
  /** Not all that it was told was taken yet: nothing is expected to be said until then. */
  isBehind(connection: string, nowMs: number): void
  /** Nothing comes of it if the connection is gone. */
  answer(connection: string, id: number, json: Uint8Array, nowMs: number): HubOutput[]
  disconnected(connection: string): void
  /** An administrator sends it away: it is dropped, and nobody waits for it. */
  dismissed(connection: string): void
  /** Called a few times a second. */
  tick(nowMs: number): HubOutput[]
  status(nowMs: number): SessionStatus[]
}

/** A connection that doesn't say hello for so long is closed. */
const helloMs = 10_000
/** A manager that says nothing for so long is sent away. */
const managerMs = 60_000
/**
 * A client that says nothing for so long, having taken all that it was told, isn't there any more, and who looks can come again: neither
 * keeps others out.
 */
const memberMs = 60_000
/** Clients report no more often than that; and so many sections are looked at in a millisecond, at most, for one of them. */
const reportMs = 30
const sectionsPerMs = 2000
/** A client is told where the stream is so often, and before the start how many are there. */
const tellMs = 1000

interface Connection {
  readonly address: string
  readonly nonce: Uint8Array
  readonly sinceMs: number
  member: Member | null
  manager: Manager | null
}

interface Manager {
  readonly right: ManagementRight
  saidMs: number
  isWaiting: boolean
}

/** Until the next report is heeded: what this one costs is a small part of that. */
const heedMs = ({ needs }: Message<'report'>) =>
  Math.max(reportMs, needs.reduce((sum, { count }) => sum + count, 0) / sectionsPerMs)

export function createSessionHub({
  salt,
  fingerprint,
  nonce,
  managementKey = null,
  isManagementUnguessable = false,
}: HubOptions): SessionHub {
  let offers: Offer[] = []
  let pending: readonly SessionNames[] = []
  let clockMs = 0
  const connections = new Map<string, Connection>()
  const proofs = createProofGate(fingerprint)
  const find = (name: string) => offers.find((offer) => offer.name === name)
  const send = (connection: string, messages: readonly ServerMessage[]): HubOutput[] =>
    messages.map((message) => ({ kind: 'send', connection, message }))

  const refuse = (connection: string, reason: Message<'refused'>['reason'], text: string): HubOutput[] => {
    const outputs: HubOutput[] = [
      { kind: 'send', connection, message: { kind: 'refused', reason, text } },
      { kind: 'close', connection },
    ]
    drop(connection)
    return outputs
  }

  const drop = (connection: string) => {
    const member = connections.get(connection)?.member
    connections.delete(connection)
    member?.offer.leave(member, clockMs)
  }

  const object = (connection: string, objection: Objection, { waitMs }: ExaminedProof): HubOutput[] =>
    refuse(connection, objection, refusalText(objection, waitMs))

  /** It was compared with all that it may be for. */
  const settle = (proof: ExaminedProof, { address }: Connection): HubOutput[] => {
    const waitMs = proof.settle()
    return waitMs === 0 ? [] : [{ kind: 'guessing', address, waitMs }]
  }

  /** The session it names, or the first that has no objection; then what everyone is told who is let in. */
  const enter = (
    connection: string,
    at: Connection,
    hello: Message<'hello'> & { readonly purpose: Member['purpose'] },
    nowMs: number,
  ): HubOutput[] => {
    const proof = proofs.examine(hello, at, nowMs)
    const { address } = at
    const { hostName, hardwareAddresses, sessionName, purpose } = hello
    const clientId = Buffer.from(hello.clientId).toString('hex')
    const applicant = { address, hostName, hardwareAddresses }
    const chosen = chooseOffer(offers, { clientId, sessionName, applicant, proof }, nowMs)
    // Who gets another session than the one whose password he tried has learned as much as who gets none.
    const told = settle(proof, at)
    if (mayComeLater(pending, sessionName, chosen))
      return [...told, ...object(connection, 'preparing', proof)]
    if (chosen === null) return refuse(connection, 'no-session', 'There is no such session.')
    const { offer, objection } = chosen
    if (objection !== null) return [...told, ...object(connection, objection, proof)]
    const member: Member = {
      connection,
      offer,
      purpose,
      clientId,
      computer: applicant,
      reportedMs: null,
      heedDueMs: nowMs,
      saidMs: nowMs,
      tellDueMs: nowMs + tellMs,
      hashesTold: 0,
      isReading: false,
      nextBlock: null,
    }
    at.member = member
    const outputs = [...told, ...(purpose === 'join' ? join(member, nowMs) : [])]
    if (purpose === 'look') offer.look(member)
    return [
      ...outputs,
      ...send(connection, [offer.session.facts, ...newHashes(member), ...position(member, nowMs)]),
    ]
  }

  /** As one of the session's clients. Whose place it takes isn't here any more. */
  const join = (member: Member, nowMs: number): HubOutput[] => {
    const { offer } = member
    const { earlier, lost } = offer.join(member, nowMs)
    const outputs: HubOutput[] = []
    if (earlier !== undefined) {
      connections.delete(earlier.connection)
      outputs.push({ kind: 'close', connection: earlier.connection })
    }
    if (lost !== null) outputs.push({ kind: 'returned', session: offer.name, clientId: lost })
    return outputs
  }

  /** Who turns out to be gone, now that his computer has been here again for a while. */
  const supersede = (offer: Offer, nowMs: number): HubOutput[] =>
    offer.superseded(nowMs).flatMap(({ connection, clientId }): HubOutput[] => {
      connections.delete(connection)
      return [
        { kind: 'close', connection },
        { kind: 'returned', session: offer.name, clientId },
      ]
    })

  const list = (connection: string, nowMs: number): HubOutput[] => {
    drop(connection)
    return [...send(connection, [sessionList(offers, nowMs)]), { kind: 'close', connection }]
  }

  /** By the management password everything; by a session's own, what is about the sessions of that password. */
  const manage = (
    connection: string,
    at: Connection,
    hello: Message<'hello'>,
    nowMs: number,
  ): HubOutput[] => {
    const isWanted = isMeant(hello.sessionName)
    const wanted = offers.filter(isWanted)
    const proof = proofs.examine(hello, at, nowMs)
    const isManager =
      managementKey !== null &&
      (isManagementUnguessable ? proof.isRightUnguessable(managementKey) : proof.isRight(managementKey))
    const right = isManager ? ({ kind: 'all' } as const) : rightTo(wanted, proof)
    const isEarly = right === null && pending.some(isWanted)
    // Its key isn't here yet, so its right proof looks like a wrong one; it counts only where it may be a guess at another.
    const isGuess =
      !isEarly ||
      (managementKey !== null && !isManagementUnguessable) ||
      wanted.some(({ session }) => session.passwordKey !== null)
    const told = isGuess ? settle(proof, at) : []
    if (right === null) {
      const objection = isGuess && proof.waitMs > 0 ? 'wait' : isEarly ? 'preparing' : 'password'
      return [...told, ...object(connection, objection, proof)]
    }
    at.manager = { right, saidMs: nowMs, isWaiting: false }
    return []
  }

  const command = (
    connection: string,
    manager: Manager,
    { id, json }: Message<'command'>,
    nowMs: number,
  ): HubOutput[] => {
    if (manager.isWaiting) return refuse(connection, 'protocol', 'One command at a time.')
    manager.isWaiting = true
    manager.saidMs = nowMs
    return [{ kind: 'command', connection, right: manager.right, id, json }]
  }

  const hello = (connection: string, at: Connection, said: Message<'hello'>, nowMs: number): HubOutput[] => {
    const hello = { ...said, sessionName: composedName(said.sessionName) }
    if (!Buffer.from(hello.magic).equals(protocolMagic))
      return refuse(connection, 'protocol', 'That is another protocol.')
    if (hello.version !== protocolVersion)
      return refuse(connection, 'version', `This server speaks version ${protocolVersion}.`)
    const { purpose } = hello
    switch (purpose) {
      case 'list':
        return list(connection, nowMs)
      case 'manage':
        return manage(connection, at, hello, nowMs)
      default:
        return enter(connection, at, { ...hello, purpose }, nowMs)
    }
  }

  /** However often somebody reports, and however much he lacks: the stream goes on for the others. */
  const report = (member: Member, message: Message<'report'>, nowMs: number) => {
    const { offer, clientId } = member
    const { sender } = offer.session
    offer.reported(member, nowMs)
    const isHeeded = nowMs >= member.heedDueMs
    if (isHeeded) member.heedDueMs = nowMs + heedMs(message)
    const heeded = isHeeded ? message : { ...message, needs: [] }
    if (sender.report(clientId, heeded, nowMs)) return
    // Forgotten for not reporting, but here it is again.
    sender.join(clientId, nowMs)
    sender.report(clientId, heeded, nowMs)
  }

  /** Who stops without the image is missing, like one that vanished: perhaps it is tried again. */
  const finish = (member: Member, outcome: Message<'finished'>['outcome']): HubOutput[] => {
    const { connection, offer, purpose } = member
    if (purpose === 'join' && outcome === 'done') offer.finished(member)
    drop(connection)
    return [{ kind: 'close', connection }, ...(purpose === 'join' ? endIfFinished(offer) : [])]
  }

  const endIfFinished = (offer: Offer): HubOutput[] => {
    if (!offer.isOver(clockMs)) return []
    const { name } = offer
    return [...hub.stop(name, { reason: 'finished', text: '' }), { kind: 'ended', session: name }]
  }

  const hub: SessionHub = {
    add(session) {
      if (find(session.facts.name) !== undefined) return false
      offers.push(new Offer(session))
      pending = pending.filter(({ name }) => name !== session.facts.name)
      return true
    },

    setPrecedence(names) {
      const place = ({ name }: Offer) => {
        const index = names.indexOf(name)
        return index === -1 ? names.length : index
      }
      offers = offers.toSorted((a, b) => place(a) - place(b))
    },

    setPending(sessions) {
      // One may have been added since they were gathered.
      pending = sessions.filter(({ name }) => find(name) === undefined)
    },

    startNow(name) {
      const offer = find(name)
      offer?.session.sender.start()
      return offer !== undefined
    },

    stop(name, { reason, text }) {
      const offer = find(name)
      if (offer === undefined) return []
      offers = offers.filter((other) => other !== offer)
      const told = offer.everyone()
      for (const { connection } of told) drop(connection)
      offer.session.sender.end()
      return told.flatMap(({ connection }): HubOutput[] => [
        { kind: 'send', connection, message: { kind: 'end', reason, text } },
        { kind: 'close', connection },
      ])
    },

    connected(connection, address, nowMs) {
      clockMs = nowMs
      const fresh = nonce()
      connections.set(connection, { address, nonce: fresh, sinceMs: nowMs, member: null, manager: null })
      const versions = { lowestVersion: protocolVersion, highestVersion: protocolVersion }
      const message: ServerMessage = {
        kind: 'greeting',
        magic: protocolMagic,
        ...versions,
        nonce: fresh,
        salt,
      }
      return [{ kind: 'send', connection, message }]
    },

    message(connection, message, nowMs) {
      clockMs = nowMs
      const at = connections.get(connection)
      if (at === undefined) return []
      const { member, manager } = at
      if (member !== null) member.saidMs = nowMs
      if (message.kind === 'hello')
        return member === null && manager === null
          ? hello(connection, at, message, nowMs)
          : refuse(connection, 'protocol', 'A second hello.')
      if (manager !== null && message.kind === 'command') return command(connection, manager, message, nowMs)
      if (member === null) return refuse(connection, 'protocol', 'Not after that hello.')
      const { session } = member.offer
      switch (message.kind) {
        case 'report':
          if (member.purpose === 'look') return refuse(connection, 'protocol', 'Who looks has no report.')
          report(member, message, nowMs)
          return []
        case 'fetch': {
          if (message.block >= session.blocks)
            return refuse(connection, 'protocol', 'There is no such block.')
          if (member.isReading) {
            member.nextBlock = message.block
            return []
          }
          member.isReading = true
          return [{ kind: 'read', connection, session: member.offer.name, block: message.block }]
        }
        case 'finished':
          return finish(member, message.outcome)
        default:
          return refuse(connection, 'protocol', 'Not after that hello.')
      }
    },

    blockSent(connection) {
      const member = connections.get(connection)?.member
      if (!member) return []
      member.saidMs = clockMs
      const { nextBlock: block } = member
      member.isReading = block !== null
      member.nextBlock = null
      if (block === null) return []
      return [{ kind: 'read', connection, session: member.offer.name, block }]
    },

    isBehind(connection, nowMs) {
      const member = connections.get(connection)?.member
      if (member) member.saidMs = nowMs
    },

    answer(connection, id, json, nowMs) {
      const manager = connections.get(connection)?.manager
      if (!manager?.isWaiting) return []
      manager.isWaiting = false
      manager.saidMs = nowMs
      return [{ kind: 'send', connection, message: { kind: 'answer', id, json } }]
    },

    disconnected: drop,

    dismissed(connection) {
      const member = connections.get(connection)?.member
      drop(connection)
      if (member) member.offer.dismiss(member)
    },

    tick(nowMs) {
      clockMs = nowMs
      for (const offer of offers) {
        offer.startIfDue(nowMs)
        offer.tidy(nowMs)
      }
      const outputs = [
        ...offers.flatMap((offer) => supersede(offer, nowMs)),
        ...offers.flatMap(endIfFinished),
      ]
      for (const [connection, { member, manager, sinceMs }] of connections) {
        if (manager?.isWaiting) continue
        if (member === null) {
          const isPatient = manager === null ? nowMs - sinceMs < helloMs : nowMs - manager.saidMs < managerMs
          if (isPatient) continue
          connections.delete(connection)
          outputs.push({ kind: 'close', connection })
        } else if (nowMs - member.saidMs >= memberMs && !member.isReading) {
          drop(connection)
          outputs.push({ kind: 'close', connection })
        } else if (nowMs >= member.tellDueMs) {
          member.tellDueMs = nowMs + tellMs
          outputs.push(...send(connection, [...newHashes(member), ...position(member, nowMs)]))
        }
      }
      return outputs
    },

    status: (nowMs) => offers.map((offer) => offer.status(nowMs)),
  }
  return hub
}
