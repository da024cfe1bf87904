/** Looks at the proof of a hello: compares it with the keys it may be made with, and counts it when it is wrong. Pure. */
import { isProofRight, type Message } from '#engine/multicast/wire'
import { createKnownComputers } from './known-computers.ts'
import { createProofLimit } from './proof-limit.ts'

export interface ProofGate {
  /**
   * A hello came. Its proof is looked at once, unless those from that address have to wait; and also then with the key of a password
   * that this computer was right with before.
   */
  examine(
    hello: Pick<Message<'hello'>, 'proof' | 'clientId' | 'hostName' | 'hardwareAddresses'>,
    from: { readonly address: string; readonly nonce: Uint8Array },
    nowMs: number,
  ): ExaminedProof
}

export interface ExaminedProof {
  /** It wasn't compared with a key that it may be for, and won't be before so many milliseconds have passed; 0: it was with all. */
  readonly waitMs: number
  /** Whether it was made with this key. False without a password, and while it has to wait. */
  isRight(key: Uint8Array): boolean
  /** The same for the key of a password too long to be guessed: it is always looked at. Wrong while it has to wait, it doesn't count. */
  isRightUnguessable(key: Uint8Array): boolean
  /**
   * To be called once, when it was compared with every key it may be for: one proof is one guess. Returns how long the next one from
   * there has to wait because this one was wrong; 0: not at all.
   */
  settle(): number
}

/** `fingerprint`: of the server's certificate. */
export function createProofGate(fingerprint: Uint8Array): ProofGate {
  const limit = createProofLimit()
  const known = createKnownComputers()
  return {
    examine(hello, { address, nonce }, nowMs) {
      const { proof, clientId } = hello
      // Who gives no password guesses none.
      const isGiven = proof.some((byte) => byte !== 0)
      const addressMs = isGiven ? limit.waitMs(address, nowMs) : 0
      let waitMs = 0
      let verdict: 'unasked' | 'right' | 'wrong' = 'unasked'
      const compare = (key: Uint8Array) => {
        const isRight = isProofRight(proof, key, { nonce, fingerprint, clientId })
        if (verdict !== 'right') verdict = isRight ? 'right' : 'wrong'
        return isRight
      }
      return {
        get waitMs() {
          return waitMs
        },
        isRight(key) {
          if (!isGiven) return false
          if (addressMs > 0 && !known.has(hello, address, key)) {
            waitMs = addressMs
            return false
          }
          const isRight = compare(key)
          if (isRight) known.add(hello, address, key)
          else known.remove(hello, address, key)
          return isRight
        },
        isRightUnguessable(key) {
          if (!isGiven) return false
          if (addressMs === 0) return compare(key)
          const isRight = isProofRight(proof, key, { nonce, fingerprint, clientId })
          if (!isRight) waitMs = addressMs
          return isRight
        },
        settle: () => (verdict === 'wrong' ? limit.failed(address, nowMs) : 0),
      }
    },
  }
}
