import { expect, test } from 'vitest'
import { isProofRight, passwordKey, provePassword } from '#engine/multicast/wire'

const of = (lengthBytes: number, value: number) => new Uint8Array(lengthBytes).fill(value)
const context = { nonce: of(32, 1), fingerprint: of(32, 2), clientId: of(16, 3) }

test('a proof is right for its password, its greeting, its certificate and its client, and no other', async () => {
  const key = await passwordKey('offen Sesam', of(16, 4))
  const proof = provePassword(key, context)
  expect(isProofRight(proof, key, context)).toBe(true)
  expect(isProofRight(proof, await passwordKey('offen sesam', of(16, 4)), context)).toBe(false)
  expect(isProofRight(proof, key, { ...context, nonce: of(32, 9) })).toBe(false)
  expect(isProofRight(proof, key, { ...context, fingerprint: of(32, 9) })).toBe(false)
  expect(isProofRight(proof, key, { ...context, clientId: of(16, 9) })).toBe(false)
  expect(isProofRight(proof.subarray(1), key, context)).toBe(false)
})
