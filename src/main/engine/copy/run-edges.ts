/**
 * Parts of compressed runs whose other parts lie in blocks that haven't come yet. All the memory that a stream in any order
 * costs; where it is full, a part isn't kept, and its block has to come again. One run is always let in, however full it
 * is: so somebody gets finished, whatever the order.
 */
export interface RunEdges {
  /**
   * Keep what `block` has of a run of `runBytes`, from `offset` in it. `whole`: that was the last part; the run is
   * forgotten. `kept`: others are to come. `full`: it wasn't kept.
   */
  add(
    index: number,
    part: { readonly block: number; readonly runBytes: number; readonly offset: number },
    bytes: Uint8Array,
  ): { readonly kind: 'whole'; readonly bytes: Uint8Array } | { readonly kind: 'kept' | 'full' }
  readonly heldBytes: number
}

interface Held {
  readonly bytes: Uint8Array
  readonly blocks: Set<number>
  missingBytes: number
}

export function createRunEdges(boundBytes: number): RunEdges {
  const runs = new Map<number, Held>()
  let heldBytes = 0
  /** The one that was let in although all was full. */
  let favourite: number | null = null

  return {
    get heldBytes() {
      return heldBytes
    },
    add(index, { block, runBytes, offset }, bytes) {
      let held = runs.get(index)
      if (held === undefined) {
        const fits = heldBytes + runBytes <= boundBytes
        if (!fits && favourite !== null) return { kind: 'full' }
        if (!fits) favourite = index
        held = { bytes: new Uint8Array(runBytes), blocks: new Set(), missingBytes: runBytes }
        runs.set(index, held)
        heldBytes += runBytes
      }
      if (!held.blocks.has(block)) {
        held.blocks.add(block)
        held.bytes.set(bytes, offset)
        held.missingBytes -= bytes.length
      }
      if (held.missingBytes > 0) return { kind: 'kept' }
      runs.delete(index)
      heldBytes -= runBytes
      if (favourite === index) favourite = null
      return { kind: 'whole', bytes: held.bytes }
    },
  }
}
