/**
 * How a client shows that it knows a session's password without sending it: an HMAC over the server's fresh nonce, keyed with
 * the password. The certificate's fingerprint is part of it, so that someone in between, who has a certificate of his own,
 * can't pass the proof on.
 */
import { createHmac, scrypt, timingSafeEqual } from 'node:crypto'

/** What both sides know of one connection. */
export interface ProofContext {
  /** The greeting's, 32 bytes. */
  readonly nonce: Uint8Array
  /** SHA-256 of the server's certificate (DER), 32 bytes. */
  readonly fingerprint: Uint8Array
  /** The hello's, 16 bytes. */
  readonly clientId: Uint8Array
}

/** A key from the password and the greeting's salt: scrypt (RFC 7914), N = 2^15, r = 8, p = 1; takes a tenth of a second. */
export async function passwordKey(password: string, salt: Uint8Array): Promise<Uint8Array> {
  const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
  return await new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, 32, cost, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

/** The hello's `proof`. */
export function provePassword(key: Uint8Array, { nonce, fingerprint, clientId }: ProofContext): Uint8Array {
  return createHmac('sha256', key)
    .update('reprise multicast 1')
    .update(nonce)
    .update(fingerprint)
    .update(clientId)
    .digest()
}

/** Whether the proof was made with the same key. */
export function isProofRight(proof: Uint8Array, key: Uint8Array, context: ProofContext): boolean {
  const expected = provePassword(key, context)
  return proof.length === expected.length && timingSafeEqual(proof, expected)
}
