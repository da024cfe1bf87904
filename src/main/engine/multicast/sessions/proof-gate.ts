/** Looks at the proof of a hello: compares it with the keys it may be made with, and counts it when it is wrong. Pure. */
import { isProofRight, type Message } from '#engine/multicast/wire'
import { createProofLimit } from './proof-limit.ts'

export interface ProofGate {
  /** A hello came. Its proof is looked at once, unless those from that address have to wait. */
  examine(
    hello: Pick<Message<'hello'>, 'proof' | 'clientId'>,
    from: { readonly address: string; readonly nonce: Uint8Array },
    nowMs: number,
  ): ExaminedProof
}

export interface ExaminedProof {
  /** It isn't looked at before so many milliseconds have passed; 0: it is. */
  readonly waitMs: number
  /** Whether it was made with this key. False without a password, and while it has to wait. */
  isRight(key: Uint8Array): boolean
  /**
   * To be called once, when it was compared with every key it may be for: one proof is one guess. Returns how long the next one from
   * there has to wait because this one was wrong; 0: not at all.
   */
  settle(): number
}

/** `fingerprint`: of the server's certificate. */
export function createProofGate(fingerprint: Uint8Array): ProofGate {
  const limit = createProofLimit()
  return {
    examine({ proof, clientId }, { address, nonce }, nowMs) {
      // Who gives no password guesses none.
      const isGiven = proof.some((byte) => byte !== 0)
      const waitMs = isGiven ? limit.waitMs(address, nowMs) : 0
      let verdict: 'unasked' | 'right' | 'wrong' = 'unasked'
      return {
        waitMs,
        isRight(key) {
          if (!isGiven || waitMs > 0) return false
          const isRight = isProofRight(proof, key, { nonce, fingerprint, clientId })
          if (verdict !== 'right') verdict = isRight ? 'right' : 'wrong'
          return isRight
        },
        settle: () => (verdict === 'wrong' ? limit.failed(address, nowMs) : 0),
      }
    },
  }
}
