/**
 * The server's side of all control connections: who connected, what he may have, what he is told. Several sessions on one
 * port, in order of precedence. Pure: connections are names, messages go in and come out, time is told.
 */
import {
  maxHashesAtOnce,
  protocolMagic,
  protocolVersion,
  startsByHand,
  type ClientMessage,
  type Message,
  type ServerMessage,
} from '#engine/multicast/wire'
import { isAdmitted, isSameComputer, type Applicant } from './admission.ts'
import { Attendance } from './attendance.ts'
import { decideStart } from './autostart.ts'
import { createProofGate, type ExaminedProof } from './proof-gate.ts'
import { refusalText, type Objection } from './refusal-texts.ts'
import type { Session, SessionStatus } from './session.ts'

export interface HubOptions {
  /** 16 bytes, the same for all; passwords are turned into keys with it. */
  readonly salt: Uint8Array
  /** SHA-256 of the server's certificate, 32 bytes. */
  readonly fingerprint: Uint8Array
  /** 32 fresh random bytes. */
  readonly nonce: () => Uint8Array
  /** From the management password and the salt. Without one, sessions are managed only with their own passwords. */
  readonly managementKey?: Uint8Array | null
}

/** What a manager may do: everything, or see and stop the one session whose password it knows. */
export type ManagementRight =
  { readonly kind: 'all' } | { readonly kind: 'session'; readonly session: string }

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
  startNow(name: string): boolean
  /** Tell everyone that it is over, and forget it. */
  stop(name: string, end: { readonly reason: Message<'end'>['reason']; readonly text: string }): HubOutput[]
  connected(connection: string, address: string, nowMs: number): HubOutput[]
  message(connection: string, message: ClientMessage, nowMs: number): HubOutput[]
  blockSent(connection: string): HubOutput[]
  /** Nothing comes of it if the connection is gone. */
  answer(connection: string, id: number, json: Uint8Array, nowMs: number): HubOutput[]
  disconnected(connection: string): void
  /** Called a few times a second. */
  tick(nowMs: number): HubOutput[]
  status(nowMs: number): SessionStatus[]
}

/** A connection that doesn't say hello for so long is closed. */
const helloMs = 10_000
/** A manager that says nothing for so long is sent away. */
const managerMs = 60_000
/** A client is told where the stream is so often, and before the start how many are there. */
const tellMs = 1000

/** Who was let into a session: as one of its clients, or to look. */
interface Member {
  readonly session: Entry
  readonly purpose: 'join' | 'look'
  readonly clientId: string
  readonly computer: Applicant
  tellDueMs: number
  hashesTold: number
  isReading: boolean
  /** What it has asked for since: it has the block before we hear that it was taken off our hands. */
  nextBlock: number | null
}

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

interface Entry {
  readonly session: Session
  /** Clients by id, and the connection that each has now. */
  readonly members: Map<string, string>
  /** Connections that only look. */
  readonly lookers: Set<string>
  readonly attendance: Attendance
  lastJoinMs: number | null
}

export function createSessionHub({ salt, fingerprint, nonce, managementKey = null }: HubOptions): SessionHub {
  let entries: Entry[] = []
  let clockMs = 0
  const connections = new Map<string, Connection>()
  const proofs = createProofGate(fingerprint)
  const find = (name: string) => entries.find(({ session }) => session.facts.name === name)

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
    member?.session.lookers.delete(connection)
    if (!member || member.session.members.get(member.clientId) !== connection) return
    const { session: entry, clientId, computer } = member
    entry.members.delete(clientId)
    entry.attendance.left(clientId, computer, clockMs)
    entry.session.sender.leave(clientId)
  }

  /** Clients that count: one whose connection stands, but who is silent for long, may be gone. */
  const joinedOf = ({ session }: Entry) => session.sender.clientCount

  const waitOf = (entry: Entry, nowMs: number) => {
    const { session, lastJoinMs } = entry
    return decideStart(session.startRule, { joined: joinedOf(entry), lastJoinMs }, nowMs)
  }

  const startIfDue = (entry: Entry, nowMs: number) => {
    if (entry.session.sender.state === 'waiting' && waitOf(entry, nowMs).kind === 'start')
      entry.session.sender.start()
  }

  /** Why this client can't have this session, or null. */
  const objectionTo = (
    entry: Entry,
    { clientId, hostName, hardwareAddresses }: Message<'hello'>,
    { address }: Connection,
    proof: ExaminedProof,
  ): Objection | null => {
    const { session, members } = entry
    const applicant: Applicant = { address, hostName, hardwareAddresses }
    if (!isAdmitted(session.admission, applicant)) return 'not-admitted'
    if (session.passwordKey !== null && !proof.isRight(session.passwordKey))
      return proof.waitMs > 0 ? 'wait' : 'password'
    const isBack = members.has(Buffer.from(clientId).toString('hex'))
    return joinedOf(entry) >= session.mostClients && !isBack ? 'full' : null
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
    const candidates =
      hello.sessionName === ''
        ? entries
        : entries.filter(({ session }) => session.facts.name === hello.sessionName)
    const proof = proofs.examine(hello, at, nowMs)
    const judged = candidates.map((entry) => ({ entry, objection: objectionTo(entry, hello, at, proof) }))
    // Who gets another session than the one whose password he tried has learned as much as who gets none.
    const told = settle(proof, at)
    // Whose password isn't looked at yet isn't given something else instead: it may be the right one.
    const [first] = judged
    const chosen = judged.find(({ objection }) => objection === null || objection === 'wait') ?? first
    if (chosen === undefined) return refuse(connection, 'no-session', 'There is no such session.')
    const { entry, objection } = chosen
    if (objection !== null) return [...told, ...object(connection, objection, proof)]
    const { purpose } = hello
    const clientId = Buffer.from(hello.clientId).toString('hex')
    const member: Member = {
      session: entry,
      purpose,
      clientId,
      computer: { address: at.address, hostName: hello.hostName, hardwareAddresses: hello.hardwareAddresses },
      tellDueMs: nowMs + tellMs,
      hashesTold: 0,
      isReading: false,
      nextBlock: null,
    }
    at.member = member
    const outputs = [...told, ...(purpose === 'join' ? join(connection, member, nowMs) : [])]
    if (purpose === 'look') entry.lookers.add(connection)
    outputs.push({ kind: 'send', connection, message: entry.session.facts })
    return [...outputs, ...newHashes(connection, member), ...tell(connection, member, nowMs)]
  }

  /** Count it among the session's clients, in the place that it may have had before. */
  const join = (connection: string, member: Member, nowMs: number): HubOutput[] => {
    const { session: entry, clientId } = member
    const lost = lostFrom(member)
    const earlier = entry.members.get(lost ?? clientId)
    if (earlier !== undefined) drop(earlier)
    if (lost !== null) entry.attendance.found(lost)
    entry.members.set(clientId, connection)
    entry.attendance.joined(clientId)
    entry.lastJoinMs = nowMs
    entry.session.sender.join(clientId, nowMs)
    startIfDue(entry, nowMs)
    const outputs: HubOutput[] = []
    if (earlier !== undefined) outputs.push({ kind: 'close', connection: earlier })
    if (lost !== null) outputs.push({ kind: 'returned', session: entry.session.facts.name, clientId: lost })
    return outputs
  }

  /** The client that was lost on the computer of this one, which is new: killed, or rebooted, it may come back under another name. */
  const lostFrom = ({ session: entry, clientId, computer }: Member): string | null => {
    const { session, members, attendance } = entry
    if (members.has(clientId) || attendance.isMissing(clientId)) return null
    const heard = new Set(session.sender.clients().map(({ id }) => id))
    for (const [id, connection] of members) {
      const there = connections.get(connection)?.member
      if (there && !heard.has(id) && isSameComputer(there.computer, computer)) return id
    }
    return attendance.lostOn(computer, heard)
  }

  /** Hashes that have become known since the last time, in order. */
  const newHashes = (connection: string, member: Member): HubOutput[] => {
    const { hashOf, blocks } = member.session.session
    const outputs: HubOutput[] = []
    while (member.hashesTold < blocks) {
      const firstBlock = member.hashesTold
      const known: Uint8Array[] = []
      while (known.length < maxHashesAtOnce && firstBlock + known.length < blocks) {
        const hash = hashOf(firstBlock + known.length)
        if (hash === null) break
        known.push(hash)
      }
      if (known.length === 0) break
      member.hashesTold += known.length
      const hashes = Uint8Array.from(Buffer.concat(known))
      outputs.push({ kind: 'send', connection, message: { kind: 'hashes', firstBlock, hashes } })
    }
    return outputs
  }

  /** Where the stream is, and until it starts, how many are here. */
  const tell = (connection: string, member: Member, nowMs: number): HubOutput[] => {
    const { session } = member.session
    const position = session.sender.positionFor(member.clientId)
    const outputs: HubOutput[] = [{ kind: 'send', connection, message: position }]
    if (session.sender.state !== 'waiting') return outputs
    const wait = waitOf(member.session, nowMs)
    const startsInMs = wait.kind === 'wait' ? wait.startsInMs : 0
    const message: ServerMessage = {
      kind: 'waiting',
      joined: joinedOf(member.session),
      wanted: session.startRule.clients ?? 0,
      startsInMs: startsInMs === null ? startsByHand : Math.ceil(startsInMs),
    }
    return [...outputs, { kind: 'send', connection, message }]
  }

  const statusOf = (entry: Entry, nowMs: number): SessionStatus => {
    const { facts, sender, startRule } = entry.session
    const wait = sender.state === 'waiting' ? waitOf(entry, nowMs) : null
    return {
      name: facts.name,
      imageName: facts.imageName,
      sizeBytes: facts.sizeBytes,
      state: sender.state,
      joined: joinedOf(entry),
      finished: entry.attendance.finishedCount,
      wanted: startRule.clients,
      startsInMs: wait?.kind === 'wait' ? wait.startsInMs : null,
    }
  }

  const list = (connection: string, nowMs: number): HubOutput[] => {
    const sessions = entries.slice(0, 256).map((entry) => {
      const { name, imageName, sizeBytes, state, joined, wanted, startsInMs } = statusOf(entry, nowMs)
      const startsIn = startsInMs === null ? startsByHand : Math.ceil(startsInMs)
      return { name, imageName, sizeBytes, state, joined, wanted: wanted ?? 0, startsInMs: startsIn }
    })
    drop(connection)
    return [
      { kind: 'send', connection, message: { kind: 'sessions', sessions } },
      { kind: 'close', connection },
    ]
  }

  /** By the management password everything; by a session's own, what is about that one. */
  const manage = (
    connection: string,
    at: Connection,
    hello: Message<'hello'>,
    nowMs: number,
  ): HubOutput[] => {
    const { sessionName } = hello
    const proof = proofs.examine(hello, at, nowMs)
    const knows = (key: Uint8Array | null) => key !== null && proof.isRight(key)
    const isManager = knows(managementKey)
    const isOfSession = knows(find(sessionName)?.session.passwordKey ?? null)
    const told = settle(proof, at)
    if (!isManager && !isOfSession)
      return [...told, ...object(connection, proof.waitMs > 0 ? 'wait' : 'password', proof)]
    const right: ManagementRight = isManager ? { kind: 'all' } : { kind: 'session', session: sessionName }
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

  const hello = (connection: string, at: Connection, hello: Message<'hello'>, nowMs: number): HubOutput[] => {
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

  const finish = (connection: string, { session: entry, purpose, clientId }: Member): HubOutput[] => {
    if (purpose === 'look') {
      drop(connection)
      return [{ kind: 'close', connection }]
    }
    entry.attendance.finished(clientId)
    drop(connection)
    return [{ kind: 'close', connection }, ...endIfFinished(entry)]
  }

  /** It was to end when everyone has finished, and everyone has, or is gone for long. */
  const endIfFinished = (entry: Entry): HubOutput[] => {
    const { session, members, attendance } = entry
    if (session.whenFinished === 'stays' || attendance.finishedCount === 0) return []
    const heard = new Set(session.sender.clients().map(({ id }) => id))
    for (const [clientId, connection] of members) {
      const member = connections.get(connection)?.member
      if (heard.has(clientId)) attendance.found(clientId)
      else if (member) attendance.silent(clientId, member.computer, clockMs)
    }
    if (attendance.isSomebodyAwaited(clockMs)) return []
    if (members.keys().some((clientId) => heard.has(clientId))) return []
    const { name } = session.facts
    return [...hub.stop(name, { reason: 'finished', text: '' }), { kind: 'ended', session: name }]
  }

  const hub: SessionHub = {
    add(session) {
      if (find(session.facts.name) !== undefined) return false
      entries.push({
        session,
        members: new Map(),
        lookers: new Set(),
        attendance: new Attendance(),
        lastJoinMs: null,
      })
      return true
    },

    setPrecedence(names) {
      const place = ({ session }: Entry) => {
        const index = names.indexOf(session.facts.name)
        return index === -1 ? names.length : index
      }
      entries = entries.toSorted((a, b) => place(a) - place(b))
    },

    startNow(name) {
      const entry = find(name)
      entry?.session.sender.start()
      return entry !== undefined
    },

    stop(name, { reason, text }) {
      const entry = find(name)
      if (entry === undefined) return []
      entries = entries.filter((other) => other !== entry)
      const told = [...entry.members.values(), ...entry.lookers]
      for (const connection of told) drop(connection)
      entry.session.sender.end()
      return told.flatMap((connection): HubOutput[] => [
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
      if (message.kind === 'hello')
        return member === null && manager === null
          ? hello(connection, at, message, nowMs)
          : refuse(connection, 'protocol', 'A second hello.')
      if (manager !== null && message.kind === 'command') return command(connection, manager, message, nowMs)
      if (member === null) return refuse(connection, 'protocol', 'Not after that hello.')
      const { session } = member.session
      switch (message.kind) {
        case 'report':
          if (member.purpose === 'look') return refuse(connection, 'protocol', 'Who looks has no report.')
          // Forgotten for not reporting, but here it is again.
          if (!session.sender.report(member.clientId, message, nowMs)) {
            session.sender.join(member.clientId, nowMs)
            session.sender.report(member.clientId, message, nowMs)
          }
          return []
        case 'fetch': {
          if (message.block >= session.blocks)
            return refuse(connection, 'protocol', 'There is no such block.')
          if (member.isReading) {
            member.nextBlock = message.block
            return []
          }
          member.isReading = true
          return [{ kind: 'read', connection, session: session.facts.name, block: message.block }]
        }
        case 'finished':
          return finish(connection, member)
        default:
          return refuse(connection, 'protocol', 'Not after that hello.')
      }
    },

    blockSent(connection) {
      const member = connections.get(connection)?.member
      if (!member) return []
      const { nextBlock: block } = member
      member.isReading = block !== null
      member.nextBlock = null
      if (block === null) return []
      return [{ kind: 'read', connection, session: member.session.session.facts.name, block }]
    },

    answer(connection, id, json, nowMs) {
      const manager = connections.get(connection)?.manager
      if (!manager?.isWaiting) return []
      manager.isWaiting = false
      manager.saidMs = nowMs
      return [{ kind: 'send', connection, message: { kind: 'answer', id, json } }]
    },

    disconnected: drop,

    tick(nowMs) {
      clockMs = nowMs
      for (const entry of entries) {
        startIfDue(entry, nowMs)
        entry.attendance.tidy(nowMs, (clientId) => entry.members.has(clientId))
      }
      const outputs = entries.flatMap(endIfFinished)
      for (const [connection, { member, manager, sinceMs }] of connections) {
        if (manager?.isWaiting) continue
        if (member === null) {
          const isPatient = manager === null ? nowMs - sinceMs < helloMs : nowMs - manager.saidMs < managerMs
          if (isPatient) continue
          connections.delete(connection)
          outputs.push({ kind: 'close', connection })
        } else if (nowMs >= member.tellDueMs) {
          member.tellDueMs = nowMs + tellMs
          outputs.push(...newHashes(connection, member), ...tell(connection, member, nowMs))
        }
      }
      return outputs
    },

    status: (nowMs) => entries.map((entry) => statusOf(entry, nowMs)),
  }
  return hub
}
