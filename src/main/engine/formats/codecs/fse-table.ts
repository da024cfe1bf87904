/**
 * Tables for the entropy coder inside LZFSE: finite state entropy, Jarek Duda's tANS (docs/formats/lzfse.md). A decoder
 * is in one of `states` states. Each belongs to a symbol, a symbol having as many as its frequency says, side by side in
 * the order of symbols; it says how many bits to read for the next state, and what to add to them.
 */

/** Calls `put(state, symbol, bits, next)` for each state in order. Frequencies add up to `states`, a power of two. */
export function eachFseState(
  states: number,
  frequencies: Uint16Array,
  put: (state: number, symbol: number, bits: number, next: number) => void,
): void {
  let state = 0
  for (let symbol = 0; symbol < frequencies.length; symbol++) {
    const frequency = frequencies[symbol] ?? 0
    if (frequency === 0) continue
    // The first `wide` states of the symbol read one bit more than the others, so that together they reach every state.
    const bits = Math.clz32(frequency) - Math.clz32(states)
    const wide = ((2 * states) >> bits) - frequency
    for (let index = 0; index < frequency; index++, state++) {
      if (index < wide) put(state, symbol, bits, ((frequency + index) << bits) - states)
      else put(state, symbol, bits - 1, (index - wide) << (bits - 1))
    }
  }
}
