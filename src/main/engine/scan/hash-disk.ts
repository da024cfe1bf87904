/** Reads the disk inside an image once, checks the image's own checksums on the way, and computes what a scan stores. */
import { availableParallelism } from 'node:os'
import type { ExtentLayout } from '#engine/formats/extents'
import { createInlineLane, createThreadLane } from '#engine/hashing'
import { badRangeError, createDiskChecker, defaultPool, openBlockStream } from '#engine/pipeline'
import { DiskHasher, type Stretch, type StretchNumbers } from './disk-hasher.ts'

/** Two threads take 50 ms to start; so long does this much take without them. */
const inlineBytes = 32 * 1024 * 1024

export interface HashDiskOptions {
  /** For messages. */
  readonly path: string
  readonly stretches: readonly Stretch[]
  readonly blockBytes: number
  readonly signal: AbortSignal
  /** Called with the bytes of the disk that are done. */
  readonly advance: (doneBytes: number) => void
}

export interface DiskNumbers {
  /** One for each stretch. */
  readonly stretches: readonly StretchNumbers[]
  /** 32 bytes for each block. */
  readonly hashes: Uint8Array
}

/**
 * Throws FormatError E_SRC_CORRUPT for the first place that contradicts the image's own checksums; what opening and reading
 * throw; the signal's reason.
 */
export async function hashDisk(layout: ExtentLayout, options: HashDiskOptions): Promise<DiskNumbers> {
  const { path, signal } = options
  const isSmall = layout.sizeBytes <= inlineBytes || availableParallelism() === 1
  const createLane = isSmall ? createInlineLane : createThreadLane
  await using stretchLane = createLane('partitions')
  await using blockLane = createLane('blocks')
  const lanes = { stretches: stretchLane, blocks: blockLane }
  const hasher = new DiskHasher({ ...options, layout, lanes })
  const checker = createDiskChecker(layout)
  await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 512, signal })
  for (let item = await stream.next(); item !== null; item = await stream.next()) {
    const { offset } = item
    let done = offset
    let bad
    if (item.kind === 'data') {
      const { bytes } = item
      done += bytes.length
      hasher.data(offset, bytes, () => item.release())
      bad = checker.data(offset, bytes)
    } else {
      done += item.lengthBytes
      await hasher[item.kind](offset, item.lengthBytes)
      bad = checker[item.kind](offset, item.lengthBytes)
    }
    if (bad) throw badRangeError(bad, path)
    options.advance(done)
    signal.throwIfAborted()
  }
  const bad = checker.finish()
  if (bad) throw badRangeError(bad, path)
  return await hasher.finish()
}
