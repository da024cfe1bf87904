/** Bytes in memory as a `BlockSource` and as the function that looks into disks. */
import type { BlockSource } from '#engine/block-io'
import { FormatError } from '#shared/errors'
import type { ReadDisk } from '#engine/formats/struct'

export interface MemorySource extends BlockSource {
  /** How often it was read, and the most bytes at once. */
  readonly reads: { count: number; largestBytes: number }
  isClosed(): boolean
}

/** Reading past the end fails as a file's source does. */
export function memorySource(bytes: Uint8Array, path = '/memory/image.dmg'): MemorySource {
  const reads = { count: 0, largestBytes: 0 }
  let closed = false
  return {
    path,
    sizeBytes: bytes.length,
    reads,
    isClosed: () => closed,
    async read(into, offset, signal) {
      signal?.throwIfAborted()
      if (offset < 0 || offset + into.length > bytes.length)
        throw new FormatError('E_SRC_CORRUPT', `${path} ends early`, {
          details: { format: 'file', field: 'length', offset },
        })
      reads.count++
      reads.largestBytes = Math.max(reads.largestBytes, into.length)
      into.set(bytes.subarray(offset, offset + into.length))
    },
    async [Symbol.asyncDispose]() {
      closed = true
    },
  }
}

/** `bytes` as a disk. */
export function memoryDisk(bytes: Uint8Array): ReadDisk {
  const source = memorySource(bytes)
  return async (offset, lengthBytes) => {
    const into = new Uint8Array(lengthBytes)
    await source.read(into, offset)
    return into
  }
}
