/**
 * How a file's bytes are encrypted, with the keys: plain data, so that it goes to worker threads as it is. Who works with it
 * is `#engine/formats/encrypted`. It must never be logged, written or sent to another process.
 */
export interface BlockCipher {
  /** AES-CBC: 16 bytes (AES-128) or 32 (AES-256). */
  readonly aesKey: Uint8Array
  /** HMAC-SHA1 over a block's number makes its IV: 20 bytes. */
  readonly hmacKey: Uint8Array
  /** Each block is encrypted alone. A power of two, at least 512. */
  readonly blockBytes: number
  /** Where the first block begins in the file. */
  readonly dataOffset: number
  /** Number of that block: 0, but for the bands of a bundle where they are counted through. */
  readonly firstBlock: number
  /** Size of what is inside; the last block is filled up to a whole one. */
  readonly dataBytes: number
}
