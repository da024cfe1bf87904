/** In what order the chunks of an image on a server will be needed: that of the disk, wherever they lie in the file. Pure. */
import { planPiece } from '#engine/formats/encrypted'
import { kindIndex, type ExtentTable, type StoredPart } from '#engine/formats/extents'

export interface FetchPlan {
  /** Chunks in the order of their first use, each once. */
  readonly order: Int32Array
  /** Bytes that will be read of each chunk. */
  readonly demand: Int32Array
}

/** Where a file's chunks begin in the common numbering; null for a file that isn't fetched. */
export type FirstChunk = (path: string) => number | null

/** Rows that share stored bytes may ask for more of a chunk than it has; so much is as good as more. */
const mostDemand = 2 ** 30

/** For an image of extents. `parts` ascend by `streamOffset`. */
export function planFetches(
  extents: ExtentTable,
  parts: readonly StoredPart[],
  chunks: { readonly count: number; readonly chunkBytes: number; readonly firstChunk: FirstChunk },
): FetchPlan {
  const order = new Int32Array(chunks.count)
  const demand = new Int32Array(chunks.count)
  let planned = 0
  let near = 0
  for (let row = 0; row < extents.count; row++) {
    const kind = extents.kind[row]
    if (kind === kindIndex.zero || kind === kindIndex.ignore) continue
    let from = extents.storedOffset[row] ?? 0
    const to = from + (extents.storedBytes[row] ?? 0)
    while (from < to) {
      near = partAt(parts, from, near)
      const part = parts[near]
      if (part === undefined || part.streamOffset > from) break
      const end = Math.min(to, part.streamOffset + part.lengthBytes)
      if (end <= from) break
      need(part, part.fileOffset + from - part.streamOffset, part.fileOffset + end - part.streamOffset)
      from = end
    }
  }
  return { order: order.subarray(0, planned), demand }

  /** Bytes `from` to `to` of what is inside the part's file. */
  function need(part: StoredPart, from: number, to: number): void {
    const first = chunks.firstChunk(part.path)
    if (first === null) return
    const [storedFrom, storedTo] = part.cipher === undefined ? [from, to] : storedRange(part.cipher, from, to)
    for (let at = storedFrom; at < storedTo;) {
      const index = Math.floor(at / chunks.chunkBytes)
      const next = Math.min(storedTo, (index + 1) * chunks.chunkBytes)
      const chunk = first + index
      if (chunk >= chunks.count) return
      if (demand[chunk] === 0) order[planned++] = chunk
      demand[chunk] = Math.min(mostDemand, (demand[chunk] ?? 0) + next - at)
      at = next
    }
  }
}

/** The encrypted blocks that hold these bytes. */
function storedRange(cipher: NonNullable<StoredPart['cipher']>, from: number, to: number) {
  const last = planPiece(cipher, to - 1, 1)
  return [planPiece(cipher, from, 1).fileOffset, last.fileOffset + last.storedBytes] as const
}

/** The last part that begins at or before `streamOffset`, looked for from the last answer on. */
function partAt(parts: readonly StoredPart[], streamOffset: number, near: number): number {
  let index = near
  while (index > 0 && (parts[index]?.streamOffset ?? 0) > streamOffset) index--
  while ((parts[index + 1]?.streamOffset ?? Infinity) <= streamOffset) index++
  return index
}

/** For a file that is read from its first byte to its last. */
export function planWholeFile(sizeBytes: number, chunkBytes: number): FetchPlan {
  const count = Math.ceil(sizeBytes / chunkBytes)
  const order = Int32Array.from({ length: count }, (_, index) => index)
  return { order, demand: order.map((index) => Math.min(chunkBytes, sizeBytes - index * chunkBytes)) }
}

/** Stored bytes that lie in one piece, and are read in one go where they aren't compressed: how many, on the average. */
export function meanStretchBytes({ count, kind, storedOffset, storedBytes }: ExtentTable): number {
  let stretches = 0
  let total = 0
  let end = -1
  for (let row = 0; row < count; row++) {
    if (kind[row] === kindIndex.zero || kind[row] === kindIndex.ignore) {
      end = -1
      continue
    }
    if (storedOffset[row] !== end) stretches += 1
    total += storedBytes[row] ?? 0
    end = (storedOffset[row] ?? 0) + (storedBytes[row] ?? 0)
  }
  return total / Math.max(1, stretches)
}
