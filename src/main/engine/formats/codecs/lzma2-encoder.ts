/**
 * Writes LZMA2, after Igor Pavlov's LZMA specification and the .xz format's description of LZMA2: chunks of at most 64 KiB
 * stored, each of them LZMA, or the bytes as they are where LZMA would be longer. Everything is decided symbol by symbol:
 * repeat an earlier distance, copy, or take a byte. Nothing is planned ahead, so it compresses less well than xz does.
 */
import { evenProbability, RangeEncoder } from './lzma-range-encoder.ts'
import { MatchFinder } from './match-finder.ts'

/** Context of literals 3 bits, none of the position; two bits of the position for the rest: what xz does, too. */
const propertiesByte = (2 * 5 + 0) * 9 + 3
const positionMask = 3
const longestCopy = 273
const maxChunkBytes = 65_536
/** One symbol adds fewer bytes than this to a chunk. */
const symbolBytes = 32
const rawChunkBytes = 65_536

/** Where each kind of probability begins. The lengths' part of the table is laid out from `lengths` on. */
const at = {
  isMatch: 0,
  isRep: 48,
  isRep0: 60,
  isRep1: 72,
  isRep2: 84,
  isRep0Long: 96,
  slots: 144,
  far: 400,
  align: 528,
  copyLengths: 544,
  repLengths: 544 + 514,
  literals: 544 + 2 * 514,
} as const
const probabilityCount = at.literals + 8 * 0x300

const coder = new RangeEncoder()
const finder = new MatchFinder()
const probabilities = new Uint16Array(probabilityCount)
/** The four distances used last, newest first; 1 is the byte before. */
const reps = new Int32Array(4)
let state = 0

/** How hard to search: levels 1 to 9. */
const depths = [2, 4, 8, 16, 24, 32, 64, 128, 256]

/**
 * `run` as LZMA2 with its end mark, written into `into` from `start` on; returns where it ends, or null when it doesn't
 * fit. Scratch memory is the thread's: calls don't overlap.
 */
export function encodeLzma2(run: Uint8Array, into: Uint8Array, start: number, level: number): number | null {
  finder.begin(run, {
    maxDistance: run.length,
    depth: depths[level - 1] ?? 32,
    niceBytes: level >= 7 ? longestCopy : 64,
  })
  let to = start
  let isFirst = true
  let needsProperties = true
  let needsState = true
  /** The next byte's copy is known already: the finder takes each place once. */
  const ahead: Ahead = { at: -1, length: 0, distance: 0 }
  for (let from = 0; from < run.length;) {
    const headBytes = needsProperties ? 6 : 5
    const payload = to + headBytes
    if (payload + 16 > into.length) return null
    if (needsState || needsProperties) resetState()
    coder.begin(into, payload)
    const end = encodeChunk(run.length, from, payload, ahead)
    coder.finish()
    const rawBytes = end - from
    // The coder's first byte is always zero; it belongs to the chunk.
    const storedBytes = coder.to - payload
    if (coder.isFull || storedBytes >= rawBytes) {
      const after = storeRaw(into, to, from, end, isFirst)
      if (after === null) return null
      to = after
      needsState = true
    } else {
      const reset = isFirst ? 3 : needsProperties ? 2 : needsState ? 1 : 0
      into[to] = 0x80 | (reset << 5) | ((rawBytes - 1) >> 16)
      into[to + 1] = (rawBytes - 1) >> 8
      into[to + 2] = rawBytes - 1
      into[to + 3] = (storedBytes - 1) >> 8
      into[to + 4] = storedBytes - 1
      if (needsProperties) into[to + 5] = propertiesByte
      to = coder.to
      needsProperties = false
      needsState = false
    }
    isFirst = false
    from = end
  }
  if (to >= into.length) return null
  into[to] = 0
  return to + 1
}

/** A copy that was found for a place before that place's turn came. */
interface Ahead {
  at: number
  length: number
  distance: number
}

function resetState(): void {
  probabilities.fill(evenProbability)
  reps.fill(1)
  state = 0
}

/** Chunks of bytes as they are: 1 forgets what was before, 2 doesn't; then the length minus one. */
function storeRaw(
  into: Uint8Array,
  start: number,
  from: number,
  end: number,
  isFirst: boolean,
): number | null {
  let to = start
  for (let at = from; at < end; at += rawChunkBytes) {
    const count = Math.min(rawChunkBytes, end - at)
    if (to + 3 + count > into.length) return null
    into[to] = isFirst && at === from ? 1 : 2
    into[to + 1] = (count - 1) >> 8
    into[to + 2] = count - 1
    into.set(finder.bytes.subarray(at, at + count), to + 3)
    to += 3 + count
  }
  return to
}

/** Encode from `from` on, until the run ends or the chunk is as long as it may be. Returns where. */
function encodeChunk(length: number, from: number, payload: number, ahead: Ahead): number {
  let here = from
  const stop = Math.min(length, from + 0x200000)
  while (here < stop && coder.end - payload + symbolBytes < maxChunkBytes && !coder.isFull) {
    const limit = Math.min(longestCopy, stop - here)
    let copied = 0
    let distance = 0
    if (ahead.at === here) {
      copied = Math.min(ahead.length, limit)
      distance = ahead.distance
    } else if (ahead.at < here) {
      copied = finder.find(here, Math.min(longestCopy, length - here))
      distance = finder.distance
      if (copied > limit) copied = limit
    }
    const { rep, repBytes } = longestRep(here, limit)
    // A distance that is known already costs little: it may be shorter.
    if (
      repBytes >= 2 &&
      (repBytes + 1 >= copied ||
        (repBytes + 2 >= copied && distance > 512) ||
        (repBytes + 3 >= copied && distance > 32_768))
    ) {
      encodeRep(here, rep, repBytes)
      here = skip(here, repBytes, length, ahead)
      continue
    }
    if (copied < 4 || (copied === 4 && distance > 65_536)) copied = 0
    if (copied > 0 && copied < 64 && here + 1 < stop) {
      // A better copy may begin with the next byte.
      const next = finder.find(here + 1, Math.min(longestCopy, length - here - 1))
      ahead.at = here + 1
      ahead.length = next
      ahead.distance = finder.distance
      if (
        next > copied + 1 ||
        (next > copied && finder.distance < distance * 4) ||
        (next === copied && finder.distance < distance >> 7)
      )
        copied = 0
    }
    if (copied === 0) {
      encodeByte(here)
      here += 1
    } else {
      encodeCopy(here, copied, distance)
      here = skip(here, copied, length, ahead)
    }
  }
  return here
}

/** Remember the places a copy stands for, but those the finder has already seen. */
function skip(here: number, count: number, length: number, ahead: Ahead): number {
  const end = here + count
  for (let at = Math.max(here, ahead.at) + 1; at < end && at < length; at++) finder.insert(at)
  return end
}

function longestRep(here: number, limit: number): { readonly rep: number; readonly repBytes: number } {
  const { bytes } = finder
  let rep = 0
  let repBytes = 0
  for (let index = 0; index < 4; index++) {
    const distance = reps[index] as number
    if (distance > here) continue
    let count = 0
    while (count < limit && bytes[here + count] === bytes[here + count - distance]) count++
    if (count > repBytes) {
      rep = index
      repBytes = count
    }
  }
  return { rep, repBytes }
}

function encodeByte(here: number): void {
  const { bytes } = finder
  const byte = bytes[here] as number
  const matched = bytes[here - (reps[0] as number)] ?? -1
  const position = here & positionMask
  // One byte from the newest distance: the shortest symbol there is.
  if (matched === byte && here >= (reps[0] as number) && state >= 7) {
    coder.bit(probabilities, at.isMatch + state * 4 + position, 1)
    coder.bit(probabilities, at.isRep + state, 1)
    coder.bit(probabilities, at.isRep0 + state, 0)
    coder.bit(probabilities, at.isRep0Long + state * 4 + position, 0)
    state = state < 7 ? 9 : 11
    return
  }
  coder.bit(probabilities, at.isMatch + state * 4 + position, 0)
  const base = at.literals + 0x300 * ((here > 0 ? (bytes[here - 1] as number) : 0) >> 5)
  let node = 1
  if (state >= 7) {
    // After a copy the byte isn't the one that would have gone on with it: that is a hint, up to the first difference.
    let expected = matched
    let offset = 0x100
    for (let place = 7; place >= 0; place--) {
      expected <<= 1
      const hint = expected & offset
      const bit = (byte >> place) & 1
      coder.bit(probabilities, base + offset + hint + node, bit)
      node = (node << 1) | bit
      offset &= bit === 1 ? hint : ~hint
    }
  } else coder.tree(probabilities, base, 8, byte)
  state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6
}

function encodeRep(here: number, rep: number, count: number): void {
  const position = here & positionMask
  coder.bit(probabilities, at.isMatch + state * 4 + position, 1)
  coder.bit(probabilities, at.isRep + state, 1)
  if (rep === 0) {
    coder.bit(probabilities, at.isRep0 + state, 0)
    coder.bit(probabilities, at.isRep0Long + state * 4 + position, 1)
  } else {
    coder.bit(probabilities, at.isRep0 + state, 1)
    coder.bit(probabilities, at.isRep1 + state, rep === 1 ? 0 : 1)
    if (rep > 1) coder.bit(probabilities, at.isRep2 + state, rep - 2)
    const distance = reps[rep] as number
    reps.copyWithin(1, 0, rep)
    reps[0] = distance
  }
  encodeLength(at.repLengths, count, position)
  state = state < 7 ? 8 : 11
}

function encodeCopy(here: number, count: number, distance: number): void {
  const position = here & positionMask
  coder.bit(probabilities, at.isMatch + state * 4 + position, 1)
  coder.bit(probabilities, at.isRep + state, 0)
  encodeLength(at.copyLengths, count, position)
  const value = distance - 1
  const slot = slotOf(value)
  coder.tree(probabilities, at.slots + Math.min(count - 2, 3) * 64, 6, slot)
  if (slot >= 4) {
    const bits = (slot >> 1) - 1
    const base = (2 | (slot & 1)) << bits
    const rest = value - base
    if (slot < 14) coder.reverseTree(probabilities, at.far + base - slot, bits, rest)
    else {
      coder.direct(rest >>> 4, bits - 4)
      coder.reverseTree(probabilities, at.align, 4, rest & 15)
    }
  }
  reps.copyWithin(1, 0, 3)
  reps[0] = distance
  state = state < 7 ? 7 : 10
}

/** The two highest bits of a distance, and how many follow. */
function slotOf(value: number): number {
  if (value < 4) return value
  const bits = 31 - Math.clz32(value)
  return 2 * bits + ((value >>> (bits - 1)) & 1)
}

/** 2 to 9, 10 to 17, 18 to 273. Layout: two choices, low and middle trees of eight by position, one high tree. */
function encodeLength(base: number, count: number, position: number): void {
  const value = count - 2
  if (value < 8) {
    coder.bit(probabilities, base, 0)
    coder.tree(probabilities, base + 2 + position * 8, 3, value)
  } else if (value < 16) {
    coder.bit(probabilities, base, 1)
    coder.bit(probabilities, base + 1, 0)
    coder.tree(probabilities, base + 130 + position * 8, 3, value - 8)
  } else {
    coder.bit(probabilities, base, 1)
    coder.bit(probabilities, base + 1, 1)
    coder.tree(probabilities, base + 258, 8, value - 16)
  }
}
