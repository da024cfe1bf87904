/** Keys for an image that is made, and the header of version 2 that a password opens them with. */
import { createCipheriv, pbkdf2, randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import type { BlockCipher } from '#engine/formats/extents'
import {
  authStruct,
  headerStruct,
  passphraseStruct,
  passphraseType,
  signatureV2,
  wholeBlocks,
} from './header-v2.ts'
import { cssm } from './header.ts'
import { blobMark } from './unlock.ts'

const derive = promisify(pbkdf2)

/** As Apple's tools write today: sectors, each encrypted by itself. */
const blockBytes = 512
/** Where they put the data then: 120 KiB, less a block. */
const dataOffset = 122_368

/**
 * The most that was seen in an image of Apple's. Each guess at a password costs as much as opening the image does once: 0.15 s
 * of one core of 2024, which nobody minds; RFC 2898 asked for 1,000, hdiutil wrote 150,000 to 500,000.
 */
const usualIterations = 500_000

export interface NewEncryption {
  readonly cipher: BlockCipher
  /**
   * The header of an image with so many bytes inside: the file begins with it, or it is a sparse bundle's token, whose number of
   * bytes is 0.
   */
  header(dataBytes: number): Uint8Array
}

/** Of a file with so many bytes inside. */
export const encryptedBytes = (insideBytes: number): number =>
  dataOffset + wholeBlocks(insideBytes, blockBytes)

/** The other way round: what a file of `fileBytes` has room for. */
export const roomInside = (fileBytes: number): number =>
  Math.max(0, Math.floor((fileBytes - dataOffset) / blockBytes)) * blockBytes

/** Random keys for AES-256, wrapped with `password`. `iterations` are fewer in tests only. */
export async function newEncryption(
  password: string,
  { iterations = usualIterations }: { readonly iterations?: number } = {},
): Promise<NewEncryption> {
  const aesKey = new Uint8Array(randomBytes(32))
  const hmacKey = new Uint8Array(randomBytes(20))
  const salt = randomBytes(20)
  const iv = randomBytes(8)
  const uuid = randomUUID()
  const wrappingKey = await derive(Buffer.from(password, 'utf8'), salt, iterations, 24, 'sha1')
  const wrapper = createCipheriv('des-ede3-cbc', wrappingKey, iv)
  const blob = Buffer.concat([wrapper.update(Buffer.concat([aesKey, hmacKey, blobMark])), wrapper.final()])
  const passphrase = passphraseStruct.encode({
    kdfAlgorithm: cssm.pbkdf2,
    iterations,
    saltLength: salt.length,
    salt,
    ivLength: iv.length,
    iv,
    wrapKeyBits: 192,
    wrapAlgorithm: cssm.tripleDes,
    wrapPadding: cssm.pkcs7,
    wrapMode: cssm.cbcPadded,
    blobLength: blob.length,
    blob,
  })
  const passphraseOffset = headerStruct.sizeBytes + authStruct.sizeBytes
  return {
    cipher: { aesKey, hmacKey, blockBytes, dataOffset, firstBlock: 0, dataBytes: 0 },
    header(dataBytes) {
      const header = headerStruct.encode({
        signature: signatureV2,
        version: 2,
        ivSize: 16,
        mode: cssm.cbcBlocks,
        algorithm: cssm.aes,
        keyBits: 256,
        ivKeyAlgorithm: cssm.sha1Hmac,
        ivKeyBits: 160,
        uuid,
        blockSize: blockBytes,
        dataSize: dataBytes,
        dataOffset,
        authCount: 1,
      })
      const auth = authStruct.encode({
        type: passphraseType,
        offset: passphraseOffset,
        length: passphrase.length,
      })
      const bytes = new Uint8Array(dataOffset)
      bytes.set(Buffer.concat([header, auth, passphrase]))
      return bytes
    },
  }
}
