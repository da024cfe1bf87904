/**
 * From where the blocks of an encrypted sparse bundle are counted: its number is what a block's IV is made of. hdiutil begins
 * anew in each band (docs/formats/encrypted.md §4), and so does what is written here; that all of its versions did, or everybody
 * who writes bundles, nobody has looked at, and a reader is public that goes on from band to band. The bands tell: a wrong IV
 * spoils the first 16 bytes of a block and no other, and disks have blocks of nothing but zeros. One that is zeros behind its
 * first 16 bytes is zeros there, too, when the number is right.
 */
import { openFileSource } from '#engine/block-io'
import { decryptPiece, planPiece, type EncryptedHeader, type ImageKeys } from '#engine/formats/encrypted'
import type { BlockCipher, StoredPart } from '#engine/formats/extents'

export type BandCounting = 'band' | 'disk'

/** Bands that are looked into at most, and how far into each. */
const mostBands = 32
const mostBytes = 64 * 1024
const cellBytes = 16

/** Of a band, counted in one of the ways. `part` begins in the stored stream where the band does on the disk. */
export function bandCipher(
  part: Pick<StoredPart, 'streamOffset' | 'lengthBytes'>,
  { blockBytes }: Pick<EncryptedHeader, 'blockBytes'>,
  keys: ImageKeys,
  counting: BandCounting,
): BlockCipher {
  const firstBlock = counting === 'disk' ? part.streamOffset / blockBytes : 0
  return { ...keys, blockBytes, dataOffset: 0, firstBlock, dataBytes: part.lengthBytes }
}

/**
 * How the bands `parts` are counted. Where nothing tells, by band. Throws what reading throws, the signal's reason.
 */
export async function findCounting(
  parts: readonly StoredPart[],
  header: Pick<EncryptedHeader, 'blockBytes'>,
  keys: ImageKeys,
  signal?: AbortSignal,
): Promise<BandCounting> {
  // In the first one, both come to the same.
  const telling = parts.filter((part) => part.streamOffset > 0)
  const step = Math.ceil(telling.length / mostBands)
  for (let index = 0; index < telling.length; index += step) {
    const part = telling[index]
    const counting = part === undefined ? null : await askBand(part, header, keys, signal)
    if (counting !== null) return counting
  }
  return 'band'
}

async function askBand(
  part: StoredPart,
  header: Pick<EncryptedHeader, 'blockBytes'>,
  keys: ImageKeys,
  signal?: AbortSignal,
): Promise<BandCounting | null> {
  const { blockBytes } = header
  await using source = await openFileSource(part.path)
  const stored = new Uint8Array(Math.min(part.lengthBytes, Math.max(mostBytes, blockBytes)))
  await source.read(stored, 0, signal)
  const plain = (counting: BandCounting) => {
    const cipher = bandCipher(part, header, keys, counting)
    const bytes = new Uint8Array(stored.length)
    decryptPiece(cipher, planPiece(cipher, 0, stored.length), stored, bytes)
    return bytes
  }
  const [byBand, byDisk] = [plain('band'), plain('disk')]
  for (let at = 0; at < stored.length; at += blockBytes) {
    if (!isZero(byBand.subarray(at + cellBytes, at + blockBytes))) continue
    if (isZero(byBand.subarray(at, at + cellBytes))) return 'band'
    if (isZero(byDisk.subarray(at, at + cellBytes))) return 'disk'
  }
  return null
}

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0)
