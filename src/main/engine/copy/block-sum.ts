/**
 * How a block is summed up: what was written, and later what was read back, so that the two can be compared without keeping either.
 * CRC-32 where somebody else counts it anyway. Else Poly1305 (RFC 8439), several times as fast in Node, whose CRC-32 uses no
 * instructions for it: summing up alone must not keep a fast disk waiting.
 */
import { createCipheriv, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { appendZeros, combineCrc32 } from '#engine/pipeline'

/** Of one block after the other. */
export interface BlockSum {
  /** The next bytes of the block. `crc`: their CRC-32, where the caller has it already. */
  add(bytes: Uint8Array, crc?: number): void
  /** The next `lengthBytes` of the block are zeros. */
  addZeros(lengthBytes: number): void
  /** Of what was told since the last call; an integer of at most 48 bits. */
  take(): number
}

export interface BlockSums {
  readonly kind: 'crc32' | 'poly1305'
  create(): BlockSum
}

export const crc32Sums: BlockSums = {
  kind: 'crc32',
  create() {
    let sum = 0
    return {
      add(bytes, crc) {
        sum = crc === undefined ? crc32(bytes, sum) : combineCrc32(sum, crc, bytes.length)
      },
      addZeros(lengthBytes) {
        sum = appendZeros(sum, lengthBytes)
      },
      take() {
        const taken = sum
        sum = 0
        return taken
      },
    }
  },
}

/** For people: which sum, and its digits. */
export const shownSum = ({ kind }: Pick<BlockSums, 'kind'>, sum: number) =>
  `${kind} ${sum.toString(16).padStart(kind === 'crc32' ? 8 : 12, '0')}`

const cipher = 'chacha20-poly1305'
const zeros = new Uint8Array(2 ** 20)
/** Setting it up takes as long as the CRC-32 of some 64 KiB. */
const worthwhileBytes = 2 ** 18

/**
 * The quickest for blocks of `blockBytes`. CRC-32 where they are small, and where the system's library has no Poly1305 (BoringSSL's
 * in Electron, or OpenSSL restricted to FIPS).
 */
export function quickestSums(blockBytes: number, createCipher: typeof newCipher = newCipher): BlockSums {
  if (blockBytes < worthwhileBytes) return crc32Sums
  // Of one process's own comparisons: nobody sees the sums, and so nobody can make two blocks of one sum.
  const key = randomBytes(32)
  try {
    createCipher(key)
  } catch {
    return crc32Sums
  }
  return {
    kind: 'poly1305',
    create() {
      let block: ReturnType<typeof newCipher> | null = null
      const add = (bytes: Uint8Array) => {
        block ??= createCipher(key)
        block.setAAD(bytes, { plaintextLength: 0 })
      }
      return {
        add,
        addZeros(lengthBytes) {
          for (let left = lengthBytes; left > 0; left -= zeros.length)
            add(zeros.subarray(0, Math.min(left, zeros.length)))
        },
        take() {
          const taken = block ?? createCipher(key)
          block = null
          taken.final()
          return taken.getAuthTag().readUIntBE(0, 6)
        },
      }
    },
  }
}

/** Encrypts nothing: what is authenticated is what is summed up. One key and one nonce make equal blocks' sums equal. */
const newCipher = (key: Uint8Array) => createCipheriv(cipher, key, nonce, { authTagLength: 16 })
const nonce = new Uint8Array(12)
