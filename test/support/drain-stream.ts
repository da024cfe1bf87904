/**
 * Reads a block stream to its end as a nervous consumer would: holds items for a while, gives them back in any order, and
 * looks at each byte twice, when it comes and right before it goes. Checks the deal of `block-stream.ts` on the way.
 */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { BlockStream, StreamItem } from '#engine/pipeline'
import { sectorBytes, type BuiltImage } from '#test/image-of-runs'

export interface DrainOptions {
  readonly alignmentBytes: number
  readonly bufferBytes: number
  /** 0 to 1. */
  readonly random: () => number
  /** Items held at once, at most. */
  readonly held: number
  /** Stop after so many items. Default: never. */
  readonly items?: number
}

export interface Drained {
  /** The disk as far as it was told. Unused space is zeros. */
  readonly disk: Buffer
  readonly toldBytes: number
  readonly items: readonly Omit<StreamItem, 'release'>[]
  /** Null when it came to its end. */
  readonly error: unknown
}

export async function drainStream(
  stream: BlockStream,
  image: Pick<BuiltImage, 'disk' | 'ignored'>,
  options: DrainOptions,
): Promise<Drained> {
  const { alignmentBytes, random } = options
  const sizeBytes = image.disk.length
  const disk = Buffer.alloc(sizeBytes)
  const items: Drained['items'][number][] = []
  const holding: Extract<StreamItem, { kind: 'data' }>[] = []
  let told = 0
  const letGo = () => {
    const [item] = holding.splice(Math.floor(random() * holding.length), 1)
    if (item === undefined) return
    // Nobody may have touched it while it was ours.
    const end = item.offset + item.bytes.length
    if (Buffer.compare(item.bytes, disk.subarray(item.offset, end)) !== 0)
      throw new Error(`the bytes at ${item.offset} changed while they were held`)
    item.release()
  }
  // Gives back on its own: an item is never held until the next comes.
  const reading = { isOver: false }
  const letting = (async () => {
    while (!reading.isOver) {
      if (holding.length > 0 && random() < 0.7) letGo()
      if (random() < 0.02) await sleep(1)
      else await turn()
    }
  })()

  let error: unknown = null
  try {
    for (;;) {
      if (items.length === options.items) break
      while (holding.length >= options.held) await turn()
      const item = await stream.next()
      if (item === null) break
      const length = item.kind === 'data' ? item.bytes.length : item.lengthBytes
      expect(item.offset).toBe(told)
      expect(length).toBeGreaterThan(0)
      expect(item.offset % alignmentBytes).toBe(0)
      if (told + length !== sizeBytes) expect(length % alignmentBytes).toBe(0)
      if (item.kind === 'data') {
        expect(length).toBeLessThanOrEqual(options.bufferBytes)
        expect(item.bytes.byteOffset % 4096).toBe(item.offset % 4096)
        disk.set(item.bytes, item.offset)
        holding.push(item)
      } else if (item.kind === 'unused') {
        const sectors = image.ignored.subarray(
          item.offset / sectorBytes,
          (item.offset + length) / sectorBytes,
        )
        expect(sectors.every((sector) => sector === 1)).toBe(true)
      }
      items.push(item)
      told += length
    }
  } catch (thrown) {
    error = thrown
  }
  reading.isOver = true
  await letting
  if (error === null) while (holding.length > 0) letGo()
  return { disk, toldBytes: told, items, error }
}
