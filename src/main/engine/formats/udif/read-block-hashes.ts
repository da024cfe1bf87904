/** Fetches the block hashes that a scan left in a UDIF image: they aren't read when it is opened, for they may be large. */
import type { BlockSource } from '#engine/block-io'
import {
  blockHashesHeaderBytes,
  mostBlockHashesBytes,
  parseBlockHashes,
  type BlockHashes,
  type BlockHashesHeader,
} from './block-hashes.ts'
import { isKoly, kolyBytes, parseKoly } from './koly.ts'
import { readResources } from './read-udif.ts'
import type { ResourceSink } from './resources.ts'

/**
 * The hashes in the image whose first file is `source`, for a disk of `diskBytes`; null when it isn't a UDIF image or has
 * none. Throws `FormatError` E_SRC_CORRUPT when they contradict themselves: they don't add up to their root, or are for a
 * disk of another size; what `source` throws; the signal's reason.
 */
export async function readBlockHashesFrom(
  source: BlockSource,
  diskBytes: number,
  signal?: AbortSignal,
): Promise<(BlockHashes & BlockHashesHeader) | null> {
  if (source.sizeBytes < kolyBytes) return null
  const trailer = new Uint8Array(kolyBytes)
  await source.read(trailer, source.sizeBytes - kolyBytes, signal)
  if (!isKoly(trailer)) return null
  const wanted = new Wanted(diskBytes)
  await readResources(source, parseKoly(trailer, source.sizeBytes), wanted, signal)
  return wanted.data === null ? null : parseBlockHashes(wanted.data, diskBytes)
}

/** The first `rpbh`, and nothing else. */
class Wanted implements ResourceSink {
  data: Uint8Array | null = null
  readonly #mostBytes: number
  #pieces: Uint8Array[] | null = null
  #lengthBytes = 0

  constructor(diskBytes: number) {
    // Of the smallest blocks there can be, and never more than there may be.
    this.#mostBytes = Math.min(
      mostBlockHashesBytes,
      blockHashesHeaderBytes + Math.ceil(diskBytes / 4096) * 32,
    )
  }

  begin({ type }: { readonly type: string }): void {
    this.#pieces = type === 'rpbh' && this.data === null ? [] : null
    this.#lengthBytes = 0
  }

  push(bytes: Uint8Array): void {
    if (this.#pieces === null) return
    this.#lengthBytes += bytes.length
    // More than can be: the head says what is wrong, the rest needn't be held.
    if (this.#lengthBytes <= this.#mostBytes) this.#pieces.push(bytes.slice())
  }

  end(): void {
    if (this.#pieces !== null) this.data = Buffer.concat(this.#pieces)
    this.#pieces = null
  }
}
