/**
 * Plain bytes to encrypted blocks. In CBC each cell of 16 bytes needs the one before it, and each block has an IV of its own; a
 * call of OpenSSL for each block of 512 bytes would take ten times as long as to encrypt it. So the first cells of all blocks
 * are encrypted by one call, as ECB does, then all second ones, and so on: the chaining is done here, by XOR.
 */
import { createCipheriv, type Cipheriv } from 'node:crypto'
import type { BlockCipher } from '#engine/formats/extents'
import { ivsOf } from './decrypt-blocks.ts'

const cellBytes = 16
const cellWords = cellBytes / 4

export class BlockEncryptor {
  readonly #cipher: BlockCipher
  readonly #aes: Cipheriv

  constructor(cipher: BlockCipher) {
    this.#cipher = cipher
    this.#aes = createCipheriv(`aes-${cipher.aesKey.length * 8}-ecb`, cipher.aesKey, null)
    this.#aes.setAutoPadding(false)
  }

  /** `plain`: whole blocks from number `block` on, counted from 0 in the file. The result is the caller's. */
  encrypt(block: number, plain: Uint8Array): Uint8Array {
    const { blockBytes, firstBlock, hmacKey } = this.#cipher
    const count = plain.length / blockBytes
    // A copy, whatever it is: slices of a Buffer are none.
    const stored = new Uint8Array(plain)
    const words = new Int32Array(stored.buffer)
    const chain = new Int32Array(count * cellWords)
    const chainBytes = new Uint8Array(chain.buffer)
    const ivs = ivsOf(hmacKey)
    for (let index = 0; index < count; index++)
      ivs.xorInto(firstBlock + block + index, chainBytes, index * cellBytes)

    const blockWords = blockBytes / 4
    for (let cell = 0; cell < blockWords; cell += cellWords) {
      for (let index = 0, at = cell, to = 0; index < count; index++, at += blockWords, to += cellWords)
        for (let word = 0; word < cellWords; word++)
          chain[to + word] = (chain[to + word] as number) ^ (words[at + word] as number)
      chainBytes.set(this.#aes.update(chainBytes))
      for (let index = 0, at = cell, from = 0; index < count; index++, at += blockWords, from += cellWords)
        for (let word = 0; word < cellWords; word++) words[at + word] = chain[from + word] as number
    }
    return stored
  }
}
