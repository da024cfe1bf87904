/** From a password to an image's keys. The only slow thing about encrypted images, on purpose of whoever made them. */
import { createDecipheriv, pbkdf2, timingSafeEqual, type Decipheriv } from 'node:crypto'
import type { BlockCipher } from '#engine/formats/extents'
import { formatError } from '#engine/formats/struct'
import type { EncryptedHeader, WrapCipher, WrappedKeys } from './header.ts'

/** What a password opens. */
export type ImageKeys = Pick<BlockCipher, 'aesKey' | 'hmacKey'>

const hmacKeyBytes = 20
/** Of 3DES as of AES-192. */
const wrappingKeyBytes = 24

/**
 * The keys behind `header`. Throws FormatError E_SRC_PASSWORD when the password is another one (or the header is damaged where
 * that can't be told from it); the signal's reason, at once: the computation under way then ends by itself, within the
 * bound of `mostIterations`, and holds nothing.
 */
export async function unlockHeader(
  header: EncryptedHeader,
  password: string,
  signal?: AbortSignal,
): Promise<ImageKeys> {
  for (const way of header.ways) {
    const wrappingKey = await deriveKey(password, way, signal)
    const keys = unwrap(header, way, wrappingKey)
    if (keys !== null) return keys
  }
  throw formatError('E_SRC_PASSWORD', {
    format: header.version === 2 ? 'encrcdsa' : 'cdsaencr',
    field: 'passphrase',
    offset: 0,
    expected: 'another password',
  })
}

/** The keys with where the data is: what reads it. */
export function cipherOf(header: EncryptedHeader, { aesKey, hmacKey }: ImageKeys): BlockCipher {
  const { blockBytes, dataOffset, dataBytes } = header
  return { aesKey, hmacKey, blockBytes, dataOffset, dataBytes, firstBlock: 0 }
}

/** PBKDF2 with HMAC-SHA1 (RFC 2898) on the thread pool. */
function deriveKey(
  password: string,
  { salt, iterations }: WrappedKeys,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const onAbort = () => reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  pbkdf2(Buffer.from(password, 'utf8'), salt, iterations, wrappingKeyBytes, 'sha1', (error, key) => {
    signal?.removeEventListener('abort', onAbort)
    if (error === null) resolve(key)
    else reject(error)
  })
  return promise
}

function unwrap(
  header: EncryptedHeader,
  { wrapped }: WrappedKeys,
  wrappingKey: Uint8Array,
): ImageKeys | null {
  const aesKeyBytes = header.keyBits / 8
  if (wrapped.kind === 'blob') {
    const keys = unwrapBlob[wrapped.cipher](wrapped.blob, wrappingKey, wrapped.iv)
    if (keys === null || keys.length !== aesKeyBytes + hmacKeyBytes + blobMark.length) return null
    if (!timingSafeEqual(keys.subarray(aesKeyBytes + hmacKeyBytes), blobMark)) return null
    return {
      aesKey: keys.slice(0, aesKeyBytes),
      hmacKey: keys.slice(aesKeyBytes, aesKeyBytes + hmacKeyBytes),
    }
  }
  const aesKey = unwrapTwice(wrapped.aesKey, wrappingKey)
  const hmacKey = unwrapTwice(wrapped.hmacKey, wrappingKey)
  if (aesKey?.length !== aesKeyBytes || hmacKey?.length !== hmacKeyBytes) return null
  return { aesKey, hmacKey }
}

/** Behind the keys of version 2: how a wrong password is told. */
export const blobMark: Uint8Array = Buffer.from('CKIE\0', 'latin1')

/** RFC 3217 §3.2 (RFC 2630 §12.6.2): two layers of 3DES-CBC, the inner one turned round, with its IV in front. */
export const wrapIv: Uint8Array = Buffer.from('4adda22c79e82105', 'hex')

/** In front of each key of version 1: four zeros. */
const prefixBytes = 4

function unwrapTwice(wrapped: Uint8Array, key: Uint8Array): Uint8Array | null {
  const outer = decrypt3Des(wrapped, key, wrapIv)?.toReversed() ?? null
  if (outer === null || outer.length < 16) return null
  const inner = decrypt3Des(outer.subarray(8), key, outer.subarray(0, 8))
  if (inner === null || inner.subarray(0, prefixBytes).some((byte) => byte !== 0)) return null
  return inner.slice(prefixBytes)
}

/** Null when what comes out isn't padded as it must be. */
const decrypt3Des = (bytes: Uint8Array, key: Uint8Array, iv: Uint8Array) =>
  decryptPadded(createDecipheriv('des-ede3-cbc', key, iv), bytes, 8)

const unwrapBlob: {
  readonly [cipher in WrapCipher]: (blob: Uint8Array, key: Uint8Array, iv: Uint8Array) => Uint8Array | null
} = {
  '3des': decrypt3Des,
  // The header's IV has the 8 bytes that 3DES takes: zeros follow.
  'aes-192': (blob, key, iv) =>
    decryptPadded(createDecipheriv('aes-192-cbc', key, Buffer.concat([iv, Buffer.alloc(16)], 16)), blob, 16),
}

function decryptPadded(decipher: Decipheriv, bytes: Uint8Array, cellBytes: number): Uint8Array | null {
  if (bytes.length === 0 || bytes.length % cellBytes !== 0) return null
  decipher.setAutoPadding(false)
  const plain = new Uint8Array(Buffer.concat([decipher.update(bytes), decipher.final()]))
  // PKCS #7: so many bytes of so many.
  const padding = plain.at(-1) ?? 0
  if (padding < 1 || padding > cellBytes || plain.subarray(-padding).some((byte) => byte !== padding))
    return null
  return plain.slice(0, -padding)
}
