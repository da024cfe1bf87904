/** Huffman's code lengths for bzip2 (D. A. Huffman, 1952), none longer than the format allows. */

/**
 * A length of 1 to `longest` for every symbol, also for those that don't occur. Where Huffman's tree is too deep, the
 * counts are flattened until it isn't; that ends, for equal counts make a flat tree. At most 2^`longest` symbols.
 */
export function codeLengths(counts: Uint32Array, longest: number): Uint8Array {
  const weights = Float64Array.from(counts, (count) => Math.max(1, count))
  for (;;) {
    const lengths = huffmanLengths(weights)
    if (lengths.every((length) => length <= longest)) return lengths
    for (let symbol = 0; symbol < weights.length; symbol++)
      weights[symbol] = Math.floor((weights[symbol] as number) / 2) + 1
  }
}

/** Two queues: leaves by weight, and trees in the order they are made, which is by weight, too. */
function huffmanLengths(weights: Float64Array): Uint8Array {
  const count = weights.length
  const leaves = Array.from({ length: count }, (_, symbol) => symbol)
  leaves.sort((a, b) => (weights[a] as number) - (weights[b] as number) || a - b)
  const treeWeights = new Float64Array(count)
  const parents = new Int32Array(2 * count)
  let leaf = 0
  let tree = 0
  const takeLightest = (made: number): number => {
    const leafWeight = leaf < count ? (weights[leaves[leaf] as number] as number) : Infinity
    const treeWeight = tree < made ? (treeWeights[tree] as number) : Infinity
    return leafWeight <= treeWeight ? (leaves[leaf++] as number) : count + tree++
  }
  const weightOf = (node: number) => (node < count ? weights[node] : treeWeights[node - count]) as number
  for (let made = 0; made < count - 1; made++) {
    const a = takeLightest(made)
    const b = takeLightest(made)
    treeWeights[made] = weightOf(a) + weightOf(b)
    parents[a] = count + made
    parents[b] = count + made
  }
  // Trees are made before those that hold them: depths follow from the root down.
  const depths = new Uint8Array(2 * count)
  const root = 2 * count - 2
  for (let node = root - 1; node >= count; node--)
    depths[node] = (depths[parents[node] as number] as number) + 1
  return Uint8Array.from(weights, (_, symbol) => (depths[parents[symbol] as number] as number) + 1)
}
