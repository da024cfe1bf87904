/**
 * Sorts all suffixes of a text in time that grows with its length whatever the text is: induced sorting, after Nong,
 * Zhang and Chan, "Two Efficient Algorithms for Linear Time Suffix Array Construction" (2011). A suffix that is the
 * beginning of another comes before it. bzip2's transform needs it; a disk of one repeated sector must not be slow.
 */

/** Starts of the suffixes of `text`, smallest first. Symbols are 0 to `largest`. */
export function sortSuffixes(text: Uint8Array | Int32Array, largest: number): Int32Array {
  const length = text.length
  const sorted = new Int32Array(length)
  if (length < 2) return sorted

  // A suffix is *rising* when it is smaller than the one after it. Those that rise behind one that falls are the few
  // that have to be sorted; all others follow from their order.
  const rising = new Uint8Array(length)
  for (let at = length - 2; at >= 0; at--) {
    const here = text[at] as number
    const after = text[at + 1] as number
    rising[at] = here === after ? (rising[at + 1] as number) : here < after ? 1 : 0
  }
  const isTurn = (at: number) => at > 0 && rising[at] === 1 && rising[at - 1] === 0
  const turns: number[] = []
  for (let at = 1; at < length; at++) if (isTurn(at)) turns.push(at)

  // Each symbol's room in the result: falling suffixes first, then rising ones.
  const falling = new Int32Array(largest + 2)
  const risingFrom = new Int32Array(largest + 2)
  for (let at = 0; at < length; at++) {
    const symbol = text[at] as number
    if (rising[at] === 1) falling[symbol + 1] = (falling[symbol + 1] as number) + 1
    else risingFrom[symbol] = (risingFrom[symbol] as number) + 1
  }
  for (let symbol = 0; symbol <= largest; symbol++) {
    risingFrom[symbol] = (risingFrom[symbol] as number) + (falling[symbol] as number)
    falling[symbol + 1] = (falling[symbol + 1] as number) + (risingFrom[symbol] as number)
  }

  const next = new Int32Array(largest + 2)
  const induce = (order: ArrayLike<number>) => {
    sorted.fill(-1)
    next.set(risingFrom)
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
      if (before < 0 || rising[before] === 1) continue
      const symbol = text[before] as number
      const place = next[symbol] as number
      next[symbol] = place + 1
      sorted[place] = before
    }
    next.set(falling)
    for (let index = length - 1; index >= 0; index--) {
      const before = (sorted[index] as number) - 1
      if (before < 0 || rising[before] === 0) continue
      const symbol = (text[before] as number) + 1
      const place = (next[symbol] as number) - 1
      next[symbol] = place
      sorted[place] = before
    }
  }

  induce(turns)
  if (turns.length < 2) return sorted

  // Now pieces from turn to turn are in order. Named by their rank, they are a shorter text with the same problem.
  const numberOf = new Int32Array(length)
  turns.forEach((at, index) => (numberOf[at] = index))
  const pieces = sorted.filter(isTurn)
  const shorter = new Int32Array(turns.length)
  let rank = 0
  for (let index = 0; index < pieces.length; index++) {
    const at = pieces[index] as number
    if (index > 0 && !samePiece(pieces[index - 1] as number, at)) rank++
    shorter[numberOf[at] as number] = rank
  }
  const order = sortSuffixes(shorter, rank)
  induce(order.map((index) => turns[index] as number))
  return sorted

  function samePiece(a: number, b: number): boolean {
    const endOf = (at: number) => turns[(numberOf[at] as number) + 1] ?? length
    const endA = endOf(a)
    if (endA - a !== endOf(b) - b) return false
    let left = a
    let right = b
    while (left < endA && text[left] === text[right]) {
      left++
      right++
    }
    // The turn they end at counts, too; behind the last one comes nothing.
    return left === endA && left < length && right < length && text[left] === text[right]
  }
}
