/** What a restore of changed blocks only compares the destination with: decided in the preflight, told in the plan. */
import type { BlockHashes } from '#engine/formats/udif'
import type { PreflightCheck } from '#shared/model'
import type { ExaminedSource } from './examine-source.ts'
import type { ExaminedTarget } from './examine-target.ts'
import { HashedBlocks } from '#engine/pipeline'
import type { RestoreIo } from './restore-io.ts'

export type Comparison =
  /** Of every block of the image: what is right already isn't read from the image at all. */
  | { readonly kind: 'hashes'; readonly hashes: BlockHashes }
  /** All of the source is read. */
  | { readonly kind: 'source' }
  /** The same, of one partition of an image: its hashes, if any, are of the whole disk's blocks. */
  | { readonly kind: 'volume' }
  /** A file that isn't there yet, or is empty. */
  | { readonly kind: 'nothing' }

/** Throws what reading the hashes throws: FormatError E_SRC_CORRUPT when they contradict themselves. */
export async function chooseComparison(
  source: ExaminedSource,
  target: ExaminedTarget,
  io: Pick<RestoreIo, 'readBlockHashes'>,
  signal: AbortSignal,
): Promise<Comparison> {
  if (target.kind === 'file' && (target.facts?.sizeBytes ?? 0) === 0) return { kind: 'nothing' }
  if (source.kind !== 'image' || source.layout.kind !== 'extents' || source.info.kind !== 'image')
    return { kind: 'source' }
  if (source.partition !== undefined) return { kind: 'volume' }
  const hashes = await io.readBlockHashes(source.info.image, signal)
  if (hashes === null || !HashedBlocks.helps(hashes, source.layout.sizeBytes, source.info.image.path))
    return { kind: 'source' }
  return { kind: 'hashes', hashes }
}

/** Anything but the hashes is worth a word: it takes longer than was hoped for. */
export const comparisonCheck = ({ kind }: Comparison): PreflightCheck => ({
  step: 'source',
  state: kind === 'hashes' ? 'ok' : 'warning',
  kind: 'changed-only',
  by: kind,
})
