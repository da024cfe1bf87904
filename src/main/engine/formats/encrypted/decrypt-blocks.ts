/**
 * Encrypted blocks to plain bytes. Each block has an IV of its own, and yet OpenSSL is called once for many blocks: in CBC a
 * cell of 16 bytes comes out as D(cell) XOR the cell before it, so that a stretch of blocks decrypted as one is right but for
 * the first cell of each block, which got the last stored cell of the block before it instead of the IV. Both are known, and
 * exchanged by two XORs. A call for each block of 512 bytes would be ten times slower.
 */
import { createDecipheriv } from 'node:crypto'
import type { BlockCipher } from '#engine/formats/extents'
import { BlockIvs } from './block-ivs.ts'
import { wholeBlocks } from './header-v2.ts'

const cellBytes = 16
const noIv = new Uint8Array(cellBytes)

/** What is read and decrypted in one go: fits the cache. */
export const pieceBytes = 256 * 1024

/** Where a piece of plain bytes is stored. */
export interface StoredPiece {
  /** Index of the first block, from 0 for the file's first. */
  readonly block: number
  /** Whole blocks of the file. */
  readonly fileOffset: number
  readonly storedBytes: number
  /** The plain bytes begin so far behind the first block's start. */
  readonly skip: number
  readonly plainBytes: number
}

/** The first piece of what is wanted: `lengthBytes` (at least one) from `offset`, in plain bytes. */
export function planPiece(
  { blockBytes, dataOffset }: BlockCipher,
  offset: number,
  lengthBytes: number,
): StoredPiece {
  const block = Math.floor(offset / blockBytes)
  const skip = offset - block * blockBytes
  const storedBytes = Math.min(pieceBytes, wholeBlocks(skip + lengthBytes, blockBytes))
  return {
    block,
    fileOffset: dataOffset + block * blockBytes,
    storedBytes,
    skip,
    plainBytes: Math.min(lengthBytes, storedBytes - skip),
  }
}

/** Decrypt `stored`, whole blocks from `piece.block` on, and put the piece's plain bytes into `into`. */
export function decryptPiece(
  cipher: BlockCipher,
  { block, skip, plainBytes }: StoredPiece,
  stored: Uint8Array,
  into: Uint8Array,
): void {
  const { aesKey, blockBytes, firstBlock } = cipher
  const decipher = createDecipheriv(`aes-${aesKey.length * 8}-cbc`, aesKey, noIv)
  decipher.setAutoPadding(false)
  const plain = decipher.update(stored)
  const ivs = ivsOf(cipher.hmacKey)
  for (let at = 0, number = firstBlock + block; at < plain.length; at += blockBytes, number++) {
    if (at > 0)
      for (let index = 0; index < cellBytes; index++)
        plain[at + index] = (plain[at + index] as number) ^ (stored[at - cellBytes + index] as number)
    ivs.xorInto(number, plain, at)
  }
  into.set(plain.subarray(skip, skip + plainBytes))
}

const knownIvs = new WeakMap<Uint8Array, BlockIvs>()

/** One for each key: the parts of an image share theirs. */
export function ivsOf(hmacKey: Uint8Array): BlockIvs {
  const known = knownIvs.get(hmacKey)
  if (known !== undefined) return known
  const made = new BlockIvs(hmacKey)
  knownIvs.set(hmacKey, made)
  return made
}
