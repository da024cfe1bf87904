/** Reads a source a second time beside the verify, and compares bytes. For devices, which hold no checksums. */
import type { BlockStream, StreamItem } from '#engine/pipeline'
import { isZeros } from './block-checksums.ts'

/** Disposing gives the last buffer back. */
export interface SourceComparison extends Disposable {
  /**
   * The source has these bytes at `offset`. Calls ascend; what lies between them isn't looked at. Throws what the
   * stream throws.
   */
  isSame(bytes: Uint8Array, offset: number): Promise<boolean>
}

/** `stream` stays the caller's to close. */
export function createSourceComparison(stream: BlockStream): SourceComparison {
  let item: StreamItem | null = null

  /** The item that covers `offset`; null past the end. */
  async function itemAt(offset: number): Promise<StreamItem | null> {
    while (item === null || offset >= item.offset + lengthOf(item)) {
      if (item?.kind === 'data') item.release()
      item = await stream.next()
      if (item === null) return null
    }
    return item
  }

  return {
    [Symbol.dispose]() {
      if (item?.kind === 'data') item.release()
      item = null
    },
    async isSame(bytes, offset) {
      let same = true
      for (let done = 0; done < bytes.length;) {
        const covering = await itemAt(offset + done)
        if (covering === null) return false
        const within = offset + done - covering.offset
        const length = Math.min(bytes.length - done, lengthOf(covering) - within)
        const found = bytes.subarray(done, done + length)
        const expected = covering.kind === 'data' ? covering.bytes.subarray(within, within + length) : null
        if (expected === null ? !isZeros(found) : Buffer.compare(found, expected) !== 0) same = false
        done += length
      }
      return same
    },
  }
}

const lengthOf = (item: StreamItem) => (item.kind === 'data' ? item.bytes.length : item.lengthBytes)
