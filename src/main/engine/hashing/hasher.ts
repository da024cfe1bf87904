/** SHA-256 of one stretch of bytes after another, told in steps. Runs where it is put: in a lane's thread, or in place. */
import { createHash } from 'node:crypto'
import type { Digest, HashOrder } from './hash-order.ts'

const zeros = new Uint8Array(1024 * 1024)

export class Hasher {
  #hash = createHash('sha256')

  /** The digests that ended in this order. */
  run({ memory, steps }: HashOrder): Digest[] {
    const digests: Digest[] = []
    for (const step of steps) {
      switch (step.kind) {
        case 'bytes':
          if (memory !== null) this.#hash.update(new Uint8Array(memory, step.at, step.lengthBytes))
          break
        case 'zeros':
          for (let left = step.lengthBytes; left > 0; left -= zeros.length)
            this.#hash.update(left < zeros.length ? zeros.subarray(0, left) : zeros)
          break
        case 'end':
        default:
          digests.push({ key: step.key, digest: this.#hash.digest() })
          this.#hash = createHash('sha256')
      }
    }
    return digests
  }
}
