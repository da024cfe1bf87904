/**
 * The sending side of one session, without any input or output of its own: told what clients report and what time it is,
 * it says which symbol goes out next and when. Whoever drives it has the image's bytes, makes the symbol, and sends it.
 */
import type { SequentialLayout } from '#engine/multicast/layout'
import { lacksAll, type Message, type StreamState } from '#engine/multicast/wire'
import { createClientTable, type ClientState } from './client-table.ts'
import { createConveyor, type Extra } from './conveyor.ts'
import { createPacer } from './pacer.ts'
import { createProactiveRepair } from './proactive-repair.ts'
import { createRateControl, type RateOptions } from './rate-control.ts'

export interface SenderOptions extends RateOptions {
  readonly layout: SequentialLayout
  /**
   * `demand`: clients report, and what nobody needs isn't sent. `none`: no word comes back, so everything is sent lap after lap,
   * each with so much fresh repair (a share of the source symbols).
   */
  readonly feedback: { readonly kind: 'demand' } | { readonly kind: 'none'; readonly repairShare: number }
}

/** What to do now. A `position` is a datagram without a symbol. */
export type SenderStep =
  | { readonly kind: 'symbol'; readonly serial: number; readonly section: number; readonly number: number }
  | {
      readonly kind: 'position'
      readonly serial: number
      readonly section: number
      readonly state: StreamState
    }
  | { readonly kind: 'wait'; readonly untilMs: number }

export interface Sender {
  /** Send from now on; until then, only positions go out, by which clients see that multicast reaches them. */
  start(): void
  /** Nothing but the word that it is over, a few times. */
  end(): void
  join(id: string, nowMs: number): void
  leave(id: string): void
  /** Returns false for a client that isn't here (any more). */
  report(id: string, report: Message<'report'>, nowMs: number): boolean
  /** To be asked whenever the last step was done or its wait is over. */
  next(nowMs: number): SenderStep
  /**
   * To be asked instead while the symbol that `next` gave can't be sent yet: a source that is away for a while mustn't look like a
   * network that lets nothing through.
   */
  stalled(nowMs: number, symbol: { readonly serial: number; readonly section: number }): SenderStep
  /** The last `count` steps (1 unless told) were carried out only now: their bytes count from here on. */
  late(nowMs: number, count?: number): void
  setDataRate(bytesPerSecond: number): void
  setClientDataRate(bytesPerSecond: number | null): void
  /** From now on this part of the rate is the stream's, 0–1; the rest goes out over control connections. */
  setShare(share: number): void
  /** Send nothing until somebody joins. For a stream without feedback; others rest by themselves. */
  rest(): void
  /** What a client is told over its control connection on joining, and every second; who isn't here (any more) stands well. */
  positionFor(id: string): Message<'position'>
  clients(): readonly ClientState[]
  /** How many these are: who is silent for long isn't one of them. */
  readonly clientCount: number
  /** Bytes a second on the wire, at present. */
  readonly rate: number
  /** What its share is of: the Data Rate, or as much of it as is considerate. */
  readonly sharedRate: number
  readonly state: StreamState
  /** Laps that a stream without feedback has begun; how long one with feedback has had nothing to send. */
  readonly laps: number
  quietSinceMs(): number | null
  /** Sections to have ready, the next one first. */
  upcoming(count: number): number[]
}

/** A client that doesn't report for so long is gone. */
const goneMs = 15_000
/** After so long without any client, what the last ones lacked isn't sent: it would be for nobody. A connection that broke is back by then. */
const emptyMs = 5000
/** Between positions while there is nothing else to send: soon at first, for those who wait for it. */
const positionMs = [20, 40, 80, 160, 320, 640, 1000] as const
const tickMs = 1000
/** How often the rate is decided anew while there is something to send: more often than anybody reports. */
const rateMs = 100
/** And while the next symbol can't be sent. */
const stalledMs = 500
/**
 * From when on a source is away, and what the network takes isn't seen from what is sent. One that is only slow is what the stream's
 * speed comes from, and counts.
 */
const awayMs = 250

export function createSender(options: SenderOptions): Sender {
  const { layout, datagramBytes, feedback } = options
  const clients = createClientTable()
  const rates = createRateControl(options)
  const pacer = createPacer(options.dataRate)
  const reportEveryMs = () => (clients.count > 250 ? 1000 : 250)
  const proactive = createProactiveRepair(2500)
  let clockMs = 0
  let streamingMs = 0
  let share = 1
  const conveyor = createConveyor(layout, {
    onSources: (section) => proactive.sourcesSent(section, clockMs),
    onRepairs: (section, count) => proactive.repairsSent(section, count),
  })

  let state: StreamState = 'waiting'
  let positions = 0
  let positionDueMs = -Infinity
  let stalledDueMs = -Infinity
  /** Since when the next symbol can't be sent; null: it can. */
  let stalledSinceMs: number | null = null
  let tickDueMs = -Infinity
  let rateDueMs = -Infinity
  let quietMs: number | null = null
  /** Since when nobody is here; null: somebody is. */
  let emptySinceMs: number | null = null
  let laps = 0

  const extra = (): Extra => {
    const { wholeSections } = conveyor
    if (feedback.kind === 'none')
      return { afterSources: Math.ceil(feedback.repairShare * 128), afterRepairs: 0 }
    const { count } = clients
    // At the very end a lap more costs everyone more than a symbol or two.
    const isTail = wholeSections === 0 && isLossy
    return {
      afterSources: proactive.plan(clockMs),
      afterRepairs: isTail ? Math.ceil(Math.log10(Math.max(2, count))) : 0,
    }
  }
  let isLossy = false
  let isResting = false

  const tick = (nowMs: number) => {
    // Its share of the time: what is judged is the whole rate.
    if (state === 'streaming' && stalledSinceMs === null) streamingMs += (nowMs - clockMs) * share
    clockMs = nowMs
    if (nowMs >= tickDueMs) judgeClients(nowMs)
    if (nowMs >= rateDueMs && stalledSinceMs === null) judgeRate(nowMs)
  }
  /** The symbol was sent that couldn't be. */
  const goOn = (nowMs: number) => {
    if (stalledSinceMs === null) return
    const heldUpMs = nowMs - stalledSinceMs
    if (state === 'streaming' && heldUpMs < awayMs) streamingMs += heldUpMs * share
    clockMs = nowMs
    stalledSinceMs = null
  }
  const judgeClients = (nowMs: number) => {
    tickDueMs = nowMs + tickMs
    for (const id of clients.silentSince(nowMs - goneMs)) clients.leave(id)
    if (feedback.kind === 'none') return
    emptySinceMs = clients.count > 0 ? null : (emptySinceMs ?? nowMs)
    if (emptySinceMs !== null && nowMs - emptySinceMs >= emptyMs) conveyor.clear()
    clients.judge()
    isLossy = clients.all().some(({ loss }) => loss > 0.003)
  }
  const judgeRate = (nowMs: number) => {
    rateDueMs = nowMs + rateMs
    if (feedback.kind === 'none') return
    const counting = clients
      .all()
      .filter(({ standing, blocksDone }) => standing === 'well' && blocksDone < layout.blocks)
    rates.tick({ nowMs, clients: counting, serial: conveyor.serial, streamingMs })
    pacer.setRate(rates.rate)
  }

  /** Without feedback everybody always needs everything. */
  const nextLap = () => {
    laps += 1
    for (let section = 0; section < layout.sections; section++)
      conveyor.need(section, lacksAll, conveyor.serial)
  }

  const symbol = (): SenderStep | null => {
    if (state === 'waiting' || state === 'ended' || isResting) return null
    const found = conveyor.next(extra)
    if (found !== null || feedback.kind === 'demand') return found && { kind: 'symbol', ...found }
    nextLap()
    const first = conveyor.next(extra)
    return first && { kind: 'symbol', ...first }
  }

  const position = (nowMs: number): SenderStep => {
    if (nowMs < positionDueMs) return { kind: 'wait', untilMs: Math.min(positionDueMs, tickDueMs) }
    positionDueMs = nowMs + (positionMs[positions] ?? tickMs)
    positions += 1
    return { kind: 'position', serial: conveyor.serial, section: conveyor.cursor, state }
  }

  const step = (nowMs: number): SenderStep => {
    const next = symbol()
    if (next !== null) {
      if (state !== 'streaming') [positions, positionDueMs] = [0, -Infinity]
      state = 'streaming'
      quietMs = null
      return next
    }
    if (state === 'streaming') {
      state = 'quiet'
      ;[positions, positionDueMs, quietMs] = [0, -Infinity, nowMs]
    }
    return position(nowMs)
  }

  return {
    start() {
      if (state !== 'waiting') return
      state = 'quiet'
      ;[positions, positionDueMs] = [0, -Infinity]
    },
    end() {
      state = 'ended'
      ;[positions, positionDueMs] = [0, -Infinity]
    },
    join(id, nowMs) {
      clients.join(id, nowMs)
      emptySinceMs = null
      isResting = false
    },
    leave: (id) => clients.leave(id),

    report(id, report, nowMs) {
      if (!clients.report(id, report, nowMs, conveyor.serial)) return false
      // Everything is to be sent: nobody can need more.
      if (feedback.kind === 'none' || conveyor.wholeSections === layout.sections) return true
      const isSlow = clients.get(id)?.standing === 'slow'
      // Whoever claims to have seen what wasn't sent yet is taken for up to date.
      const asOf = Math.min(report.asOf, conveyor.serial)
      for (const { first, count, lack } of report.needs) {
        const end = Math.min(first + count, layout.sections)
        for (let section = first; section < end; section++)
          if (isSlow) conveyor.needLater(section, lack, asOf)
          else conveyor.need(section, lack, asOf)
      }
      return true
    },

    next(nowMs) {
      goOn(nowMs)
      tick(nowMs)
      const waitMs = pacer.waitMs(datagramBytes, nowMs)
      if (waitMs > 0) return { kind: 'wait', untilMs: nowMs + waitMs }
      const next = step(nowMs)
      stalledDueMs = nowMs + stalledMs
      if (next.kind !== 'wait') pacer.sent(datagramBytes, nowMs)
      return next
    },

    stalled(nowMs, { serial, section }) {
      tick(nowMs)
      stalledSinceMs ??= nowMs
      const waitMs = Math.max(stalledDueMs - nowMs, pacer.waitMs(datagramBytes, nowMs))
      if (waitMs > 0) return { kind: 'wait', untilMs: nowMs + waitMs }
      stalledDueMs = nowMs + stalledMs
      pacer.sent(datagramBytes, nowMs)
      return { kind: 'position', serial: serial - 1, section, state }
    },

    late: (nowMs, count = 1) => pacer.late(nowMs, count),

    setDataRate(bytesPerSecond) {
      rates.setDataRate(bytesPerSecond)
      pacer.setRate(rates.rate)
    },

    setClientDataRate: (bytesPerSecond) => rates.setClientDataRate(bytesPerSecond),

    setShare(next) {
      share = next
      rates.setShare(share)
      pacer.setRate(rates.rate)
    },

    rest() {
      isResting = true
    },

    positionFor(id) {
      const standing = clients.get(id)?.standing ?? 'well'
      const { serial } = conveyor
      return { kind: 'position', serial, state, standing, reportEveryMs: reportEveryMs() }
    },

    clients: () => clients.all(),
    get clientCount() {
      return clients.count
    },
    get rate() {
      return rates.rate
    },
    get sharedRate() {
      return rates.sharedRate
    },
    get state() {
      return state
    },
    get laps() {
      return laps
    },
    quietSinceMs: () => quietMs,
    upcoming: (count) => conveyor.upcoming(count),
  }
}
