/**
 * A self-signed certificate: what TLS wants of a server that nobody vouches for but its fingerprint. X.509 v3 (RFC 5280) as
 * little of it as TLS accepts, with an EC P-256 key, in DER.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

export interface Certificate {
  /** PEM, PKCS #8. Whoever has it can pass for the server. */
  readonly key: string
  /** PEM. */
  readonly certificate: string
}

/** Tags of ASN.1's types (X.690). */
const tags = {
  integer: 0x02,
  bitString: 0x03,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
}
/** Object identifiers, as they are encoded. */
const ids = { ecdsaWithSha256: '2a8648ce3d040302', commonName: '550403' }

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  const { length } = body
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), body])
}

/** A fresh key and its certificate, for ever: it is known by its fingerprint, not by a date. */
export function makeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = selfSigned(privateKey, publicKey.export({ type: 'spki', format: 'der' }))
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    certificate: pem(certificate),
  }
}

function selfSigned(key: KeyObject, publicKey: Uint8Array): Buffer {
  const algorithm = der(tags.sequence, der(tags.objectId, Buffer.from(ids.ecdsaWithSha256, 'hex')))
  const name = der(
    tags.sequence,
    der(
      tags.set,
      der(
        tags.sequence,
        der(tags.objectId, Buffer.from(ids.commonName, 'hex')),
        der(tags.utf8, Buffer.from('Reprise multicast server')),
      ),
    ),
  )
  const serial = randomBytes(16)
  // Positive, and never written with a zero too many in front.
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40
  const validity = der(
    tags.sequence,
    der(tags.utcTime, Buffer.from('200101000000Z')),
    // RFC 5280, §4.1.2.5: "no well-defined expiration date".
    der(tags.time, Buffer.from('99991231235959Z')),
  )
  const body = der(
    tags.sequence,
    der(tags.version, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, serial),
    algorithm,
    name,
    validity,
    name,
    publicKey,
  )
  const signature = sign('sha256', body, key)
  return der(tags.sequence, body, algorithm, der(tags.bitString, Buffer.from([0]), signature))
}

const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`

/** SHA-256 of the certificate's DER form, 32 bytes. Throws when the text isn't one. */
export function fingerprintOf(certificate: string): Buffer {
  const base64 = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(
    certificate,
  )?.[1]
  if (base64 === undefined) throw new TypeError('not a certificate in PEM')
  return createHash('sha256').update(Buffer.from(base64, 'base64')).digest()
}
