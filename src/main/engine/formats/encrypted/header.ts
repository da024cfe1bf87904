/**
 * What both versions of the header come to: everything but the password that is needed to read an encrypted image.
 * docs/formats/encrypted.md has the layouts and where they are from.
 */

/** What a key derived from a password encrypts keys with. AES-192 is macOS's today, 3DES what it was until some version before. */
export type WrapCipher = '3des' | 'aes-192'

/** One way to the keys with a password. Bounded and checked; the bytes are as stored. */
export interface WrappedKeys {
  readonly iterations: number
  /** 20 bytes as a rule, up to 32. */
  readonly salt: Uint8Array
  readonly wrapped:
    | {
        /** Version 2: one blob in CBC, both keys and a mark in it. */
        readonly kind: 'blob'
        readonly cipher: WrapCipher
        /** 8 bytes. */
        readonly iv: Uint8Array
        readonly blob: Uint8Array
      }
    | {
        /** Version 1: each key wrapped by itself, the way of RFC 3217. */
        readonly kind: 'keys'
        readonly aesKey: Uint8Array
        readonly hmacKey: Uint8Array
      }
}

export interface EncryptedHeader {
  readonly version: 1 | 2
  readonly keyBits: 128 | 256
  /** See `BlockCipher`. */
  readonly blockBytes: number
  readonly dataOffset: number
  readonly dataBytes: number
  /** Any of them will do. At least one. */
  readonly ways: readonly WrappedKeys[]
  /** SHA-256 over the header as stored: another header, other keys. Hex. */
  readonly fingerprint: string
}

/**
 * Ten times the most that was seen (500,000), a second and a half on one core: somebody waits for the answer, and nothing
 * stops the computation in between. All ways of a header together.
 */
export const mostIterations = 5_000_000

/** What a key derivation and the key wrap are called in both versions: numbers of CSSM, the framework this comes from. */
export const cssm = {
  pbkdf2: 103,
  tripleDes: 17,
  pkcs7: 7,
  cbcPadded: 6,
  cbcBlocks: 5,
  aes: 0x80000001,
  sha1Hmac: 91,
} as const
