/**
 * One session's stream: its sender, its socket, the blocks it is about to send. Asked by the thread's loop to send what may be
 * sent now, it sends that and says when to be asked again.
 */
import { createErasureCode } from '#engine/multicast/fec'
import { planStream, type SequentialLayout } from '#engine/multicast/layout'
import type { ServedSession } from '#engine/multicast/orders'
import { createSender, createSymbolSource, type Sender, type SenderStep } from '#engine/multicast/sender'
import {
  createDatagramCoder,
  datagramHeaderBytes,
  networkHeaderBytes,
  type DatagramCoder,
} from '#engine/multicast/wire'
import { AnswerPacer, type Pace } from './answer-pacer.ts'
import type { AnswerRoom } from './answer-room.ts'
import { BlockCache, type ReadBytes } from './block-cache.ts'
import { ClientRoster } from './client-roster.ts'
import { answerShare, FetchBudget, type Fetch } from './fetch-budget.ts'
import type { GroupSender } from './group-sender.ts'
import { SendMeter } from './send-meter.ts'

export interface StreamParts {
  /** Of datagrams of `symbolBytes` and a header. Closed with the stream. */
  readonly group: GroupSender
  readonly read: ReadBytes
  /** Shared by all sessions of a port. */
  readonly room: AnswerRoom
  /** For the check of datagrams: 16 bytes, and the session's tag. */
  readonly key: Uint8Array
  readonly tag: number
  /** Something can be sent that couldn't before. */
  readonly wake: () => void
  /** Its source can't be read any more. */
  readonly broken: (error: unknown) => void
}

/** Of the source symbols: the repair that each lap adds where no word comes back. */
const oneWayRepairShare = 0.08
/** Of the stream at its rate, what is held: enough to be mended without reading again. */
const heldSeconds = 0.4
const heldBlocks = { least: 24, most: 40 }
/** So many blocks wait for their turn to go out, and no other is read for a fetch: whoever comes later waits no longer for that. */
const aheadAnswers = 4
/** Sections that are asked for ahead. */
const aheadSections = 96
/** A source that can't be read for so long isn't coming back. One on a web server has been waited for before it says that it can't. */
export const patienceMs = 30_000

type SendStep = Exclude<SenderStep, { readonly kind: 'wait' }>

export class SessionStream {
  readonly session: ServedSession
  readonly layout: SequentialLayout
  readonly sender: Sender
  readonly roster: ClientRoster
  readonly fetches: FetchBudget
  readonly datagramBytes: number
  readonly #parts: StreamParts
  readonly #answers: AnswerPacer
  readonly #cache: BlockCache
  readonly #coder: DatagramCoder
  readonly #symbols: ReturnType<typeof createSymbolSource>
  readonly #meter = new SendMeter()
  /** What becomes of the next burst is asked: of the first in each turn. */
  #asks = true
  #isClosed = false
  /** What is to be sent as soon as its block is here. */
  #pending: SendStep | null = null
  /** So many datagrams were sent last, and the system hasn't taken them yet. */
  #queued = 0
  #loaded = -1
  #wholeSection = -1
  #lap = 0
  #position = 0
  #repairs = 0
  #idleLaps = 0
  #seenLaps = 0
  #dataRate: number
  #clientDataRate: number | null
  #fetchShare = 0
  #readError: unknown = null
  #startedMs: number | null = null

  constructor(session: ServedSession, parts: StreamParts) {
    this.session = session
    this.#parts = parts
    const { blockBytes, symbolBytes, bytes, settings, hashes } = session
    const { dataRate, clientDataRate } = settings.configuration
    this.#dataRate = dataRate
    this.#clientDataRate = clientDataRate
    this.layout = planStream({ sizeBytes: bytes.sizeBytes, blockBytes, symbolBytes })
    this.roster = new ClientRoster(this.layout.blocks)
    this.fetches = new FetchBudget({ bytesOf: (block) => this.layout.lengthOf(block), room: parts.room })
    this.#answers = new AnswerPacer({ rate: () => this.#answerRate, wake: parts.wake })
    this.datagramBytes = symbolBytes + datagramHeaderBytes + networkHeaderBytes
    this.sender = createSender({
      layout: this.layout,
      dataRate,
      datagramBytes: this.datagramBytes,
      considerate: settings.considerate,
      clientDataRate,
      feedback:
        settings.feedback === 'demand'
          ? { kind: 'demand' }
          : { kind: 'none', repairShare: oneWayRepairShare },
    })
    const held = Math.ceil((dataRate * heldSeconds) / blockBytes)
    this.#cache = new BlockCache({
      layout: this.layout,
      path: bytes.locator,
      read: parts.read,
      hashOf: (block) => hashes.subarray(block * 32, block * 32 + 32),
      most: Math.min(heldBlocks.most, Math.max(heldBlocks.least, held)),
      arrived: () => {
        this.#readError = null
        parts.wake()
      },
      failed: (error, failingMs) => {
        this.#readError = error
        if (failingMs >= patienceMs) parts.broken(error)
      },
      // What is on a web server is waited for by who reads it.
      ...(bytes.kind === 'web' ? { unansweredMs: Infinity } : {}),
    })
    this.#coder = createDatagramCoder({ key: parts.key, tag: parts.tag, symbolBytes })
    this.#symbols = createSymbolSource(this.layout, createErasureCode(symbolBytes), (block) => {
      const held = this.#cache.get(block)
      // `#mayLoad` has made sure.
      return held ?? new Uint8Array(0)
    })
  }

  /** When the first datagram with a symbol went out, by the clock people have; null: none did. */
  get startedMs(): number | null {
    return this.#startedMs
  }
  get lap(): number {
    return this.#lap
  }
  /** 0 to 1. */
  get position(): number {
    return this.#position
  }
  get repairSymbols(): number {
    return this.#repairs
  }
  get sentBytes(): number {
    return this.#meter.sentBytes
  }
  get dataRate(): number {
    return this.#dataRate
  }
  get clientDataRate(): number | null {
    return this.#clientDataRate
  }
  sentBytesPerSecond(nowMs: number): number {
    return this.#meter.perSecond(nowMs)
  }
  /** Nothing is read for it any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }
  /** The system hasn't taken all that was sent: only the event loop's turn can change that. */
  get isQueued(): boolean {
    return this.#parts.group.isQueued
  }
  /** It is sent from there. */
  get address(): string {
    return this.#parts.group.address
  }

  /** Troubles of the moment. */
  get warnings(): readonly unknown[] {
    return [this.#parts.group.trouble, this.#readError].filter((error) => error !== null)
  }

  setRate(dataRate: number, clientDataRate: number | null): void {
    this.#dataRate = dataRate
    this.#clientDataRate = clientDataRate
    this.sender.setClientDataRate(clientDataRate)
    this.sender.setDataRate(dataRate)
  }

  /** Have what is needed next at hand. */
  readAhead(): void {
    const sections = this.sender.upcoming(aheadSections)
    const blocks = new Set<number>()
    if (this.#pending?.kind === 'symbol') blocks.add(this.layout.blockOf(this.#pending.section))
    for (const section of sections) blocks.add(this.layout.blockOf(section))
    this.#cache.want([...blocks])
  }

  /**
   * Send what may be sent, until `untilMs` at most. Returns when to be asked again, Infinity when it will say so by `wake`.
   */
  send(untilMs: number): number {
    const { burst } = this.#parts.group
    this.#asks = true
    for (;;) {
      const nowMs = performance.now()
      if (nowMs >= untilMs) {
        this.#flush()
        return nowMs
      }
      if (burst.count === 0 && this.#isHeldUp(nowMs)) return Infinity
      const step = this.#nextStep(nowMs)
      if (step.kind === 'wait') {
        this.#flush()
        return Math.max(step.untilMs, nowMs + burst.fillsInMs(this.sender.rate))
      }
      const datagram = this.#coder.encode(
        step.kind === 'symbol' ? { ...step, payload: this.#symbols.symbol(step.section, step.number) } : step,
        burst.room,
      )
      if (step.kind === 'symbol') this.#count(step)
      if (!burst.add(datagram.length, this.sender.rate)) this.#flush()
    }
  }

  /** What the system didn't take at once goes out when the event loop has its turn; more would go out in one burst then. */
  #isHeldUp(nowMs: number): boolean {
    if (this.isQueued) return true
    if (this.#queued > 0) this.sender.late(nowMs, this.#queued)
    this.#queued = 0
    return false
  }

  #nextStep(nowMs: number): SenderStep {
    const step = this.#pending ?? this.sender.next(nowMs)
    const isLoaded = step.kind !== 'symbol' || this.#mayLoad(step.section)
    if (isLoaded) {
      this.#pending = null
      return step
    }
    // What is ready doesn't wait for it.
    this.#flush()
    if (this.#pending === null) {
      this.#pending = step
      this.readAhead()
    }
    return this.sender.stalled(nowMs, step)
  }

  #flush(): void {
    const { group } = this.#parts
    const { count, bytes } = group.burst
    if (count === 0) return
    group.send({ asks: this.#asks })
    this.#asks = false
    if (this.isQueued) this.#queued = count
    // Counted from here on: it went out before, so what goes out 10 ms from now is 10 ms apart from it on the wire.
    const nowMs = performance.now()
    this.sender.late(nowMs, count)
    this.#meter.add(bytes + count * networkHeaderBytes, nowMs)
  }

  /** For a block that goes to a client. `go`: it is its turn to go on. */
  paceOf(address: string, go: () => void): Pace {
    return this.#answers.pace({ isLittle: () => this.fetches.isLittle(address), go })
  }

  /** Go on with answers whose turn it is, and begin one if that may be. Returns when to be asked again. */
  serveFetch(nowMs: number, answer: (fetch: Fetch, bytes: Promise<Uint8Array>) => void): number {
    this.#shareRate()
    const dueMs = this.#answers.serve(nowMs)
    const mayBegin = this.#answers.blocks < aheadAnswers
    const fetch = mayBegin ? this.fetches.next(this.#answerRate, nowMs) : null
    if (fetch === null) return this.#fetchShare > 0 ? Math.min(dueMs, nowMs + 10) : dueMs
    answer(fetch, this.#cache.readOne(fetch.block))
    return nowMs
  }

  /** Since when a fetch fails that couldn't be read now because of `error`. */
  failingFrom(error: unknown, { failingSinceMs }: Fetch): number {
    return this.#cache.failingFrom(error, failingSinceMs)
  }

  /** Bytes a second over all control connections. While the stream rests, TCP finds by itself what the network takes. */
  get #answerRate(): number {
    if (this.sender.state !== 'streaming') return this.#dataRate
    return this.sender.sharedRate * Math.max(this.#fetchShare, answerShare.much)
  }

  /** Several times a second: rest where nobody listens to a stream that goes round by itself. */
  tick(): void {
    const { loopSuspend } = this.session.settings.configuration
    const { laps, state } = this.sender
    if (laps === this.#seenLaps) return
    const isAlone = this.sender.clients().length === 0
    this.#idleLaps = isAlone ? this.#idleLaps + laps - this.#seenLaps : 0
    this.#seenLaps = laps
    if (loopSuspend > 0 && this.#idleLaps > loopSuspend && state === 'streaming') {
      this.#idleLaps = 0
      this.sender.rest()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#cache.close()
    this.#parts.group.close()
  }

  /** Its section is loaded, or its block is here to load it from. */
  #mayLoad(section: number): boolean {
    if (section === this.#loaded) return true
    const block = this.layout.blockOf(section)
    if (this.#cache.get(block) === null) return false
    this.readAhead()
    // Reading ahead may have used its room for another.
    if (this.#cache.get(block) === null) return false
    this.#loaded = section
    return true
  }

  #count({ section, number }: { readonly section: number; readonly number: number }): void {
    this.#startedMs ??= Date.now()
    if (number >= this.layout.sourceSymbolsOf(section)) {
      this.#repairs += 1
      return
    }
    if (number > 0 && section === this.#wholeSection) return
    if (section <= this.#wholeSection || this.#lap === 0) this.#lap += 1
    this.#wholeSection = section
    this.#position = section / this.layout.sections
  }

  /** The stream makes room for those who fetch, so that both together stay below the rate. */
  #shareRate(): void {
    const { waiting } = this.#answers
    const share = Math.max(this.fetches.share, waiting === 'none' ? 0 : answerShare[waiting])
    if (share === this.#fetchShare) return
    this.#fetchShare = share
    this.sender.setShare(1 - share)
  }
}
