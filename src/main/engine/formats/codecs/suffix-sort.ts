/**
 * Sorts all suffixes of a text in time that grows with its length whatever the text is: induced sorting, after Nong,
 * Zhang and Chan, "Two Efficient Algorithms for Linear Time Suffix Array Construction" (2011). A suffix that is the
 * beginning of another comes before it. bzip2's transform needs it; a disk of one repeated sector must not be slow.
 */

/** Tables of one depth of the recursion, kept by the thread: a text inside is at most half as long. */
interface Scratch {
  readonly sorted: Int32Array
  readonly rising: Uint8Array
  /** Where a turn is among the turns, by half its place: no two turns are neighbours. Elsewhere anything. */
  readonly numberOf: Int32Array
  readonly turns: Int32Array
  readonly pieces: Int32Array
  readonly shorter: Int32Array
}

/** Each symbol's room in the result: falling suffixes first, from `falling` on, then rising ones. */
interface Rooms {
  readonly falling: Int32Array
  readonly rising: Int32Array
  /** Where the next one goes. */
  readonly next: Int32Array
}

const scratches: Scratch[] = []
const roomTables: Rooms[] = []

/** Grown by more than is asked for: the next text is about as long. */
const grown = (length: number) => Math.ceil(length * 1.125)

function scratchOf(depth: number, length: number): Scratch {
  const held = scratches[depth]
  if (held !== undefined && held.sorted.length >= length) return held
  const whole = grown(length)
  const half = (whole >> 1) + 1
  const made = {
    sorted: new Int32Array(whole),
    rising: new Uint8Array(whole),
    numberOf: new Int32Array(half),
    turns: new Int32Array(half),
    pieces: new Int32Array(half),
    shorter: new Int32Array(half),
  }
  scratches[depth] = made
  return made
}

function roomsOf(depth: number, count: number): Rooms {
  let held = roomTables[depth]
  if (held === undefined || held.next.length < count) {
    const table = () => new Int32Array(grown(count))
    held = { falling: table(), rising: table(), next: table() }
    roomTables[depth] = held
  }
  const { falling, rising, next } = held
  return {
    falling: falling.subarray(0, count).fill(0),
    rising: rising.subarray(0, count).fill(0),
    next: next.subarray(0, count),
  }
}

/**
 * Starts of the suffixes of `text`, smallest first. Symbols are 0 to `largest`. The result is scratch memory of the thread,
 * good until the next call.
 */
export function sortSuffixes(text: Int32Array, largest: number, depth = 0): Int32Array {
  const length = text.length
  const scratch = scratchOf(depth, length)
  const sorted = scratch.sorted.subarray(0, length)
  if (length < 2) return sorted.fill(0)
  const { rising, numberOf, turns, pieces } = scratch

  // A suffix is *rising* when it is smaller than the one after it. Those that rise behind one that falls, the turns, are
  // the few that have to be sorted; all others follow from their order.
  rising[length - 1] = 0
  for (let at = length - 2; at >= 0; at--) {
    const here = text[at] as number
    const after = text[at + 1] as number
    rising[at] = here === after ? (rising[at + 1] as number) : here < after ? 1 : 0
  }
  let turnCount = 0
  for (let at = 1; at < length; at++) {
    if (rising[at] === 0 || rising[at - 1] === 1) continue
    numberOf[at >> 1] = turnCount
    turns[turnCount++] = at
  }

  const rooms = measureRooms(text, rising, largest, roomsOf(depth, largest + 2))
  for (let index = 0; index < turnCount; index++) pieces[index] = turns[index] as number
  induce(text, rising, rooms, pieces.subarray(0, turnCount), sorted)
  if (turnCount < 2) return sorted

  // Now pieces from turn to turn are in order. Named by their rank, they are a shorter text with the same problem.
  let found = 0
  for (let index = 0; index < length; index++) {
    const at = sorted[index] as number
    if (at > 0 && rising[at] === 1 && rising[at - 1] === 0) pieces[found++] = at
  }
  const shorter = scratch.shorter.subarray(0, turnCount)
  let rank = 0
  for (let index = 0; index < turnCount; index++) {
    const at = pieces[index] as number
    if (index > 0 && !samePiece(text, scratch, turnCount, pieces[index - 1] as number, at)) rank++
    shorter[numberOf[at >> 1] as number] = rank
  }
  const order = sortSuffixes(shorter, rank, depth + 1)
  for (let index = 0; index < turnCount; index++) pieces[index] = turns[order[index] as number] as number
  induce(text, rising, rooms, pieces.subarray(0, turnCount), sorted)
  return sorted
}

/** `rooms` come empty. */
function measureRooms(text: Int32Array, isRising: Uint8Array, largest: number, rooms: Rooms): Rooms {
  const { falling, rising } = rooms
  for (let at = 0; at < text.length; at++) {
    const symbol = text[at] as number
    if (isRising[at] === 1) falling[symbol + 1] = (falling[symbol + 1] as number) + 1
    else rising[symbol] = (rising[symbol] as number) + 1
  }
  for (let symbol = 0; symbol <= largest; symbol++) {
    rising[symbol] = (rising[symbol] as number) + (falling[symbol] as number)
    falling[symbol + 1] = (falling[symbol + 1] as number) + (rising[symbol] as number)
  }
  return rooms
}

/** Fill `sorted` from the turns in their order: falling suffixes follow from them, and rising ones from these. */
function induce(
  text: Int32Array,
  isRising: Uint8Array,
  { falling, rising, next }: Rooms,
  order: Int32Array,
  sorted: Int32Array,
): void {
  const length = text.length
  sorted.fill(-1)
  next.set(rising)
  for (let index = 0; index < order.length; index++) {
    const at = order[index] as number
    const symbol = text[at] as number
    const place = next[symbol] as number
    next[symbol] = place + 1
    sorted[place] = at
  }
  next.set(falling)
  const last = text[length - 1] as number
  sorted[next[last] as number] = length - 1
  next[last] = (next[last] as number) + 1
  for (let index = 0; index < length; index++) {
    const before = (sorted[index] as number) - 1
    if (before < 0 || isRising[before] === 1) continue
    const symbol = text[before] as number
    const place = next[symbol] as number
    next[symbol] = place + 1
    sorted[place] = before
  }
  next.set(falling)
  for (let index = length - 1; index >= 0; index--) {
    const before = (sorted[index] as number) - 1
    if (before < 0 || isRising[before] === 0) continue
    const symbol = (text[before] as number) + 1
    const place = (next[symbol] as number) - 1
    next[symbol] = place
    sorted[place] = before
  }
}

/** Whether the pieces from turns `a` and `b` to the turns behind them are the same, these included. */
function samePiece(
  text: Int32Array,
  { turns, numberOf }: Scratch,
  count: number,
  a: number,
  b: number,
): boolean {
  const numberA = (numberOf[a >> 1] as number) + 1
  const numberB = (numberOf[b >> 1] as number) + 1
  // Behind the last turn comes the end of the text, which is like nothing else.
  if (numberA === count || numberB === count) return false
  const endA = turns[numberA] as number
  if (endA - a !== (turns[numberB] as number) - b) return false
  let left = a
  let right = b
  while (left <= endA && text[left] === text[right]) {
    left++
    right++
  }
  return left > endA
}
