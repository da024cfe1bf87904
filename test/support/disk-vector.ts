/**
 * A disk made by someone else's tool, reduced to the blocks that recognising it needs: `test/vectors/disks/*.json`,
 * written by `scripts/make-vectors.ts`. What isn't stored reads as zeros.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { ReadDisk } from '#engine/formats/struct'

const blockBytes = 512

export interface DiskVector {
  /** The program that made it, with its version. */
  readonly madeBy: string
  readonly sizeBytes: number
  /** What must come out; each test says of what. */
  readonly expected: unknown
  /** Stretches that aren't zeros: offset, and deflated bytes in base64. */
  readonly stretches: readonly (readonly [offset: number, deflated: string])[]
}

/** The disk of a vector. Throws past its end, as every disk does. */
export function vectorDisk({ sizeBytes, stretches }: Pick<DiskVector, 'sizeBytes' | 'stretches'>): ReadDisk {
  const stored = stretches.map(([offset, deflated]) => ({
    offset,
    bytes: inflateRawSync(Buffer.from(deflated, 'base64')),
  }))
  return async (offset, lengthBytes) => {
    if (offset < 0 || offset + lengthBytes > sizeBytes) throw new Error(`${offset}+${lengthBytes} is outside`)
    const into = new Uint8Array(lengthBytes)
    for (const { offset: at, bytes } of stored) {
      const from = Math.max(offset, at)
      const end = Math.min(offset + lengthBytes, at + bytes.length)
      if (from < end) into.set(bytes.subarray(from - at, end - at), from - offset)
    }
    return into
  }
}

/** `readDisk`, remembering which blocks it was asked for; `stretches` gives those that aren't zeros. */
export function recordingDisk(readDisk: ReadDisk): {
  readonly readDisk: ReadDisk
  stretches(): Promise<DiskVector['stretches']>
} {
  const asked = new Set<number>()
  return {
    readDisk: async (offset, lengthBytes) => {
      const last = Math.floor((offset + Math.max(1, lengthBytes) - 1) / blockBytes)
      for (let block = Math.floor(offset / blockBytes); block <= last; block++) asked.add(block)
      return await readDisk(offset, lengthBytes)
    },
    async stretches() {
      const stretches: { offset: number; bytes: Buffer }[] = []
      for (const block of [...asked].toSorted((a, b) => a - b)) {
        const bytes = Buffer.from(await readDisk(block * blockBytes, blockBytes))
        if (bytes.every((byte) => byte === 0)) continue
        const last = stretches.at(-1)
        if (last !== undefined && last.offset + last.bytes.length === block * blockBytes)
          last.bytes = Buffer.concat([last.bytes, bytes])
        else stretches.push({ offset: block * blockBytes, bytes })
      }
      return stretches.map(({ offset, bytes }) => [offset, deflateRawSync(bytes).toString('base64')])
    },
  }
}
