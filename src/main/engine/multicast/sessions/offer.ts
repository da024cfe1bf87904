/** A session as it is offered: who is in it, who was, when it begins and whether it is over. */
import { isSameComputer, type Applicant } from './admission.ts'
import { Attendance } from './attendance.ts'
import { decideStart, type StartDecision } from './autostart.ts'
import type { Session, SessionStatus } from './session.ts'

/** Who was let into a session: as one of its clients, or to look. */
export interface Member {
  readonly connection: string
  readonly offer: Offer
  readonly purpose: 'join' | 'look'
  readonly clientId: string
  readonly computer: Applicant
  /** When it reported last; null: it never did. */
  reportedMs: number | null
  /** What it says it lacks is heard again then: looking at it has cost so much. */
  heedDueMs: number
  /** When it said something last. */
  saidMs: number
  tellDueMs: number
  hashesTold: number
  isReading: boolean
  /** What it has asked for since: it has the block before we hear that it was taken off our hands. */
  nextBlock: number | null
}

/** A client that reports four times a second, and is silent for so long, won't go on if its computer is here as another one. */
const silentMs = 5000

export class Offer {
  readonly session: Session
  /** Clients by id. */
  readonly #members = new Map<string, Member>()
  /** They only look. */
  readonly #lookers = new Set<Member>()
  /** Their computers are here as other clients, and they haven't been heard since: two clients of one computer, or one that is gone. */
  readonly #doubted = new Set<Member>()
  readonly #attendance = new Attendance()
  #lastJoinMs: number | null = null

  constructor(session: Session) {
    this.session = session
  }

  get name(): string {
    return this.session.facts.name
  }

  /** 32 hex digits. */
  get sessionId(): string {
    return Buffer.from(this.session.facts.sessionId).toString('hex')
  }

  /** Clients that count: one whose connection stands, but who is silent for long, may be gone, and nobody counts twice. */
  get joined(): number {
    return this.session.sender.clientCount - this.#doubted.size
  }

  /** It would take the place of one that is here. */
  hasPlaceFor(clientId: string, computer: Applicant, nowMs: number): boolean {
    return this.#members.has(clientId) || this.#lostFrom(clientId, computer, nowMs) !== null
  }

  everyone(): readonly Member[] {
    return [...this.#members.values(), ...this.#lookers]
  }

  wait(nowMs: number): StartDecision {
    const { joined } = this
    return decideStart(this.session.startRule, { joined, lastJoinMs: this.#lastJoinMs }, nowMs)
  }

  startIfDue(nowMs: number): void {
    const { sender } = this.session
    if (sender.state === 'waiting' && this.wait(nowMs).kind === 'start') sender.start()
  }

  look(member: Member): void {
    this.#lookers.add(member)
  }

  /**
   * Count it among the clients, in the place that it may have had before. `earlier`: whose connection isn't needed any more; `lost`: the
   * client of its computer in whose place it comes.
   */
  join(
    member: Member,
    nowMs: number,
  ): { readonly earlier: Member | undefined; readonly lost: string | null } {
    const { clientId, computer } = member
    const lost = this.#lostFrom(clientId, computer, nowMs)
    const earlier = this.#members.get(lost ?? clientId)
    // Who comes back among others isn't one more: a computer that starts again and again would put off the start for ever.
    const isKnown = earlier !== undefined || lost !== null || this.#attendance.isMissing(clientId)
    if (earlier !== undefined) this.leave(earlier, nowMs)
    if (!isKnown || this.#members.size === 0) this.#lastJoinMs = nowMs
    if (lost !== null) this.#attendance.found(lost)
    for (const there of this.#members.values())
      if (there.reportedMs !== null && isSameComputer(there.computer, computer)) this.#doubted.add(there)
    this.#members.set(clientId, member)
    this.#attendance.joined(clientId)
    this.session.sender.join(clientId, nowMs)
    this.startIfDue(nowMs)
    return { earlier, lost }
  }

  reported(member: Member, nowMs: number): void {
    member.reportedMs = nowMs
    this.#doubted.delete(member)
  }

  /** Those in whose place another client of their computer is: their connections aren't needed any more. */
  superseded(nowMs: number): readonly Member[] {
    const gone = [...this.#doubted].filter((member) => isSilent(member, nowMs))
    for (const member of gone) {
      this.leave(member, nowMs)
      this.#attendance.found(member.clientId)
    }
    return gone
  }

  /** It has all of it. */
  finished({ clientId }: Member): void {
    this.#attendance.finished(clientId)
  }

  /** Its connection has ended, or isn't needed any more. */
  leave(member: Member, nowMs: number): void {
    this.#lookers.delete(member)
    this.#doubted.delete(member)
    const { clientId, computer } = member
    if (this.#members.get(clientId) !== member) return
    this.#members.delete(clientId)
    this.#attendance.left(clientId, computer, nowMs)
    this.session.sender.leave(clientId)
  }

  /** It was sent away, and has left: nobody waits for it. */
  dismiss({ clientId }: Member): void {
    this.#attendance.found(clientId)
  }

  /** It was to end when everyone has finished, and everyone has, or is gone for long. */
  isOver(nowMs: number): boolean {
    const { whenFinished, sender } = this.session
    if (whenFinished === 'stays' || sender.state === 'waiting') return false
    if (this.#attendance.finishedCount === 0) return false
    const heard = this.#heard()
    for (const { clientId, computer } of this.#members.values()) {
      if (heard.has(clientId)) this.#attendance.found(clientId)
      else this.#attendance.silent(clientId, computer, nowMs)
    }
    if (this.#attendance.isSomebodyAwaited(nowMs)) return false
    return !this.#members.keys().some((clientId) => heard.has(clientId))
  }

  tidy(nowMs: number): void {
    this.#attendance.tidy(nowMs, (clientId) => this.#members.has(clientId))
  }

  status(nowMs: number): SessionStatus {
    const { facts, sender, startRule } = this.session
    const wait = sender.state === 'waiting' ? this.wait(nowMs) : null
    return {
      name: facts.name,
      imageName: facts.imageName,
      sizeBytes: facts.sizeBytes,
      state: sender.state,
      joined: this.joined,
      finished: this.#attendance.finishedCount,
      wanted: startRule.clients,
      startsInMs: wait?.kind === 'wait' ? wait.startsInMs : null,
    }
  }

  /** The client that was lost on the computer of this one, which is new: killed, or rebooted, it may come back under another name. */
  #lostFrom(clientId: string, computer: Applicant, nowMs: number): string | null {
    if (this.#members.has(clientId) || this.#attendance.isMissing(clientId)) return null
    const heard = this.#heard()
    for (const [id, there] of this.#members)
      if ((!heard.has(id) || isSilent(there, nowMs)) && isSameComputer(there.computer, computer)) return id
    return this.#attendance.lostOn(computer, heard)
  }

  #heard(): ReadonlySet<string> {
    return new Set(this.session.sender.clients().map(({ id }) => id))
  }
}

const isSilent = ({ reportedMs }: Member, nowMs: number) =>
  reportedMs !== null && nowMs - reportedMs >= silentMs
