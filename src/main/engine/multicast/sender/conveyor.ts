/**
 * What is sent next. The conveyor walks the sections in a loop and sends each only as far as somebody needs it: all
 * source symbols where somebody lacks (nearly) everything, fresh repair symbols where clients lack a few. It knows how many
 * symbols each section needs at most over all clients, never which client needs what: so its memory is a few bytes a
 * section, and a client that vanished is forgotten by itself, after a lap.
 *
 * Three orders of service:
 * - a few symbols for a section that was just sent: at once, so that receivers needn't hold it for a whole lap
 * - whole sections: where the walk comes by. It isn't kept waiting for long: who lacks a few of everything again and again
 *   has half of the stream at most
 * - what slow clients lack: on the walk as well, when nobody else needs anything. Where others always do, one section in eight
 *   of the walk is one that slow clients lack
 */
import type { SequentialLayout } from '#engine/multicast/layout'
import { maxSymbols } from '#engine/multicast/fec'

/** One symbol that goes out now. `serial` counts symbols from 1. */
export interface ConveyorStep {
  readonly serial: number
  readonly section: number
  readonly number: number
}

/** How much to add to what was asked for: proactive repair for whole sections, and for repairs. */
export interface Extra {
  readonly afterSources: number
  readonly afterRepairs: number
}

export interface Conveyor {
  /** Symbols that were sent. */
  readonly serial: number
  /** The next section of the walk. */
  readonly cursor: number
  /** Sections of which somebody (who isn't slow) needs all source symbols. */
  readonly wholeSections: number
  /**
   * Somebody lacks `lack` symbols of a section and has seen everything up to `asOf`. What was sent of the section since, he
   * may yet receive, so it is taken off.
   */
  need(section: number, lack: number, asOf: number): void
  /** The same from a slow client. */
  needLater(section: number, lack: number, asOf: number): void
  /** Nobody needs anything any more. A section that is being sent is sent to its end. */
  clear(): void
  /** The next symbol, or null when nobody needs anything. */
  next(extra: () => Extra): ConveyorStep | null
  /** Sections that will be sent next as far as it can be told, for reading ahead: at most `count`, the first one first. */
  upcoming(count: number): number[]
}

export interface ConveyorWatch {
  /** A section's source symbols begin to be sent; its repairs count anew. */
  onSources?(section: number): void
  /** So many repair symbols of a section will be sent because somebody who isn't slow lacks them. */
  onRepairs?(section: number, count: number): void
}

/** Ahead of the walk come so many symbols at most; for each more, the walk has one first. */
const mostAhead = 4096
/**
 * Of the sections of the walk that slow clients have no use for, one for so many is owed to them; and how many are owed at most, as
 * the others wait while they come.
 */
const othersForOwed = 7
const mostOwed = 256
/** So many sections that are done may stand before those that aren't. */
const mostDone = 4096

/** From this share on, what is lacking is sent as source symbols, which cost nobody any arithmetic. */
const wholeShare = 0.75

export function createConveyor(layout: SequentialLayout, watch: ConveyorWatch = {}): Conveyor {
  const { sections } = layout
  const sources = Uint8Array.from({ length: sections }, (_, section) => layout.sourceSymbolsOf(section))
  /** Repair symbols take turns, so that whoever lost some gets others. */
  const nextRepair = new Uint8Array(sections)
  /** The last uninterrupted run of symbols of a section: how many, and the serial of the last, which may be yet to come. */
  const runLength = new Uint16Array(sections)
  const runEnd = new Float64Array(sections)
  const whole = createNeeds(sections)
  const few = createNeeds(sections)
  const later = createNeeds(sections)
  /** Sections with few to send, in the order they were asked for; those before `soonFirst` are done. */
  let soon: number[] = []
  let soonFirst = 0
  /** Symbols that may still come ahead of the walk. */
  let ahead = mostAhead
  /** Sections that the walk owes to slow clients. */
  let owed = 0
  let serial = 0
  let cursor = 0
  let current: { section: number; sourcesLeft: number; repairsLeft: number } | null = null

  /** What is still lacking if everything arrives that was sent of the section after `asOf`. */
  const stillLacking = (section: number, lack: number, asOf: number) => {
    const since = Math.min(runLength[section] as number, Math.max(0, (runEnd[section] as number) - asOf))
    return Math.min(lack, sources[section] as number) - since
  }
  const isWhole = (section: number, lack: number) => lack >= (sources[section] as number) * wholeShare

  const run = (section: number, sourcesLeft: number, repairsLeft: number) => {
    const count = sourcesLeft + repairsLeft
    runLength[section] = count
    runEnd[section] = serial + count
    current = { section, sourcesLeft, repairsLeft }
  }
  const runWhole = (section: number, { afterSources }: Extra) => {
    watch.onSources?.(section)
    if (afterSources > 0) watch.onRepairs?.(section, afterSources)
    if (later.of(section) === 0) owed = later.count === 0 ? 0 : Math.min(mostOwed, owed + 1 / othersForOwed)
    whole.clear(section)
    few.clear(section)
    later.clear(section)
    const count = sources[section] as number
    ahead = Math.min(mostAhead, ahead + count)
    run(section, count, afterSources)
  }
  const runFew = (section: number, { afterRepairs }: Extra) => {
    const count = few.of(section) + afterRepairs
    watch.onRepairs?.(section, count)
    few.clear(section)
    later.reduce(section, count)
    if (whole.count > 0) ahead -= count
    run(section, 0, count)
  }
  const runLater = (section: number, extra: Extra) => {
    const lack = later.of(section)
    if (whole.count > 0) owed -= 1
    if (isWhole(section, lack)) return runWhole(section, extra)
    later.clear(section)
    ahead = Math.min(mostAhead, ahead + lack)
    run(section, 0, lack + extra.afterRepairs)
  }

  const isWalkDue = () => ahead <= 0 && whole.count > 0

  /** Where the walk comes by next, from there on: it passes nothing that others wait for, only stops in between. */
  const nextOfWalk = (from: number, mayStop: boolean, next = whole.from(from)) => {
    if (next === null) return later.from(from)
    return next === from || !mayStop ? next : (later.between(from, next) ?? next)
  }

  const choose = (extra: () => Extra) => {
    if (soonFirst > mostDone) {
      soon = soon.slice(soonFirst)
      soonFirst = 0
    }
    while (soonFirst < soon.length && !isWalkDue()) {
      const section = soon[soonFirst++] as number
      if (few.of(section) > 0) return runFew(section, extra())
    }
    const section = nextOfWalk(cursor, owed >= 1)
    if (section === null) return
    cursor = section + 1 === sections ? 0 : section + 1
    if (whole.of(section) > 0) runWhole(section, extra())
    else runLater(section, extra())
  }

  return {
    get serial() {
      return serial
    },
    get cursor() {
      return current?.section ?? cursor
    },
    get wholeSections() {
      return whole.count
    },

    need(section, lack, asOf) {
      const left = stillLacking(section, lack, asOf)
      if (left <= 0) return
      if (isWhole(section, left)) whole.raise(section, left)
      else if (few.raise(section, left) === 0) soon.push(section)
    },

    needLater(section, lack, asOf) {
      const left = stillLacking(section, lack, asOf)
      if (left > 0) later.raise(section, left)
    },

    clear() {
      for (const needs of [whole, few, later]) needs.clearAll()
      soon = []
      soonFirst = 0
      owed = 0
    },

    next(extra) {
      if (current === null) choose(extra)
      if (current === null) return null
      const { section } = current
      const count = sources[section] as number
      let number: number
      if (current.sourcesLeft > 0) {
        number = count - current.sourcesLeft
        current.sourcesLeft -= 1
      } else {
        const turn = nextRepair[section] as number
        number = count + turn
        nextRepair[section] = (turn + 1) % (maxSymbols - count)
        current.repairsLeft -= 1
      }
      if (current.sourcesLeft + current.repairsLeft === 0) current = null
      serial += 1
      return { serial, section, number }
    },

    upcoming(count) {
      const next = current === null ? [] : [current.section]
      const first = isWalkDue() ? nextOfWalk(cursor, owed >= 1) : null
      if (first !== null) next.push(first)
      for (let index = soonFirst; index < soon.length && next.length < count; index++)
        next.push(soon[index] as number)
      let owedThen = owed
      // Looked for once, however often the walk stops before it: it may be almost a lap away.
      let nextWhole: number | null | undefined
      for (let from = first === null ? cursor : (first + 1) % sections; next.length < count;) {
        nextWhole = nextWhole === undefined ? whole.from(from) : nextWhole
        const section = nextOfWalk(from, owedThen >= 1, nextWhole)
        if (section === null || next.includes(section)) break
        next.push(section)
        if (whole.of(section) === 0) owedThen -= 1
        else nextWhole = undefined
        from = (section + 1) % sections
      }
      return next
    },
  }
}

/** Symbols needed by section, 0–255 each. */
function createNeeds(sections: number) {
  const table = new Uint8Array(sections)
  let count = 0
  return {
    /** Sections with a need. */
    get count() {
      return count
    },
    of: (section: number) => table[section] as number,
    /** At least so many from now on. Returns what it was. */
    raise(section: number, lack: number): number {
      const was = table[section] as number
      if (was === 0) count += 1
      if (lack > was) table[section] = lack
      return was
    },
    reduce(section: number, by: number): void {
      const was = table[section] as number
      table[section] = Math.max(0, was - by)
      if (was > 0 && was <= by) count -= 1
    },
    clear(section: number): void {
      this.reduce(section, 255)
    },
    clearAll(): void {
      table.fill(0)
      count = 0
    },
    /** The first section with a need from there on, around the end. */
    from(start: number): number | null {
      return this.between(start, start)
    },
    /** The same, before `end`: where that isn't behind `start`, around the end. */
    between(start: number, end: number): number | null {
      if (count === 0) return null
      const last = end > start ? end : sections
      for (let section = start; section < last; section++) if (table[section] !== 0) return section
      if (end > start) return null
      for (let section = 0; section < end; section++) if (table[section] !== 0) return section
      return null
    },
  }
}
