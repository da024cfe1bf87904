/**
 * The receiving side of one session, without any input or output of its own: takes datagrams and clock readings, gives
 * blocks to write and reports to send. A block is given out only when its hash is that of the session, and only once.
 *
 * Whoever drives it calls `datagram` for what the socket brings, `poll` after that and when `wakeMs` has come, and
 * `written` when a block is on the disk.
 */
import { createHash } from 'node:crypto'
import type { ErasureCode } from '#engine/multicast/fec'
import type { SequentialLayout } from '#engine/multicast/layout'
import type { DatagramCoder, Message, Rejection, StreamState } from '#engine/multicast/wire'
import { createAppetite } from './appetite.ts'
import { Assembly } from './assembly.ts'
import { collectNeeds, type NeedsOptions } from './collect-needs.ts'
import { createLossMeter } from './loss-meter.ts'
import { nextBlocks } from './next-blocks.ts'
import { createPassStrip, type PassStrip } from './pass-strip.ts'
import { createReportPlan } from './report-plan.ts'
import { createSettledSerial } from './settled-serial.ts'
import { createToldSerial } from './told-serial.ts'
import { createWriteMeter } from './write-meter.ts'

export interface ReceiverOptions {
  readonly layout: SequentialLayout
  readonly coder: DatagramCoder
  readonly code: ErasureCode
  /** SHA-256 of a block, or null while it isn't known. */
  readonly hashOf: (block: number) => Uint8Array | null
  /** Blocks that are on the disk already, by an earlier run's journal: 1 each. */
  readonly have?: Uint8Array
  /** Blocks that an earlier receiver of the same stream gave out, and that aren't written yet. */
  readonly handed?: readonly number[]
  /** Goes on with an earlier receiver's passes. */
  readonly strip?: PassStrip
  /** What may be held in memory: blocks in the making and blocks not yet written. */
  readonly holdBytes: number
  /** What the server said on joining. */
  readonly position: Message<'position'>
  readonly nowMs: number
  /** 0 up to but not 1, anew on each call. */
  readonly chance: () => number
}

export type ReceiverOutput =
  /** Write it; then call `written`. Its bytes are the receiver's until then, and must not be changed. */
  | { readonly kind: 'block'; readonly block: number; readonly bytes: Uint8Array }
  | { readonly kind: 'report'; readonly report: Message<'report'> }
  /** Its symbols gave something else than the block several times: get it over the control connection. */
  | { readonly kind: 'fetch'; readonly block: number }
  /** Not one datagram has come for seconds, though the server sends. Said once, until some come again. */
  | { readonly kind: 'silence' }
  /** They come again. */
  | { readonly kind: 'heard' }
  /** Everything is written. Said once. */
  | { readonly kind: 'complete' }

export interface ReceiverProgress {
  readonly blocks: number
  readonly blocksDone: number
  /** By block: 1 when it is on the disk. */
  readonly done: Uint8Array
  readonly heldBytes: number
  readonly received: number
  readonly expected: number
  readonly rejected: { readonly [why in Rejection | 'impossible']: number }
  readonly wrongBlocks: number
  /** When the last symbol came that was ours. */
  readonly lastSymbolMs: number
  /** See `StreamProgress.passes`. */
  readonly passes: readonly string[]
  readonly passStart: number | null
}

export interface Receiver {
  datagram(bytes: Uint8Array, nowMs: number): void
  /** The server says over the control connection where it is. */
  position(position: Message<'position'>, nowMs: number): void
  /** So many datagrams were thrown away before they came here. */
  systemDropped(count: number): void
  /** Hashes have become known. */
  hashesCame(nowMs: number): void
  /** A whole block came over the control connection. False when it isn't what its hash says. */
  wholeBlock(block: number, bytes: Uint8Array, nowMs: number): boolean
  written(block: number, nowMs: number): void
  /** A block that was given out couldn't be kept: it is to come again. */
  again(block: number, nowMs: number): void
  /** The block is lacking, or begun at most, and there is room for it. */
  isWanted(block: number): boolean
  poll(nowMs: number): ReceiverOutput[]
  /** It asks for nothing, though it lacks blocks: what came fills its room until it is written. */
  readonly isFull: boolean
  /** The server said last that the stream has ended. */
  readonly hasEnded: boolean
  /** When to poll again if nothing comes. */
  readonly wakeMs: number
  progress(): ReceiverProgress
}

/** By section. */
const [untouched, inTheMaking, whole] = [0, 1, 2]
const silenceMs = 3000
/** So often a block may come out wrong before it is fetched. */
const wrongBound = 3

export function createReceiver(options: ReceiverOptions): Receiver {
  const { layout, coder, code, hashOf, holdBytes } = options
  const done = new Uint8Array(layout.blocks)
  const sections = new Uint8Array(layout.sections)
  const makings = new Map<number, Assembly>()
  /** Whole, but their hash isn't known yet. */
  const unproven = new Set<Assembly>()
  const handedOut = new Map<number, number>()
  const wrong = new Map<number, number>()
  const meter = createLossMeter(options.position.serial)
  const serials = createToldSerial(options.position.serial, layout.symbolBytes, options.nowMs)
  const writes = createWriteMeter()
  const appetite = createAppetite(holdBytes)
  const settled = createSettledSerial(options.position.serial)
  const plan = createReportPlan(options.chance, options.nowMs)
  const rejected = { foreign: 0, unknown: 0, forged: 0, impossible: 0 }
  // Untouched sections are told on joining, and again now and then: rarely where there are many.
  const tellAllEveryMs = Math.max(3000, layout.sections / 8)
  let tellAllMs = options.nowMs
  let outputs: ReceiverOutput[] = []
  let makingBytes = 0
  let dropped = 0
  let blocksDone = 0
  let wrongBlocks = 0
  let lastSymbolMs = options.nowMs
  /** The newest serial that came by multicast. */
  let heard = 0
  let lastPositionMs = options.nowMs
  /** Where the stream's walk goes on, as far as was heard. */
  let walkAt = 0
  const strip = options.strip ?? createPassStrip(layout)
  let serverState: StreamState = options.position.state
  let isSilent = false
  let isComplete = false

  const markBlock = (block: number, value: number) => {
    const first = layout.firstSectionOf(block)
    sections.fill(value, first, first + layout.sectionsOf(block))
  }
  const markDone = (block: number) => {
    markBlock(block, whole)
    done[block] = 1
    blocksDone += 1
  }
  options.have?.forEach((value, block) => {
    if (value !== 1 || block >= layout.blocks) return
    markDone(block)
    strip.received(block)
  })
  const completeIfSo = () => {
    if (blocksDone < layout.blocks || isComplete) return
    isComplete = true
    outputs.push({ kind: 'complete' })
  }
  completeIfSo()

  const handed = (block: number, lengthBytes: number, nowMs: number) => {
    handedOut.set(block, lengthBytes)
    markBlock(block, whole)
    writes.handed(lengthBytes, nowMs)
    strip.received(block)
  }
  for (const block of options.handed ?? [])
    if (block < layout.blocks && done[block] === 0 && !handedOut.has(block))
      handed(block, layout.paddedLengthOf(block), options.nowMs)

  const handOut = (block: number, padded: Uint8Array, nowMs: number) => {
    const bytes = padded.subarray(0, layout.lengthOf(block))
    handed(block, padded.length, nowMs)
    outputs.push({ kind: 'block', block, bytes })
  }

  const isRight = (block: number, bytes: Uint8Array, hash: Uint8Array) =>
    createHash('sha256')
      .update(bytes.subarray(0, layout.lengthOf(block)))
      .digest()
      .equals(hash)

  /** Compare a whole block with its hash; what isn't right is thrown away and received anew. */
  const prove = (making: Assembly, nowMs: number) => {
    const { block, bytes } = making
    const hash = hashOf(block)
    if (hash === null) return void unproven.add(making)
    makings.delete(block)
    unproven.delete(making)
    makingBytes -= bytes.length
    if (isRight(block, bytes, hash)) return handOut(block, bytes, nowMs)
    wrongBlocks += 1
    wrong.set(block, (wrong.get(block) ?? 0) + 1)
    markBlock(block, untouched)
    tellAllMs = nowMs
    if (wrong.get(block) === wrongBound) outputs.push({ kind: 'fetch', block })
  }

  const heldBytes = () => makingBytes + writes.backlogBytes
  const isRoomFor = (lengthBytes: number) =>
    heldBytes() + lengthBytes <= holdBytes || makings.size + handedOut.size === 0

  const makingOf = (block: number): Assembly | null => {
    const there = makings.get(block)
    if (there !== undefined) return there
    const lengthBytes = layout.paddedLengthOf(block)
    if (!isRoomFor(lengthBytes)) return null
    const making = new Assembly(block, layout, code)
    makings.set(block, making)
    makingBytes += lengthBytes
    return making
  }

  const takeSymbol = (section: number, number: number, payload: Uint8Array, nowMs: number) => {
    if (sections[section] === whole) return
    const making = makingOf(layout.blockOf(section))
    if (making === null) {
      dropped += 1
      appetite.full()
      return
    }
    sections[section] = inTheMaking
    if (!making.add(section, number, payload, nowMs)) return
    sections[section] = whole
    if (making.isWhole) prove(making, nowMs)
  }

  /** The stream waits: say soon what is lacking, all of it. */
  const heardState = (state: StreamState, nowMs: number) => {
    serverState = state
    if (state !== 'quiet' || isComplete) return
    tellAllMs = Math.min(tellAllMs, nowMs)
    // Where the disk has enough to do until the next report, nothing is quicker for coming sooner.
    const isBusy = writes.backlogBytes > (writes.bytesPerSecond * (plan.dueMs - nowMs)) / 1000
    if (!appetite.isBounded || !isBusy) plan.hurry(nowMs)
  }

  const untouchedToTell = (nowMs: number): NeedsOptions['untouched'] => {
    const bytes = appetite.ask(heldBytes(), blocksDone * layout.blockBytes)
    if (bytes < Infinity) {
      // When it may ask for everything again, it does at once.
      tellAllMs = nowMs
      return nextBlocks({
        layout,
        walkAt,
        bytes,
        isOneSure: makings.size + handedOut.size === 0,
        isUntouched: (block) => !makings.has(block) && sections[layout.firstSectionOf(block)] === untouched,
      })
    }
    if (nowMs < tellAllMs) return 'none'
    tellAllMs = nowMs + tellAllEveryMs
    return 'all'
  }

  const report = (nowMs: number): ReceiverOutput => {
    const untouched = untouchedToTell(nowMs)
    // Nobody is to be sent again what can't arrive: who hears nothing asks for nothing.
    const needs = isSilent ? [] : collectNeeds({ sections, makings, layout, nowMs, untouched })
    plan.sent(nowMs)
    return {
      kind: 'report',
      report: {
        kind: 'report',
        asOf: settled.at(nowMs),
        expected: meter.expected,
        received: meter.received,
        repeated: meter.repeated,
        rejected: rejected.foreign + rejected.unknown + rejected.forged + rejected.impossible,
        dropped,
        blocksDone,
        backlogBytes: writes.backlogBytes,
        writeBytesPerSecond: writes.bytesPerSecond,
        needs,
      },
    }
  }

  const checkSilence = (nowMs: number) => {
    const isNow = serverState !== 'ended' && nowMs - Math.max(lastSymbolMs, lastPositionMs) >= silenceMs
    if (isNow === isSilent) return
    isSilent = isNow
    outputs.push({ kind: isNow ? 'silence' : 'heard' })
    if (!isNow) tellAllMs = nowMs
  }

  return {
    datagram(bytes, nowMs) {
      const datagram = coder.decode(bytes)
      if (datagram.kind === 'rejected') {
        rejected[datagram.why] += 1
        return
      }
      const { serial, section } = datagram
      if (section >= layout.sections || serials.isBeyond(serial, nowMs)) {
        rejected.impossible += 1
        return
      }
      if (datagram.kind === 'position') {
        if (serial < heard) return
        heard = serial
        lastPositionMs = nowMs
        walkAt = section
        // The control connection may have told of more, which waits for its bytes.
        const isNews = serial >= meter.newest
        meter.position(serial)
        settled.seen(serial, nowMs)
        if (isNews) heardState(datagram.state, nowMs)
        return
      }
      // Anybody may send again what was sent.
      if (!meter.symbol(serial)) return
      heard = Math.max(heard, serial)
      lastSymbolMs = nowMs
      serverState = 'streaming'
      settled.seen(meter.newest, nowMs)
      // The walk, told by the newest source symbols; repairs are sent out of turn.
      if (serial === meter.newestCame) {
        strip.symbol(section, datagram.number)
        if (datagram.number < layout.sourceSymbolsOf(section)) walkAt = (section + 1) % layout.sections
      }
      takeSymbol(section, datagram.number, datagram.payload, nowMs)
    },

    position({ serial, state, reportEveryMs }, nowMs) {
      plan.setInterval(Math.max(50, reportEveryMs))
      if (serials.told(serial, meter.newest, nowMs)) {
        meter.correct(serial)
        heard = Math.min(heard, serial)
      }
      meter.position(serial)
      settled.seen(serial, nowMs)
      heardState(state, nowMs)
    },

    systemDropped(count) {
      dropped += count
    },

    hashesCame(nowMs) {
      for (const making of unproven) prove(making, nowMs)
    },

    wholeBlock(block, bytes, nowMs) {
      const hash = hashOf(block)
      if (block >= layout.blocks || bytes.length !== layout.lengthOf(block)) return false
      if (hash === null || !isRight(block, bytes, hash)) return false
      if (done[block] === 1 || handedOut.has(block)) return true
      const making = makings.get(block)
      if (making !== undefined) {
        makings.delete(block)
        unproven.delete(making)
        makingBytes -= making.bytes.length
      }
      handOut(block, bytes, nowMs)
      return true
    },

    written(block, nowMs) {
      const lengthBytes = handedOut.get(block)
      if (lengthBytes === undefined) return
      handedOut.delete(block)
      writes.written(lengthBytes, nowMs)
      markDone(block)
      completeIfSo()
    },

    again(block, nowMs) {
      const lengthBytes = handedOut.get(block)
      if (lengthBytes === undefined) return
      handedOut.delete(block)
      writes.dropped(lengthBytes)
      markBlock(block, untouched)
      strip.lost(block)
      tellAllMs = nowMs
    },

    isWanted(block) {
      if (done[block] === 1 || handedOut.has(block)) return false
      // What has begun has its room, and will not come to its end where multicast has ended.
      return makings.has(block) || isRoomFor(layout.paddedLengthOf(block))
    },

    poll(nowMs) {
      if (!isComplete && nowMs >= plan.dueMs) outputs.push(report(nowMs))
      if (!isComplete) checkSilence(nowMs)
      const now = outputs
      outputs = []
      return now
    },

    get isFull() {
      const isLacking = blocksDone + handedOut.size + unproven.size < layout.blocks
      return isLacking && makings.size === unproven.size && !isRoomFor(layout.paddedLengthOf(0))
    },

    get hasEnded() {
      return serverState === 'ended'
    },

    get wakeMs() {
      return outputs.length > 0 ? -Infinity : isComplete ? Infinity : plan.dueMs
    },

    progress: () => ({
      blocks: layout.blocks,
      blocksDone,
      done: done.slice(),
      heldBytes: heldBytes(),
      received: meter.received,
      expected: meter.expected,
      rejected: { ...rejected },
      wrongBlocks,
      lastSymbolMs,
      passes: strip.passes(),
      passStart: strip.start(),
    }),
  }
}
