/**
 * Encrypted images made and opened by the plainest means, from docs/formats/encrypted.md: a call of OpenSSL for every block,
 * numbers at their offsets. What the program does faster must come to the same. Few iterations: nobody guesses here.
 */
import { createCipheriv, createDecipheriv, createHmac, pbkdf2Sync } from 'node:crypto'

export interface EncryptOptions {
  readonly password: string
  readonly keyBits?: 128 | 256
  readonly blockBytes?: number
  readonly iterations?: number
  /** Of the salt and the keys: other ones are other images. */
  readonly seed?: number
  /** What version 2 wraps the keys with. */
  readonly wrap?: '3des' | 'aes-192'
}

const fill = (length: number, seed: number) => Buffer.alloc(length, seed)

function keysOf({ keyBits = 256, seed = 1 }: EncryptOptions) {
  return { aesKey: fill(keyBits / 8, seed), hmacKey: fill(20, seed + 1), salt: fill(20, seed + 2) }
}

/** `data` as a file of version 2. */
export function encryptedV2(data: Uint8Array, options: EncryptOptions): Buffer {
  const { blockBytes = 512 } = options
  return Buffer.concat([headerV2(data.length, options), encryptBlocks(data, options, blockBytes)])
}

/** The header of such a file, as it lies in a bundle's `token`, too. */
export function headerV2(dataBytes: number, options: EncryptOptions): Buffer {
  const { password, keyBits = 256, blockBytes = 512, iterations = 10 } = options
  const { aesKey, hmacKey, salt } = keysOf(options)
  const iv = fill(8, 9)
  const keys = Buffer.concat([aesKey, hmacKey, Buffer.from('CKIE\0')])
  const wrappingKey = pbkdf2Sync(password, salt, iterations, 24, 'sha1')
  const isAes = options.wrap === 'aes-192'
  const blob = isAes ? encryptAes192(keys, wrappingKey, iv) : encrypt3Des(keys, wrappingKey, iv)
  const header = Buffer.alloc(4096)
  header.write('encrcdsa', 0, 'latin1')
  const words: [offset: number, value: number][] = [
    [8, 2],
    [12, 16],
    [16, 5],
    [20, 0x80000001],
    [24, keyBits],
    [28, 91],
    [32, 160],
    [52, blockBytes],
    [72, 1],
    [76, 1],
    [96, 103],
    [104, iterations],
    [108, salt.length],
    [144, iv.length],
    [180, 192],
    [184, isAes ? 0x80000001 : 17],
    [188, 7],
    [192, 6],
    [196, blob.length],
  ]
  for (const [offset, value] of words) header.writeUInt32BE(value, offset)
  const longs: [offset: number, value: number][] = [
    [56, dataBytes],
    [64, header.length],
    [80, 96],
    [88, 616],
  ]
  for (const [offset, value] of longs) header.writeBigUInt64BE(BigInt(value), offset)
  header.fill(options.seed ?? 1, 36, 52)
  salt.copy(header, 112)
  iv.copy(header, 148)
  blob.copy(header, 200)
  return header
}

/** `data` as a file of version 1. */
export function encryptedV1(data: Uint8Array, options: EncryptOptions): Buffer {
  const { password, keyBits = 128, blockBytes = 4096, iterations = 10 } = options
  const { aesKey, hmacKey, salt } = keysOf({ ...options, keyBits })
  const wrappingKey = pbkdf2Sync(password, salt, iterations, 24, 'sha1')
  const wrap = (key: Uint8Array) => {
    const iv = fill(8, 7)
    const inner = Buffer.concat([iv, encrypt3Des(Buffer.concat([Buffer.alloc(4), key]), wrappingKey, iv)])
    return encrypt3Des(inner.toReversed(), wrappingKey, Buffer.from('4adda22c79e82105', 'hex'))
  }
  const trailer = Buffer.alloc(1276)
  const [key, ivKey] = [wrap(aesKey), wrap(hmacKey)]
  const words: [offset: number, value: number][] = [
    [16, blockBytes],
    [20, 17],
    [24, 7],
    [28, 6],
    [32, 192],
    [36, 8],
    [40, 103],
    [48, iterations],
    [52, salt.length],
    [88, 16],
    [92, 5],
    [96, 0x80000001],
    [100, keyBits],
    [136, key.length],
    [396, 91],
    [400, 160],
    [436, ivKey.length],
    [1264, 1],
  ]
  for (const [offset, value] of words) trailer.writeUInt32BE(value, offset)
  trailer.writeBigUInt64BE(BigInt(data.length), 1256)
  salt.copy(trailer, 56)
  key.copy(trailer, 140)
  ivKey.copy(trailer, 440)
  trailer.write('cdsaencr', 1268, 'latin1')
  return Buffer.concat([encryptBlocks(data, { ...options, keyBits }, blockBytes), trailer])
}

/** Blocks from number `firstBlock` on; the last one filled up with zeros. */
export function encryptBlocks(
  data: Uint8Array,
  options: EncryptOptions,
  blockBytes: number,
  firstBlock = 0,
): Buffer {
  const { aesKey, hmacKey } = keysOf(options)
  const blocks: Buffer[] = []
  for (let at = 0; at < data.length; at += blockBytes) {
    const block = Buffer.alloc(blockBytes)
    block.set(data.subarray(at, at + blockBytes))
    const cipher = createCipheriv(
      `aes-${aesKey.length * 8}-cbc`,
      aesKey,
      ivOf(hmacKey, firstBlock + at / blockBytes),
    )
    cipher.setAutoPadding(false)
    blocks.push(cipher.update(block))
  }
  return Buffer.concat(blocks)
}

/** What is inside a file of version 2. Throws where it isn't one, or the password is wrong. */
export function decryptPlainly(file: Buffer, password: string): Buffer {
  if (file.toString('latin1', 0, 8) !== 'encrcdsa') throw new Error('not encrypted')
  const keyBytes = file.readUInt32BE(24) / 8
  const blockBytes = file.readUInt32BE(52)
  const dataBytes = Number(file.readBigUInt64BE(56))
  const dataOffset = Number(file.readBigUInt64BE(64))
  const blob = Number(file.readBigUInt64BE(80))
  const salt = file.subarray(blob + 16, blob + 16 + file.readUInt32BE(blob + 12))
  const wrappingKey = pbkdf2Sync(password, salt, file.readUInt32BE(blob + 8), 24, 'sha1')
  const unwrap = createDecipheriv('des-ede3-cbc', wrappingKey, file.subarray(blob + 52, blob + 60))
  const wrapped = file.subarray(blob + 104, blob + 104 + file.readUInt32BE(blob + 100))
  const keys = Buffer.concat([unwrap.update(wrapped), unwrap.final()])
  if (keys.toString('latin1', keyBytes + 20) !== 'CKIE\0') throw new Error('wrong password')
  const [aesKey, hmacKey] = [keys.subarray(0, keyBytes), keys.subarray(keyBytes, keyBytes + 20)]
  const blocks: Buffer[] = []
  for (let number = 0; number * blockBytes < dataBytes; number++) {
    const at = dataOffset + number * blockBytes
    const decipher = createDecipheriv(`aes-${keyBytes * 8}-cbc`, aesKey, ivOf(hmacKey, number))
    decipher.setAutoPadding(false)
    blocks.push(decipher.update(file.subarray(at, at + blockBytes)))
  }
  return Buffer.concat(blocks).subarray(0, dataBytes)
}

/** What is in a band of a bundle that has this `token`, by `decryptPlainly`: the band behind its header is a file. */
export function decryptBand(token: Buffer, band: Buffer, password: string): Buffer {
  const header = Buffer.from(token)
  header.writeBigUInt64BE(BigInt(band.length), 56)
  return decryptPlainly(Buffer.concat([header, band]), password)
}

function ivOf(hmacKey: Uint8Array, block: number): Buffer {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(block)
  return createHmac('sha1', hmacKey).update(number).digest().subarray(0, 16)
}

function encrypt3Des(plain: Uint8Array, key: Uint8Array, iv: Uint8Array): Buffer {
  const cipher = createCipheriv('des-ede3-cbc', key, iv)
  return Buffer.concat([cipher.update(plain), cipher.final()])
}

function encryptAes192(plain: Uint8Array, key: Uint8Array, iv: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-192-cbc', key, Buffer.concat([iv, Buffer.alloc(8)]))
  return Buffer.concat([cipher.update(plain), cipher.final()])
}
